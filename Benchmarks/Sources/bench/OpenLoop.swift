import Foundation
import Glibc
import Synchronization

/// Work that arrives at fixed times, whatever became of what arrived before.
///
/// A closed loop asks the next only when the last is answered, so a stall costs it one sample; here all that came
/// meanwhile pay for it, as people do (Tene, How NOT to measure latency, 2013). Times count from when each was due.
final class OpenLoop: Sendable {
    struct Sample: Sendable {
        /// From when it was due to its end.
        var took: Duration
        /// From when it was due to its start: nothing but the sleep's lateness while a worker is free.
        var late: Duration
        var outcome: Outcome
    }

    enum Outcome: Sendable {
        case good
        /// The other side said that it has too much to do.
        case rejected
        case failed
    }

    private let rate: Double
    private let count: Int
    private let next = Atomic(0)
    private let samples = Mutex<[Sample]>([])

    /// - Parameters:
    ///   - rate: arrivals a second.
    ///   - seconds: for how long they arrive.
    init(rate: Double, seconds: Double) {
        precondition(rate > 0 && seconds > 0, "an open loop has a rate and a length")
        self.rate = rate
        count = max(1, Int(rate * seconds))
    }

    /// Runs to the end on as many threads as there are workers; a worker's function gets the number of the arrival.
    func run(workers: Int, worker: @escaping @Sendable (Int) -> @Sendable (Int) -> Outcome) -> [Sample] {
        let ended = DispatchSemaphore(value: 0)
        let start = Self.now() + .milliseconds(10)
        for number in 0..<workers {
            // Threads of their own: these sleep most of the time, which a pool of one thread a processor is not for.
            Thread { [self] in
                work(from: start, worker(number))
                ended.signal()
            }.start()
        }
        for _ in 0..<workers { ended.wait() }
        return samples.withLock { $0 }
    }

    private func work(from start: Duration, _ body: (Int) -> Outcome) {
        var own: [Sample] = []
        while true {
            let number = next.add(1, ordering: .relaxed).oldValue
            guard number < count else { break }
            let due = start + .seconds(Double(number) / rate)
            Self.sleep(until: due)
            let late = Self.now() - due
            let outcome = body(number)
            own.append(Sample(took: Self.now() - due, late: late, outcome: outcome))
        }
        samples.withLock { $0 += own }
    }

    private static func now() -> Duration {
        var time = timespec()
        // SAFETY: writes the one structure.
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    private static func sleep(until due: Duration) {
        let (seconds, attoseconds) = due.components
        var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        // SAFETY: reads the one structure; woken by a signal it is asked again.
        while unsafe clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
    }
}
