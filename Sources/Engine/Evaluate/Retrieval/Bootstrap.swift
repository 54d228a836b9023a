/// Percentile bootstrap intervals (Efron, 1979): what a figure could have been with other draws of the same kind.
///
/// The draws are seeded, so the same values give the same interval on every machine.
package enum Bootstrap {
    package static let defaultResamples = 2_000
    package static let defaultSeed: UInt64 = 1
    /// Share of the resamples that an interval holds.
    package static let level = 0.95

    /// A figure with its interval.
    package struct Estimate: Sendable, Codable, Equatable {
        package let value: Double
        package let low: Double
        package let high: Double

        package init(value: Double, low: Double, high: Double) {
            self.value = value
            self.low = low
            self.high = high
        }
    }

    /// The means of columns with their intervals. All columns are resampled together, so that means of one call may
    /// be compared resample by resample.
    ///
    /// - Parameter rows: (n, columns), n > 0.
    /// - Complexity: O(resamples · n · columns).
    package static func means(
        _ rows: [[Double]], resamples: Int = defaultResamples, seed: UInt64 = defaultSeed
    ) -> [Estimate] {
        precondition(!rows.isEmpty && resamples > 0, "there is nothing to resample")
        let columns = rows[0].count
        precondition(rows.allSatisfy { $0.count == columns }, "rows differ in length")
        let flat = rows.flatMap { $0 }
        let n = Double(rows.count)
        var random = SplitMix64(seed: seed)
        var drawn = [[Double]](repeating: [], count: columns)
        var sums = [Double](repeating: 0, count: columns)
        for _ in 0..<resamples {
            for c in 0..<columns { sums[c] = 0 }
            for _ in 0..<rows.count {
                let start = Int.random(in: 0..<rows.count, using: &random) * columns
                for c in 0..<columns { sums[c] += flat[start + c] }
            }
            for c in 0..<columns { drawn[c].append(sums[c] / n) }
        }
        return (0..<columns).map { c in
            let interval = percentiles(of: drawn[c])
            return Estimate(
                value: rows.reduce(0) { $0 + $1[c] } / n, low: interval.lowerBound, high: interval.upperBound)
        }
    }

    /// The interval of any figure over `count` things.
    ///
    /// - Parameter figure: from how often each thing was drawn (count numbers); nil where it is not defined for a draw.
    /// - Returns: Nil where the figure was not defined for more than a tenth of the draws.
    package static func interval(
        count: Int, resamples: Int = defaultResamples, seed: UInt64 = defaultSeed, figure: ([Int]) -> Double?
    ) -> ClosedRange<Double>? {
        guard count > 0 else { return nil }
        var random = SplitMix64(seed: seed)
        var drawn: [Double] = []
        var times = [Int](repeating: 0, count: count)
        for _ in 0..<resamples {
            for i in 0..<count { times[i] = 0 }
            for _ in 0..<count { times[Int.random(in: 0..<count, using: &random)] += 1 }
            if let value = figure(times) { drawn.append(value) }
        }
        return drawn.count * 10 < resamples * 9 ? nil : percentiles(of: drawn)
    }

    /// The middle `level` of the values; between two of them in proportion.
    private static func percentiles(of values: [Double]) -> ClosedRange<Double> {
        let sorted = values.sorted()
        func quantile(_ p: Double) -> Double {
            let place = p * Double(sorted.count - 1)
            let below = Int(place)
            let above = min(below + 1, sorted.count - 1)
            // In this form equal neighbours give exactly themselves.
            return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
        }
        return quantile((1 - level) / 2)...quantile((1 + level) / 2)
    }
}
