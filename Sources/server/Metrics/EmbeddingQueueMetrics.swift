internal import CoreMetrics
internal import Embedder

/// What the queue in front of the model measures; its counts are read from its statistics at each rendering.
struct EmbeddingQueueMetrics: Sendable {
    static let wait = MetricDefinition(
        "pathlight_embedding_wait_seconds", "Time that a text which somebody waits for stood in the queue.")
    static let batchTexts = MetricDefinition(
        "pathlight_embedding_batch_texts", "Texts of a batch, by whether somebody waits for them.")
    static let waitingTexts = MetricDefinition(
        "pathlight_embedding_queue_texts", "Texts that wait to be embedded now.")
    static let waitingTokens = MetricDefinition(
        "pathlight_embedding_queue_tokens", "Tokens of the texts that wait to be embedded now.")
    static let batches = MetricDefinition(
        "pathlight_embedding_batches", "Batches of texts that were embedded since the model was loaded.")
    static let rejected = MetricDefinition(
        "pathlight_embedding_rejected_requests", "Requests that found the queue full since the model was loaded.")
    static let dropped = MetricDefinition(
        "pathlight_embedding_dropped_texts",
        "Texts that nobody waited for any more before they were embedded, since the model was loaded.")
    static let joined = MetricDefinition(
        "pathlight_embedding_joined_texts",
        "Texts answered with one that was under way already, since the model was loaded.")

    private let wait: CoreMetrics.Timer
    private let awaited: Recorder
    private let background: Recorder

    init(factory: any MetricsFactory) {
        wait = Timer(label: Self.wait.name, dimensions: [], factory: factory)
        awaited = Recorder(
            label: Self.batchTexts.name, dimensions: [("urgency", "awaited")], aggregate: true, factory: factory)
        background = Recorder(
            label: Self.batchTexts.name, dimensions: [("urgency", "background")], aggregate: true, factory: factory)
    }

    /// Takes note of a batch as it starts.
    func started(_ urgency: EmbeddingQueue.Urgency, waited: [Duration]) {
        switch urgency {
        case .awaited:
            awaited.record(waited.count)
            for duration in waited { wait.recordNanoseconds(Int64(duration / .nanoseconds(1))) }
        case .background: background.record(waited.count)
        }
    }

    /// Adds the queue's counts to `registry`.
    static func register(in registry: MetricsRegistry, statistics: @escaping @Sendable () -> EmbeddingQueueStatistics?)
    {
        registry.describe([wait, batchTexts])
        let counts: [(MetricDefinition, @Sendable (EmbeddingQueueStatistics) -> Int)] = [
            (waitingTexts, { $0.waitingTexts }), (waitingTokens, { $0.waitingTokens }), (batches, { $0.batches }),
            (rejected, { $0.rejected }), (dropped, { $0.dropped }), (joined, { $0.joined }),
        ]
        registry.describe(counts.map(\.0))
        let meters = counts.map { (Meter(label: $0.0.name, dimensions: [], factory: registry), $0.1) }
        registry.onRender {
            guard let statistics = statistics() else { return }
            for (meter, count) in meters { meter.set(count(statistics)) }
        }
    }
}
