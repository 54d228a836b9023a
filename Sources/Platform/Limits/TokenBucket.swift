/// How often somebody may ask: a steady rate, and a burst on top after a while of silence.
///
/// The generic cell rate algorithm (ITU-T I.371): the bucket is one number, the moment at which it is full again. What
/// has leaked in since is implied, so that nothing is rounded and nothing has to run in between.
package struct TokenBucket: Sendable, Equatable {
    /// Requests a second, and how many may come at once.
    package struct Rate: Sendable, Equatable {
        package static let perSecondRange = 0.001...1_000_000.0
        package static let burstRange = 1...1_000_000

        package let perSecond: Double
        package let burst: Int
        /// Nanoseconds that one request costs; rounded up, so that the rate is never exceeded.
        let cost: Int64
        /// Nanoseconds from empty to full.
        let capacity: Int64

        /// The two must lie in `perSecondRange` and `burstRange`.
        package init(perSecond: Double, burst: Int) {
            precondition(Self.perSecondRange.contains(perSecond), "a rate of \(perSecond) a second cannot be kept")
            precondition(Self.burstRange.contains(burst), "a burst of \(burst) cannot be kept")
            self.perSecond = perSecond
            self.burst = burst
            // At most 10¹² × 10⁶, a ninth of what Int64 holds.
            cost = Int64((1e9 / perSecond).rounded(.up))
            capacity = cost * Int64(burst)
        }
    }

    package enum Decision: Sendable, Equatable {
        case allowed
        /// Not now; after this long one request is allowed.
        case wait(Duration)
    }

    /// Nanoseconds of a steady clock.
    private var fullAt: Int64

    /// A full bucket.
    package init() { fullAt = .min }

    /// Whether it is as if nobody had asked; such a bucket need not be kept.
    package func isFull(at now: Int64) -> Bool { fullAt <= now }

    /// Takes one token, if there is one; a refused request costs nothing.
    ///
    /// - Parameter now: nanoseconds of a steady clock, at least 0 and the same clock every time.
    package mutating func take(_ rate: Rate, at now: Int64) -> Decision {
        let next = max(fullAt, now) + rate.cost
        let excess = next - now - rate.capacity
        guard excess <= 0 else { return .wait(.nanoseconds(excess)) }
        fullAt = next
        return .allowed
    }
}
