internal import Store

/// The calls of a model that a run may make, however many lists it makes.
package final class ModelAllowance: Sendable {
    private let calls: Int
    private let left: Guarded<Int>

    package init(calls: Int) {
        self.calls = max(0, calls)
        left = Guarded(self.calls)
    }

    /// Calls that were made.
    package var used: Int { calls - remaining }

    /// Calls that may still be made.
    package var remaining: Int { left.withLock { $0 } }

    /// Takes one call, if there is one.
    func take() -> Bool {
        left.withLock { left in
            guard left > 0 else { return false }
            left -= 1
            return true
        }
    }

    /// Gives back a call that never reached the provider.
    func giveBack() { left.withLock { $0 += 1 } }
}
