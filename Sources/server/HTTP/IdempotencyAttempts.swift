import Synchronization

/// Which keys are being answered in this process, and when old ones were last removed.
final class IdempotencyAttempts: Sendable {
    struct Attempt: Hashable {
        let scope: String
        let key: IdempotencyKey
    }

    private struct State {
        var underWay: Set<Attempt> = []
        var lastPurge: ContinuousClock.Instant?
    }

    private let state = Mutex(State())

    /// Whether the attempt is the only one of its key now; it must then be ended.
    func begin(_ attempt: Attempt) -> Bool { state.withLock { $0.underWay.insert(attempt).inserted } }

    func end(_ attempt: Attempt) { _ = state.withLock { $0.underWay.remove(attempt) } }

    /// Whether nobody was told so for `period`; the caller then removes what is old.
    func isPurgeDue(every period: Duration, now: ContinuousClock.Instant = .now) -> Bool {
        state.withLock { state in
            if let last = state.lastPurge, last.duration(to: now) < period { return false }
            state.lastPurge = now
            return true
        }
    }
}
