package import CoreMetrics

/// What became of requests with an idempotency key.
package struct IdempotencyMetrics: Sendable {
    package static let requests = MetricDefinition(
        "http_idempotent_requests_total",
        "Writes with an idempotency key, by outcome: started, resumed after a crash, replayed, reused with another "
            + "body, or refused as in progress.")

    enum Outcome: String, CaseIterable {
        case started, resumed, replayed, reused
        case inProgress = "in_progress"
    }

    private let counters: [Outcome: Counter]

    package init(factory: any MetricsFactory) {
        counters = Dictionary(
            uniqueKeysWithValues: Outcome.allCases.map { outcome in
                (
                    outcome,
                    Counter(
                        label: Self.requests.name, dimensions: [("outcome", outcome.rawValue)], factory: factory)
                )
            })
    }

    func count(_ outcome: Outcome) { counters[outcome]?.increment() }
}
