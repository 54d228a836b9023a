internal import CoreMetrics
internal import Engine

/// Where the time of requests for recommendations goes.
struct StageMetrics: Sendable {
    static let duration = MetricDefinition(
        "pathlight_stage_duration_seconds",
        "Time that requests for recommendations took, by stage; the requests of a batch are one.")

    private let embed: CoreMetrics.Timer
    private let search: CoreMetrics.Timer
    private let explain: CoreMetrics.Timer
    private let store: CoreMetrics.Timer

    init(_ registry: MetricsRegistry) {
        registry.describe([Self.duration])
        // Made once: on the path of a request nothing is looked up.
        func timer(_ stage: String) -> CoreMetrics.Timer {
            CoreMetrics.Timer(label: Self.duration.name, dimensions: [("stage", stage)], factory: registry)
        }
        (embed, search, explain, store) = (timer("embed"), timer("search"), timer("explain"), timer("store"))
    }

    /// Takes note of how long replies that were made together took.
    func made(_ replies: [RecommendationReply]) {
        guard let together = replies.first?.timing else { return }
        // Each of them says the same of the texts, which were embedded together.
        if together.texts > 0 { Self.record(together.embed, in: embed) }
        let searched = replies.map(\.timing.search).max() ?? .zero
        // What could not be read was not searched for.
        guard searched > .zero else { return }
        Self.record(searched, in: search)
        Self.record(replies.reduce(Duration.zero) { $0 + $1.timing.explain }, in: explain)
    }

    /// Takes note of a reply that is durable now.
    func stored(since start: ContinuousClock.Instant) { Self.record(ContinuousClock.now - start, in: store) }

    private static func record(_ duration: Duration, in timer: CoreMetrics.Timer) {
        timer.recordNanoseconds(Int64(duration / .nanoseconds(1)))
    }
}
