internal import Embedder
internal import Engine
internal import Foundation
internal import Metrics

/// The encoder in use, or why there is none.
struct ActiveModel: Sendable {
    let id: String
    /// What it computes in.
    let precision: EncoderPrecision
    let embedder: TextEmbedder?
    /// Where texts wait for `embedder`.
    let queue: EmbeddingQueue?
    /// The same queue, as the engine sees it.
    let encoder: EncodingQueue?
    /// The model in float32, for clients of the model itself.
    let reference: ReferenceModel?
    let degradation: Degradation?
    /// Why there is no encoder, in words.
    let problem: String?

    /// Loads a model on a thread of its own: it takes a good part of a second.
    ///
    /// - Parameters:
    ///   - precision: nil for that of the settings.
    ///   - limits: of its queue; the settings' where requests of others come in.
    static func load(
        _ id: String, precision: EncoderPrecision? = nil, settings: ServiceSettings,
        limits: EmbeddingQueue.Limits = .unbounded
    ) async throws -> ActiveModel {
        let precision = precision ?? settings.precision
        return try await OwnThread.run {
            switch LoadedModel.load(
                id, from: settings.modelsDirectory, precision: precision, cacheEntries: settings.cacheEntries)
            {
            case .ready(let embedder):
                // The first run faults the weights in: not at somebody's expense.
                _ = try embedder.embedding(of: "warm")
                let metrics = EmbeddingQueueMetrics(factory: MetricsSystem.factory)
                let queue = EmbeddingQueue(embedder, limits: limits) { metrics.started($0, waited: $1) }
                let isReference = precision == .float32
                let reference = ReferenceModel(
                    id, settings: settings, limits: limits,
                    loaded: isReference ? .init(embedder: embedder, queue: queue) : nil)
                return ActiveModel(
                    id: id, precision: precision, embedder: embedder, queue: queue,
                    encoder: EncodingQueue(try ModelVectorizer(embedder, queue: queue)), reference: reference,
                    degradation: nil, problem: nil)
            case .missing(let problem):
                return ActiveModel(
                    id: id, precision: precision, embedder: nil, queue: nil, encoder: nil, reference: nil,
                    degradation: LoadedModel.degradation(problem), problem: problem)
            }
        }
    }
}
