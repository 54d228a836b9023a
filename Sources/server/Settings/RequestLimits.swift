package import Platform

/// How much may be asked, by whom.
package struct RequestLimits: Sendable, Equatable {
    /// A rate and a burst, each nil where it is not set.
    package struct Setting: Sendable, Equatable {
        /// 0 sets no limit.
        package var perSecond: Double?
        package var burst: Int?

        package init(perSecond: Double? = nil, burst: Int? = nil) {
            self.perSecond = perSecond
            self.burst = burst
        }

        func rate(otherwise perSecond: Double, isExposed: Bool) -> TokenBucket.Rate? {
            guard let rate = self.perSecond ?? (isExposed ? perSecond : nil), rate > 0 else { return nil }
            // Four seconds' worth at once: a page with its pictures, a class that starts together.
            return TokenBucket.Rate(perSecond: rate, burst: burst ?? max(1, Int(rate * 4)))
        }
    }

    /// Of an address before it is known who asks; a school's whole class may have one.
    package var address = Setting()
    /// Of one key or user.
    package var key = Setting()
    /// Requests under way at once, of all together.
    package var concurrentRequests = 512

    package init() {}

    /// The rates to keep. Nothing is limited by default where only this machine reaches the service.
    package func effective(isExposed: Bool) -> (address: TokenBucket.Rate?, key: TokenBucket.Rate?) {
        (address.rate(otherwise: 100, isExposed: isExposed), key.rate(otherwise: 50, isExposed: isExposed))
    }
}
