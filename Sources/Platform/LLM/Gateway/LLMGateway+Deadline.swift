internal import Store

/// No call outlives its deadline, whatever provider and store do.
extension LLMGateway {
    /// Runs a call's `body` and the writes that it leaves behind; cancels it at `deadline`, or where the caller is.
    ///
    /// - Returns: what `body` returned, once its writes are done or the deadline is there; `timedOut` where it has
    ///   returned nothing by then, `cancelled` where the caller was. What is under way then ends by itself.
    func run<Value: Sendable>(
        _ caller: Caller, before deadline: ContinuousClock.Instant,
        _ body: @escaping @Sendable () async -> Result<Value, LLMError>
    ) async -> Result<Value, LLMError> {
        let (answers, answer) = AsyncStream.makeStream(
            of: Result<Value, LLMError>.self, bufferingPolicy: .bufferingOldest(1))
        let known = Guarded<Result<Value, LLMError>?>(nil)
        openCalls.begin()
        // Not children of this task: it would wait for them.
        let work = Task { [openCalls] in
            let result = await body()
            known.withLock { $0 = result }
            await caller.writes.finish()
            answer.yield(result)
            openCalls.end()
        }
        let timer = Task { [time] in
            do { try await time.wait(deadline) } catch { return }
            answer.yield(known.withLock { $0 } ?? .failure(.timedOut))
        }
        defer {
            timer.cancel()
            work.cancel()
        }
        for await first in answers { return first }
        return known.withLock { $0 } ?? .failure(.cancelled)
    }

    /// Waits until no call has anything left to write. The store is to stay open until then.
    package func settled() async { await openCalls.settled() }
}
