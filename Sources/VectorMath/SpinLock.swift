internal import CKernels
internal import Glibc
internal import Synchronization

/// A lock that is held for microseconds, and seldom waited for.
///
/// An atomic and no `Mutex`: the thread sanitizer sees through it, and who meets it in lockstep does not go to sleep.
package final class SpinLock: Sendable {
    private let isTaken = Atomic(false)

    package init() {}

    package func withLock<Result>(_ body: () -> Result) -> Result {
        var spins = 0
        while isTaken.exchange(true, ordering: .acquiring) {
            spins += 1
            // Whoever holds it may be waiting for this very core.
            if spins % 64 == 0 { sched_yield() } else { pl_cpu_relax() }
        }
        defer { isTaken.store(false, ordering: .releasing) }
        return body()
    }
}
