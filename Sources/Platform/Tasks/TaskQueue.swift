package import Foundation
package import Store

/// Why a task cannot be queued, or its handler cannot go on.
package enum TaskError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The payload is not JSON.
    case payloadIsNotJSON(kind: String)
    case payloadTooLarge(kind: String, bytes: Int, limit: Int)
    case emptyName
    /// Another worker may have the task; what this one did must not be kept.
    case leaseLost(id: String)
    /// A handler said that it had ended its task itself, and had not.
    case notCompleted(id: String)
    case unknownSchedule(String)
    /// A stored or given schedule that cannot come due.
    case invalidSchedule(name: String, problem: String)

    package var description: String {
        switch self {
        case .payloadIsNotJSON(let kind): "the payload of a task “\(kind)” is not JSON"
        case .payloadTooLarge(let kind, let bytes, let limit):
            "the payload of a task “\(kind)” has \(bytes) bytes, more than \(limit); store the data and give its id"
        case .emptyName: "a task has a kind and, if any, a unique key that is not empty"
        case .leaseLost(let id): "the lease of task \(id) is lost: it ran out, or somebody cancelled the task"
        case .notCompleted(let id): "the handler of task \(id) returned “completed” and had not completed it"
        case .unknownSchedule(let name): "there is no schedule “\(name)”"
        case .invalidSchedule(let name, let problem): "the schedule “\(name)” cannot come due: \(problem)"
        }
    }
}

/// Where work is left that outlives a request: what is queued here is done at least once, by this process or another.
///
/// Payloads are JSON and hold ids rather than what people said: administrators see them.
package final class TaskQueue: Sendable {
    /// Bytes of a payload.
    package static let maximumPayloadBytes = 64 << 10

    package let tasks: TaskRepository
    /// Workers of this process that want to hear of new tasks.
    private let listeners = Guarded<[Int: AsyncStream<Void>.Continuation]>([:])

    package init(_ tasks: TaskRepository) { self.tasks = tasks }

    package var database: any SQLDatabase { tasks.database }

    /// Queues a task, unless one with the same unique key waits or runs.
    ///
    /// - Parameters:
    ///   - payload: JSON, for the handler.
    ///   - priority: greater is more urgent; 0 for most.
    ///   - dueAt: nil for at once.
    /// - Throws: `TaskError` for a payload that is none, or `StoreError`.
    @discardableResult
    package func enqueue(
        kind: String, payload: String = "{}", uniqueKey: String? = nil, priority: Int = 0, dueAt: Date? = nil,
        maximumAttempts: Int = 10
    ) async throws -> Enqueued {
        let task = try Self.task(kind, payload, uniqueKey, priority, dueAt, maximumAttempts)
        let enqueued = try await tasks.enqueue(task)
        wake()
        return enqueued
    }

    /// As `enqueue`, in a transaction of the caller's: the task comes with it or not at all. Workers of this process
    /// find it within their poll interval, or at once where `wake` is called after the commit.
    @discardableResult
    package func enqueue(
        kind: String, payload: String = "{}", uniqueKey: String? = nil, priority: Int = 0, dueAt: Date? = nil,
        maximumAttempts: Int = 10, in connection: any SQLConnection
    ) throws -> Enqueued {
        try tasks.enqueue(Self.task(kind, payload, uniqueKey, priority, dueAt, maximumAttempts), in: connection)
    }

    /// - Throws: `TaskError` for what cannot be queued.
    static func task(
        _ kind: String, _ payload: String, _ uniqueKey: String?, _ priority: Int, _ dueAt: Date?, _ attempts: Int
    ) throws(TaskError) -> NewTask {
        guard !kind.isEmpty, uniqueKey?.isEmpty != true else { throw .emptyName }
        guard payload.utf8.count <= maximumPayloadBytes else {
            throw .payloadTooLarge(kind: kind, bytes: payload.utf8.count, limit: maximumPayloadBytes)
        }
        guard (try? JSONSerialization.jsonObject(with: Data(payload.utf8), options: .fragmentsAllowed)) != nil else {
            throw .payloadIsNotJSON(kind: kind)
        }
        return NewTask(
            kind: kind, payload: payload, uniqueKey: uniqueKey, priority: priority, maximumAttempts: attempts,
            dueAt: dueAt)
    }

    /// Has a dead or cancelled task tried again at once.
    ///
    /// - Returns: nil where there is no such task.
    package func retry(id: String) async throws -> TaskRetry? {
        let retry = try await tasks.retry(id: id)
        wake()
        return retry
    }

    /// Cancels a task, or asks its worker to stop.
    ///
    /// - Returns: nil where there is no such task.
    package func cancel(id: String) async throws -> TaskCancellation? {
        let cancellation = try await tasks.cancel(id: id)
        wake()
        return cancellation
    }

    // MARK: Waking

    /// Has the workers of this process look for tasks now.
    package func wake() {
        for listener in listeners.withLock({ Array($0.values) }) { listener.yield() }
    }

    /// Calls that come faster than they are heard count as one.
    func listen() -> (stream: AsyncStream<Void>, continuation: AsyncStream<Void>.Continuation) {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = listeners.withLock { listeners in
            let id = (listeners.keys.max() ?? 0) + 1
            listeners[id] = continuation
            return id
        }
        continuation.onTermination = { [weak self] _ in self?.listeners.withLock { $0[id] = nil } }
        return (stream, continuation)
    }
}
