internal import CoreMetrics
package import Platform

/// The file of an identity provider's keys, for `/metrics`; nothing where there is none.
package enum TokenMetrics {
    static let keys = MetricDefinition(
        "pathlight_token_keys", "Keys by which tokens hold, of those in the key set's file.")
    static let loads = MetricDefinition(
        "pathlight_token_key_set_reads", "Versions of the key set's file that were read since the start, by outcome.")
    static let degraded = MetricDefinition(
        "pathlight_token_key_set_degraded",
        "1 where the key set's file cannot be used as it is now, and the keys that were read before are used on.")

    package static func register(in registry: MetricsRegistry, _ statistics: @escaping @Sendable () -> TokenStatistics?)
    {
        guard statistics() != nil else { return }
        registry.describe([keys, loads, degraded])
        func meter(_ definition: MetricDefinition, _ labels: [(String, String)] = []) -> Meter {
            Meter(label: definition.name, dimensions: labels, factory: registry)
        }
        let (count, problem) = (meter(keys), meter(degraded))
        let (good, bad) = (meter(loads, [("outcome", "used")]), meter(loads, [("outcome", "failed")]))
        registry.onRender {
            guard let statistics = statistics() else { return }
            count.set(Double(statistics.keys))
            good.set(Double(statistics.keySetLoads))
            bad.set(Double(statistics.keySetFailures))
            problem.set(statistics.keySetProblem == nil ? 0.0 : 1.0)
        }
    }
}
