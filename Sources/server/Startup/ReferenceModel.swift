internal import Embedder
internal import Engine
internal import Metrics
internal import Store
internal import Synchronization

/// The model as `/v1/embeddings` answers with it: in float32, as the model's own framework computes.
///
/// Clients keep such vectors beside those of others, where the 8 bits of the service's own space would be a surprise. Its
/// weights are loaded at the first request: most installations have none.
final class ReferenceModel: Sendable {
    struct Loaded: Sendable {
        let embedder: TextEmbedder
        let queue: EmbeddingQueue
    }

    private enum State: Sendable {
        case none
        case loading(Task<Loaded, any Error>)
        case loaded(Loaded)
    }

    let id: String
    private let state: Mutex<State>
    private let load: @Sendable () throws -> Loaded

    /// - Parameter loaded: where the service itself computes in float32.
    init(
        _ id: String, settings: ServiceSettings, limits: EmbeddingQueue.Limits, loaded: Loaded?
    ) {
        self.id = id
        state = Mutex(loaded.map { .loaded($0) } ?? .none)
        load = {
            let model = LoadedModel.load(
                id, from: settings.modelsDirectory, precision: .float32, cacheEntries: settings.cacheEntries)
            switch model {
            case .missing(let problem):
                throw HTTPProblem(
                    .modelUnavailable, LoadedModel.told(problem, of: settings.modelsDirectory),
                    cause: StartProblem(problem))
            case .ready(let embedder):
                let metrics = EmbeddingQueueMetrics(factory: MetricsSystem.factory)
                return Loaded(
                    embedder: embedder,
                    queue: EmbeddingQueue(embedder, limits: limits) { metrics.started($0, waited: $1) })
            }
        }
    }

    /// The numbers of its queue; nil where that is the service's own, or nothing was asked yet.
    func statistics(besides own: EmbeddingQueue?) -> EmbeddingQueueStatistics? {
        guard case .loaded(let loaded) = state.withLock({ $0 }), loaded.queue !== own else { return nil }
        return loaded.queue.statistics
    }

    /// The model; loaded once, whoever asks meanwhile waits for the same.
    func ready() async throws -> Loaded {
        let load = load
        let task = state.withLock { state -> Task<Loaded, any Error> in
            switch state {
            case .loaded(let loaded): return Task { loaded }
            case .loading(let task): return task
            case .none:
                let task = Task.detached { try await OwnThread.run { try load() } }
                state = .loading(task)
                return task
            }
        }
        do {
            let loaded = try await task.value
            state.withLock { if case .loading(let current) = $0, current == task { $0 = .loaded(loaded) } }
            return loaded
        } catch {
            // The next one tries again: somebody may have mended it.
            state.withLock { if case .loading(let current) = $0, current == task { $0 = .none } }
            throw error
        }
    }
}
