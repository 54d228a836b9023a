/// How long to wait before the next attempt: longer after each failure, and never the same for many at once.
///
/// "Full jitter": a random time from zero to a bound that doubles with each attempt (M. Brooker, Exponential Backoff And
/// Jitter, AWS Architecture Blog, 2015), here from half the bound on, so that no attempt follows at once.
package struct BackOff: Sendable, Equatable {
    /// The bound after the first failure.
    package let first: Duration
    /// What the bound never exceeds.
    package let longest: Duration

    package init(first: Duration, longest: Duration) {
        precondition(first > .zero && longest >= first, "a bound is above zero and does not shrink")
        self.first = first
        self.longest = longest
    }

    /// The bound after `failures` failures, at least 1.
    package func bound(afterFailures failures: Int) -> Duration {
        precondition(failures >= 1, "there is no wait before the first attempt")
        var bound = first
        for _ in 1..<failures {
            guard bound < longest else { break }
            bound = bound * 2
        }
        return min(bound, longest)
    }

    /// A time to wait after `failures` failures: from half of the bound to the bound, evenly.
    ///
    /// - Parameter random: a number from 0 up to but not including 1.
    package func wait(afterFailures failures: Int, random: Double) -> Duration {
        bound(afterFailures: failures) * (0.5 + 0.5 * random)
    }
}
