internal import Store

/// Lets a few calls run at a time; the others wait in the order in which they came, as long as their tasks live and their
/// turn does not come too late.
///
/// Calls of several gateways share the slots: answers take half a minute, vectors a moment. Each comes with its own
/// gateway's pace, so that who comes knows how long the line before it is, whatever it is made of.
package final class CallSlots: Sendable {
    private struct Waiter: Sendable {
        let number: UInt64
        let takes: Duration
        let continuation: CheckedContinuation<Bool, Never>
    }

    /// About to wait.
    private struct Arrival: Sendable {
        let takes: Duration
        var isCancelled = false
    }

    private struct State: Sendable {
        var free: Int
        var next: UInt64 = 0
        var waiters: [Waiter] = []
        var arriving: [UInt64: Arrival] = [:]
        /// Those that have given their slot back for a while.
        var resting = 0
        /// What those that have a slot were expected to take, together.
        var underWay = Duration.zero

        var waiting: Int { waiters.count + arriving.count + resting }

        /// How long who comes now is likely to wait: every slot is in use.
        func wait(slots: Int) -> Duration {
            var ahead = waiters.reduce(Duration.zero) { $0 + $1.takes }
            ahead = arriving.values.reduce(ahead) { $0 + $1.takes }
            return (ahead + underWay / max(1, slots - free)) / slots
        }

        /// Takes a free slot.
        mutating func begin(_ takes: Duration) {
            free -= 1
            underWay += takes
        }

        /// Takes a slot back.
        ///
        /// - Returns: who has it now, and is to be told.
        mutating func end(_ takes: Duration) -> Waiter? {
            free += 1
            underWay -= takes
            guard !waiters.isEmpty else { return nil }
            let next = waiters.removeFirst()
            begin(next.takes)
            return next
        }
    }

    package enum Outcome: Sendable, Equatable {
        case acquired
        /// As many wait as may.
        case full
        /// A slot comes too late to be of use.
        case tooLate
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

    /// How many wait for a slot, those included that have given theirs back for a while.
    package var waiting: Int { state.withLock { $0.waiters.count + $0.resting } }
    package var inUse: Int { state.withLock { count - $0.free } }

    /// Waits for a slot. Only after `acquired` it must be released, or rested from, once.
    ///
    /// - Parameters:
    ///   - total: the time in which it is of use; nil for any.
    ///   - pace: that of calls like this one; to be given back with the slot.
    ///   - isBack: whether it has rested until now, which is over, whatever the outcome.
    package func acquire(
        of total: Duration? = nil, pace: CallPace = CallPace(), isBack: Bool = false
    ) async -> Outcome {
        let isCancelled = Task.isCancelled
        let takes = pace.mean ?? .zero
        let (entry, number) = state.withLock { state -> (Outcome?, UInt64) in
            if isBack { state.resting -= 1 }
            if isCancelled { return (.cancelled, 0) }
            // Nobody overtakes those who wait.
            if state.free > 0, state.waiters.isEmpty {
                state.begin(takes)
                return (.acquired, 0)
            }
            guard state.waiting < maximumWaiting else { return (.full, 0) }
            if let total, pace.isTooLate(after: state.wait(slots: count), of: total) { return (.tooLate, 0) }
            state.next += 1
            state.arriving[state.next] = Arrival(takes: takes)
            return (nil, state.next)
        }
        if let entry { return entry }
        let isAcquired = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                enqueue(Waiter(number: number, takes: takes, continuation: continuation))
            }
        } onCancel: {
            cancel(number)
        }
        return isAcquired ? .acquired : .cancelled
    }

    /// Gives a slot back.
    package func release(pace: CallPace = CallPace()) {
        let next = state.withLock { $0.end(pace.mean ?? .zero) }
        next?.continuation.resume(returning: true)
    }

    /// Gives a slot back for a while. Who does must come back for another, or `leave`, once.
    ///
    /// - Returns: whether it was; where as many wait as may, it was not, and is to be released as ever.
    package func rest(pace: CallPace = CallPace()) -> Bool {
        let (isResting, next) = state.withLock { state -> (Bool, Waiter?) in
            guard state.waiting < maximumWaiting else { return (false, nil) }
            state.resting += 1
            return (true, state.end(pace.mean ?? .zero))
        }
        next?.continuation.resume(returning: true)
        return isResting
    }

    /// Ends a rest for good.
    package func leave() { state.withLock { $0.resting -= 1 } }

    private func enqueue(_ waiter: Waiter) {
        // A slot may have become free, or the task been cancelled, since it was looked.
        let outcome = state.withLock { state -> Bool? in
            if state.arriving.removeValue(forKey: waiter.number)?.isCancelled == true { return false }
            if state.free > 0 {
                state.begin(waiter.takes)
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
                state.arriving[number]?.isCancelled = true
                return nil
            }
            return state.waiters.remove(at: place)
        }
        waiter?.continuation.resume(returning: false)
    }
}
