internal import Store

/// What a call still writes: what it cost, its answer for the next who asks the same. Writes wait for a lock that another
/// process may hold for seconds, and cannot be cancelled; so they run beside the call, and it does not wait for them
/// beyond its deadline.
final class PendingWrites: Sendable {
    private let writes = Guarded<[Task<Void, Never>]>([])

    /// Begins a write, which ends whatever becomes of who asked.
    func add(_ write: @escaping @Sendable () async -> Void) {
        let task = Task(operation: write)
        writes.withLock { $0.append(task) }
    }

    /// Waits for all of them.
    func finish() async {
        while let next = writes.withLock({ $0.popLast() }) { await next.value }
    }
}

/// Counts calls from their beginning to the end of their writes, so that who closes the store can wait for them.
final class OpenCalls: Sendable {
    private struct State: Sendable {
        var count = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Guarded(State())

    func begin() { state.withLock { $0.count += 1 } }

    func end() {
        let waiting = state.withLock { state in
            state.count -= 1
            guard state.count == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Waits until there is none.
    func settled() async {
        await withCheckedContinuation { continuation in
            let isSettled = state.withLock { state in
                if state.count == 0 { return true }
                state.waiting.append(continuation)
                return false
            }
            if isSettled { continuation.resume() }
        }
    }
}
