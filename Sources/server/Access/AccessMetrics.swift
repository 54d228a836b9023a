internal import CoreMetrics
internal import Metrics
internal import Platform

/// What is let in and turned away, for `/metrics`.
enum AccessMetrics {
    static func register(_ access: AccessControl, _ admission: Admission, in registry: MetricsRegistry) {
        let refused = MetricDefinition(
            "pathlight_limited_requests", "Requests turned away since the start, by the limit that they ran into.")
        let buckets = MetricDefinition("pathlight_limit_buckets", "Addresses, and keys or users, that asked lately.")
        let underWay = MetricDefinition("pathlight_limit_under_way", "Requests that count against the bound now.")
        registry.describe([refused, buckets, underWay])
        func meter(_ definition: MetricDefinition, _ limit: String) -> Meter {
            Meter(label: definition.name, dimensions: [("limit", limit)], factory: registry)
        }
        let tables = [("address", access.byAddress), ("key", access.byPrincipal)].map { name, table in
            (table: table, refused: meter(refused, name), buckets: meter(buckets, name))
        }
        let (all, inside) = (meter(refused, "under_way"), Meter(label: underWay.name, factory: registry))
        registry.onRender {
            for entry in tables {
                guard let statistics = entry.table?.statistics else { continue }
                entry.refused.set(Double(statistics.refused))
                entry.buckets.set(Double(statistics.buckets))
            }
            all.set(Double(admission.refused))
            inside.set(Double(admission.count))
        }
    }
}
