internal import Store

/// Lets a few calls run at a time; the others wait in the order in which they came, as long as their tasks live.
package final class CallSlots: Sendable {
    private struct Waiter: Sendable {
        let number: UInt64
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State: Sendable {
        var free: Int
        var next: UInt64 = 0
        var waiters: [Waiter] = []
        /// About to wait; true once cancelled.
        var arriving: [UInt64: Bool] = [:]
    }

    package enum Outcome: Sendable, Equatable {
        case acquired
        /// As many wait as may.
        case full
        case cancelled
    }

    package let count: Int
    package let maximumWaiting: Int
    private let state: Guarded<State>

    package init(count: Int, maximumWaiting: Int) {
        precondition(count >= 1 && maximumWaiting >= 0, "one call at least can run")
        self.count = count
        self.maximumWaiting = maximumWaiting
        state = Guarded(State(free: count))
    }

    package var waiting: Int { state.withLock { $0.waiters.count } }
    package var inUse: Int { state.withLock { count - $0.free } }

    /// Waits for a slot. Only after `acquired` it must be released, once.
    package func acquire() async -> Outcome {
        if Task.isCancelled { return .cancelled }
        let (entry, number) = state.withLock { state -> (Outcome?, UInt64) in
            // Nobody overtakes those who wait.
            if state.free > 0, state.waiters.isEmpty {
                state.free -= 1
                return (.acquired, 0)
            }
            guard state.waiters.count + state.arriving.count < maximumWaiting else { return (.full, 0) }
            state.next += 1
            state.arriving[state.next] = false
            return (nil, state.next)
        }
        if let entry { return entry }
        let isAcquired = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in enqueue(Waiter(number: number, continuation: continuation))
            }
        } onCancel: {
            cancel(number)
        }
        return isAcquired ? .acquired : .cancelled
    }

    package func release() {
        let next = state.withLock { state -> Waiter? in
            guard !state.waiters.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiters.removeFirst()
        }
        next?.continuation.resume(returning: true)
    }

    private func enqueue(_ waiter: Waiter) {
        // A slot may have become free, or the task been cancelled, since it was looked.
        let outcome = state.withLock { state -> Bool? in
            if state.arriving.removeValue(forKey: waiter.number) == true { return false }
            if state.free > 0 {
                state.free -= 1
                return true
            }
            state.waiters.append(waiter)
            return nil
        }
        if let outcome { waiter.continuation.resume(returning: outcome) }
    }

    private func cancel(_ number: UInt64) {
        let waiter = state.withLock { state -> Waiter? in
            guard let place = state.waiters.firstIndex(where: { $0.number == number }) else {
                // Not there any more: it has its slot, which its task gives back.
                if state.arriving[number] != nil { state.arriving[number] = true }
                return nil
            }
            return state.waiters.remove(at: place)
        }
        waiter?.continuation.resume(returning: false)
    }
}
