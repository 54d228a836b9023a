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

        /// The rate to keep; nil for none.
        package func rate(otherwise perSecond: Double, isExposed: Bool) -> TokenBucket.Rate? {
            guard let rate = self.perSecond ?? (isExposed ? perSecond : nil), rate > 0 else { return nil }
            // Four seconds' worth at once: a page with its pictures, a class that starts together.
            let bursts = TokenBucket.Rate.burstRange
            let fitting = Int(min(rate * 4, Double(bursts.upperBound)))
            return TokenBucket.Rate(perSecond: rate, burst: burst ?? max(bursts.lowerBound, fitting))
        }
    }

    /// Of an address before it is known who asks; a school's whole class may have one.
    package var address = Setting()
    /// Of one key or user.
    package var key = Setting()
    /// Requests answered at once, of all together; nil for as many as the processors are good for.
    package var concurrentRequests: Int?

    package init() {}

    /// The rates to keep. Nothing is limited by default where only this machine reaches the service.
    package func effective(isExposed: Bool) -> (address: TokenBucket.Rate?, key: TokenBucket.Rate?) {
        (address.rate(otherwise: 100, isExposed: isExposed), key.rate(otherwise: 50, isExposed: isExposed))
    }
}
