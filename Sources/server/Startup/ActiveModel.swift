internal import Embedder
internal import Engine
internal import Foundation
internal import Metrics
internal import Store

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
    /// The models in float32, for clients of the models themselves.
    let references: ReferenceModels?
    let degradation: Degradation?
    /// Why there is no encoder, in words, with the path for who runs the service; `degradation` has none.
    let problem: String?

    /// Nil where the model runs here, or there is none.
    var remote: RemoteVectorizer? { encoder?.remote }
    var choice: ModelChoice {
        ModelChoice(id: id, precision: precision, space: remote?.space.id, grounding: grounding)
    }
    /// Whether it is a model outside that is to be used and has not told yet which space its vectors are of.
    let isWaitedFor: Bool
    /// What texts are grounded by: the knowledge base's checksum, or nothing.
    let grounding: GroundingChoice

    /// Loads a model, or gets ready to ask one outside.
    ///
    /// - Throws: `VectorsUnavailable` where a model outside has to be asked which space its vectors are of, and gives none.
    static func load(
        _ choice: ModelChoice, settings: ServiceSettings, outside: OutsideModels
    ) async throws -> ActiveModel {
        guard let model = OutsideModel(choice.id) else {
            return try await load(
                choice.id, precision: choice.precision, settings: settings, limits: settings.embedding)
        }
        guard settings.model == model.id else {
            return ActiveModel(choice, degradation: model.notNamed, isWaitedFor: false)
        }
        let vectorizer = try await outside.vectorizer(of: model, space: choice.space, isAwaited: true)
        return ActiveModel(choice, encoder: EncodingQueue(vectorizer), isWaitedFor: false)
    }

    /// A model outside that gives nothing at present.
    static func waiting(for choice: ModelChoice, _ error: VectorsUnavailable) -> ActiveModel {
        ActiveModel(
            choice,
            degradation: Degradation(
                reason: .init(rawValue: error.reason), detail: "Careers are ranked by abilities alone: \(error)."),
            isWaitedFor: true)
    }

    private init(
        _ choice: ModelChoice, encoder: EncodingQueue? = nil, degradation: Degradation? = nil, isWaitedFor: Bool
    ) {
        self.init(
            id: choice.id, precision: choice.precision, embedder: nil, queue: nil, encoder: encoder, references: nil,
            degradation: degradation, problem: degradation?.detail, isWaitedFor: isWaitedFor)
    }

    private init(
        id: String, precision: EncoderPrecision, embedder: TextEmbedder?, queue: EmbeddingQueue?,
        encoder: EncodingQueue?, references: ReferenceModels?, degradation: Degradation?, problem: String?,
        isWaitedFor: Bool = false, grounding: GroundingChoice = .none
    ) {
        self.id = id
        self.precision = precision
        self.embedder = embedder
        self.queue = queue
        self.encoder = encoder
        self.references = references
        self.degradation = degradation
        self.problem = problem
        self.isWaitedFor = isWaitedFor
        self.grounding = grounding
    }

    /// The same with its texts grounded.
    func grounded(_ encoder: EncodingQueue, by base: KnowledgeBase) -> ActiveModel {
        ActiveModel(
            id: id, precision: precision, embedder: embedder, queue: queue, encoder: encoder, references: references,
            degradation: degradation, problem: problem, grounding: .stored(base.checksum))
    }

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
                let own = ReferenceModel(
                    id, settings: settings, limits: limits,
                    loaded: isReference ? .init(embedder: embedder, queue: queue) : nil)
                let base = embedder.baseID.map {
                    ReferenceModel($0, settings: settings, limits: limits, loaded: nil)
                }
                let references = ReferenceModels(general: base ?? own, adapted: base == nil ? nil : own)
                return ActiveModel(
                    id: id, precision: precision, embedder: embedder, queue: queue,
                    encoder: EncodingQueue(try ModelVectorizer(embedder, queue: queue)), references: references,
                    degradation: nil, problem: nil)
            case .missing(let problem):
                return ActiveModel(
                    id: id, precision: precision, embedder: nil, queue: nil, encoder: nil, references: nil,
                    degradation: LoadedModel.degradation(
                        LoadedModel.told(problem, of: settings.modelsDirectory)), problem: problem)
            }
        }
    }
}
