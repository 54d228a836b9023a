/// Runs what computes or blocks for long on a thread of its own.
///
/// Not on the cooperative pool, nor on a queue of Dispatch: on Linux the queues of one priority share as many threads as
/// there are processors with the pool, so that two that compute there keep all tasks from theirs.
package enum OwnThread {
    /// How threads are begun; for tests, which refuse some.
    @TaskLocal package static var starter: ThreadStarter = .system

    /// - Throws: what `work` throws; `StoreError` of code `overloaded` where the system gives no thread.
    package static func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        guard let result = await attempt(work) else {
            throw StoreError(
                .overloaded, "the system gives this process no further thread",
                mend: "Raise its limit of tasks or its memory (systemd: TasksMax; containers: the limit of pids).")
        }
        return try result.get()
    }

    /// Runs what an end needs, which cannot be put off: where the system gives no thread, on that of the caller.
    package static func runInAnyCase<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        guard let result = await attempt(work) else { return try work() }
        return try result.get()
    }

    /// - Returns: nil where the system gives no thread; `work` has not run then.
    private static func attempt<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value
    ) async -> Result<Value, any Error>? {
        typealias Outcome = Result<Value, any Error>
        let starter = Self.starter
        return await withCheckedContinuation { (continuation: CheckedContinuation<Outcome?, Never>) in
            let isThere = starter.start("pathlight.work") { continuation.resume(returning: Outcome { try work() }) }
            if !isThere { continuation.resume(returning: nil) }
        }
    }
}
