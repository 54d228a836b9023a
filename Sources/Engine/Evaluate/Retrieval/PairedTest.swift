/// The paired randomisation test (Fisher, 1935; for retrieval: Smucker, Allan and Carterette, 2007): how often a mean
/// difference at least so far from 0 would come about if it were a toss of a coin which of two ways gave which figure.
package enum PairedTest {
    package static let defaultDraws = 10_000

    /// Two-sided p of each column's mean, at least 1 / (draws + 1).
    ///
    /// Seeded: the same differences give the same p on every machine.
    ///
    /// - Parameter rows: differences, (n, columns), n > 0.
    /// - Complexity: O(draws · n · columns).
    package static func p(
        _ rows: [[Double]], draws: Int = defaultDraws, seed: UInt64 = Bootstrap.defaultSeed
    ) -> [Double] {
        precondition(!rows.isEmpty && draws > 0, "there is nothing to toss coins for")
        let columns = rows[0].count
        precondition(rows.allSatisfy { $0.count == columns }, "rows differ in length")
        // Rows without any difference change no sum.
        let flat = rows.filter { $0.contains { $0 != 0 } }.flatMap { $0 }
        var sums = [Double](repeating: 0, count: columns)
        for (i, value) in flat.enumerated() { sums[i % columns] += value }
        // What rounding leaves between a sum and the same terms added in signs that give it back.
        let least = sums.map { abs($0) - 1e-9 }
        var reached = [Int](repeating: 0, count: columns)
        var random = SplitMix64(seed: seed)
        for _ in 0..<draws {
            for c in 0..<columns { sums[c] = 0 }
            var coins: UInt64 = 0
            for (row, start) in stride(from: 0, to: flat.count, by: columns).enumerated() {
                if row % 64 == 0 { coins = random.next() }
                let sign = coins & 1 == 0 ? 1.0 : -1.0
                coins >>= 1
                for c in 0..<columns { sums[c] += sign * flat[start + c] }
            }
            for c in 0..<columns where abs(sums[c]) >= least[c] { reached[c] += 1 }
        }
        return reached.map { Double($0 + 1) / Double(draws + 1) }
    }
}
