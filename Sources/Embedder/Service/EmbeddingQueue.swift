internal import Dispatch
internal import Synchronization
internal import VectorMath

/// Where every text waits that a request needs a vector for, whether it comes alone or with a thousand others.
///
/// Idle, it starts at once, and a text alone has every core. Under load, what came meanwhile is taken together, a batch
/// for each core. The order and the limits are `EmbeddingQueueState`'s; this class brings the batches to threads of
/// their own and the vectors to who waits (docs/decisions/0015-queues.md).
package final class EmbeddingQueue: Sendable {
    package enum Urgency: Hashable, Sendable {
        /// Somebody waits for the answer.
        case awaited
        /// A catalogue's texts.
        case background
    }

    package struct Limits: Hashable, Sendable {
        /// Tokens that may wait.
        package var tokens: Int
        /// Different texts that may wait.
        package var texts: Int
        /// Tokens of a batch, which one core computes; a text that is longer is a batch by itself.
        package var batchTokens: Int

        package init(tokens: Int = 131_072, texts: Int = 4_096, batchTokens: Int = 128) {
            precondition(tokens > 0 && texts > 0 && batchTokens > 0, "a queue holds something")
            self.tokens = tokens
            self.texts = texts
            self.batchTokens = batchTokens
        }

        /// For a program that has no requests but its own.
        package static let unbounded = Limits(tokens: .max / 2, texts: .max / 2)
    }

    /// What is told of each batch as it starts: how many texts it has, and how long each of them waited.
    package typealias BatchObserver = @Sendable (_ urgency: Urgency, _ waited: [Duration]) -> Void

    private struct Guarded {
        var state: EmbeddingQueueState
        var continuations: [UInt64: CheckedContinuation<[[Float]], any Error>] = [:]
        var nextRequest: UInt64 = 0
    }

    private let guarded: Mutex<Guarded>
    private let compute: @Sendable ([[Int32]], Urgency) throws -> [[Float]]
    private let tokensAtOnce: Int
    private let observer: BatchObserver?
    private let now: @Sendable () -> ContinuousClock.Instant

    /// - Parameters:
    ///   - lanes: batches side by side.
    ///   - tokensAtOnce: a text alone of at most so many is computed on the thread that asks for it.
    ///   - compute: one vector for each text, in order; called on a thread of its own but for those.
    init(
        limits: Limits, lanes: Int = WorkerThreads.processorCount, tokensAtOnce: Int = 0,
        observer: BatchObserver? = nil,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        compute: @escaping @Sendable ([[Int32]], Urgency) throws -> [[Float]]
    ) {
        guarded = Mutex(Guarded(state: EmbeddingQueueState(limits: limits, lanes: lanes)))
        self.compute = compute
        self.tokensAtOnce = tokensAtOnce
        self.observer = observer
        self.now = now
    }

    package var statistics: EmbeddingQueueStatistics { guarded.withLock { $0.state.statistics } }

    /// Whether nothing waits and nothing is computed.
    var isIdle: Bool { guarded.withLock { $0.state.isIdle && $0.continuations.isEmpty } }

    /// The vector of each text, in order, once its turn has come.
    ///
    /// What waits is dropped when the task is cancelled, or when the `Requester` in charge says that its client has gone.
    ///
    /// - Throws: `EmbeddingQueueError` at once where there is no room, `CancellationError`, or what computing throws.
    func computed(_ texts: [[Int32]], urgency: Urgency) async throws -> [[Float]] {
        try Task.checkCancellation()
        if texts.isEmpty { return [] }
        let id = guarded.withLock { guarded in
            guarded.nextRequest += 1
            return guarded.nextRequest
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enter(texts, as: id, urgency: urgency, continuation)
            }
        } onCancel: {
            abandon(id)
        }
    }

    private func enter(
        _ texts: [[Int32]], as id: UInt64, urgency: Urgency, _ continuation: CheckedContinuation<[[Float]], any Error>
    ) {
        let entered: Result<(batches: [EmbeddingQueueState.Batch], isWaiting: Bool), EmbeddingQueueError>
        entered = guarded.withLock { guarded in
            do throws(EmbeddingQueueError) {
                try guarded.state.enter(texts, as: id, urgency: urgency, now: now())
            } catch {
                return .failure(error)
            }
            guarded.continuations[id] = continuation
            return .success((guarded.state.start(now: now()), guarded.state.isWaiting(id)))
        }
        switch entered {
        case .failure(let error): continuation.resume(throwing: error)
        case .success(let (batches, isWaiting)):
            if let alone = batches.first, batches.count == 1, !alone.isSideBySide, alone.texts.count == 1,
                alone.tokens <= tokensAtOnce
            {
                // Here and now: to wake a thread for it, and the caller afterwards, takes a fifth of its time.
                for next in compute(alone) { run(next) }
                return
            }
            for batch in batches { run(batch) }
            guard isWaiting else { return }
            // Cancelled before it had entered, where the handler found nothing to abandon.
            if Task.isCancelled { return abandon(id) }
            Requester.current?.whenGone { [weak self] in self?.abandon(id) }
        }
    }

    private func abandon(_ id: UInt64) {
        let (answer, continuation) = guarded.withLock { guarded in
            let answer = guarded.state.abandon(id)
            return (answer, answer.flatMap { guarded.continuations.removeValue(forKey: $0.request) })
        }
        if let answer { continuation?.resume(with: answer.result) }
    }

    /// Computes a batch, and on the same thread what comes after it: a thread that has to be woken costs a tenth of a
    /// text.
    private func run(_ batch: EmbeddingQueueState.Batch) {
        // A serial queue of its own has a thread of its own. Concurrent queues share as many as there are processors, and
        // another model's texts, or the same one's in another precision, would keep them for as long as any wait.
        let lane =
            batch.urgency == .awaited
            ? DispatchQueue(label: "pathlight.embedding", qos: .userInitiated)
            : DispatchQueue(label: "pathlight.embedding.background", qos: .utility)
        lane.async { [self] in
            var upcoming: EmbeddingQueueState.Batch? = batch
            while let batch = upcoming {
                let next = compute(batch)
                for other in next.dropFirst() { run(other) }
                upcoming = next.first
                if let next = upcoming, next.urgency != batch.urgency {
                    run(next)
                    upcoming = nil
                }
            }
        }
    }

    /// Computes a batch on this thread and tells who waits for its texts.
    ///
    /// - Returns: the batches that are computed next.
    private func compute(_ batch: EmbeddingQueueState.Batch) -> [EmbeddingQueueState.Batch] {
        observer?(batch.urgency, batch.waited)
        let result = Result {
            batch.isSideBySide
                ? try EncoderThreads.sideBySide { try compute(batch.texts, batch.urgency) }
                : try compute(batch.texts, batch.urgency)
        }
        let (answers, next) = guarded.withLock { guarded in
            let answers = guarded.state.finish(batch, result, now: now()).map {
                (continuation: guarded.continuations.removeValue(forKey: $0.request), result: $0.result)
            }
            return (answers, guarded.state.start(now: now()))
        }
        for answer in answers { answer.continuation?.resume(with: answer.result) }
        return next
    }
}
