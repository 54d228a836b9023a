import Foundation
package import Store

/// What a handler knows about its task, and does to it.
package final class TaskContext: Sendable {
    /// Why a handler was told to stop.
    enum StopReason: Sendable, Equatable {
        /// Its time was up.
        case deadline
        /// Somebody cancelled the task.
        case cancelled
        /// Another worker may have the task.
        case leaseLost
        /// The worker stops.
        case stopping
    }

    private struct State: Sendable {
        var reason: StopReason?
        var stoppedAt: ContinuousClock.Instant?
        var lastProgress: ContinuousClock.Instant?
    }

    /// Between two notes of progress that are stored.
    private static let progressInterval = Duration.milliseconds(500)

    package let id: String
    package let kind: String
    /// JSON, as it was queued.
    package let payload: String
    /// From 1.
    package let attempt: Int
    let lease: TaskLease
    private let tasks: TaskRepository
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Guarded(State())

    init(_ taken: TakenTask, tasks: TaskRepository, now: @escaping @Sendable () -> ContinuousClock.Instant) {
        id = taken.record.id
        kind = taken.record.kind
        payload = taken.record.payload
        attempt = taken.record.attempts
        lease = taken.lease
        self.tasks = tasks
        self.now = now
    }

    var stopReason: StopReason? { state.withLock { $0.reason } }

    /// When the handler was told to stop.
    var stoppedAt: ContinuousClock.Instant? { state.withLock { $0.stoppedAt } }

    /// The first reason stays.
    func stop(_ reason: StopReason) {
        let now = now()
        state.withLock { state in
            guard state.reason == nil else { return }
            state.reason = reason
            state.stoppedAt = now
        }
    }

    /// Whether the handler is to end soon; its Swift task is cancelled as well.
    package var isCancelled: Bool { Task.isCancelled || stopReason != nil }

    /// The payload as a type of the handler's.
    ///
    /// - Throws: `PermanentTaskFailure`: another attempt would read no better.
    package func decode<Payload: Decodable>(_ type: Payload.Type = Payload.self) throws -> Payload {
        do {
            return try JSONDecoder().decode(type, from: Data(payload.utf8))
        } catch {
            throw PermanentTaskFailure("the payload is not what “\(kind)” takes: \(error)")
        }
    }

    /// Notes how far the task is; call it as often as there is news, for few of the calls are stored.
    ///
    /// - Throws: `CancellationError` where the handler is to end, `TaskError.leaseLost`, or `StoreError`.
    package func progress(_ done: Int, of total: Int? = nil, note: String? = nil) async throws {
        guard !isCancelled else { throw CancellationError() }
        let now = now()
        let isStored = state.withLock { state in
            if let last = state.lastProgress, last + Self.progressInterval > now, done != total { return false }
            state.lastProgress = now
            return true
        }
        guard isStored else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let text = String(
            decoding: try encoder.encode(Progress(done: done, note: note, total: total)), as: UTF8.self)
        guard try await tasks.setProgress(text, of: lease) else { throw TaskError.leaseLost(id: id) }
    }

    private struct Progress: Encodable {
        let done: Int
        let note: String?
        let total: Int?
    }

    /// Ends the task well in the transaction of its effect; the handler then returns `.completed`.
    ///
    /// - Throws: `TaskError.leaseLost` where the effect must not be kept: let it leave the transaction's body.
    package func complete(result: String? = nil, in connection: any SQLConnection) throws {
        guard try tasks.finish(lease, result: result, in: connection) else { throw TaskError.leaseLost(id: id) }
    }

    /// Runs an effect on the database and ends the task well, both or neither.
    ///
    /// - Returns: `.completed`, for the handler to return.
    package func complete(
        result: String? = nil, effect: @escaping @Sendable (any SQLConnection) throws -> Void
    ) async throws -> TaskOutcome {
        try await tasks.database.write { connection in
            try effect(connection)
            try self.complete(result: result, in: connection)
        }
        return .completed
    }

    /// Notes the effect of this task in the caller's transaction.
    ///
    /// - Returns: how often it has been noted, 1 for the first time.
    package func recordEffect(_ document: String = "{}", in connection: any SQLConnection) throws -> Int {
        try tasks.recordEffect(of: id, document: document, in: connection)
    }
}
