import Engine
import Testing

struct PairedTestTests {
    /// Every way of tossing the coins, for a few differences.
    private static func exact(_ differences: [Double]) -> Double {
        let whole = abs(differences.reduce(0, +))
        let ways = 1 << differences.count
        let reached = (0..<ways).count { way in
            let sum = differences.enumerated().reduce(0) { $0 + ($1.element * (way >> $1.offset & 1 == 0 ? 1 : -1)) }
            return abs(sum) >= whole - 1e-9
        }
        return Double(reached) / Double(ways)
    }

    @Test(arguments: [[1.0, 1, 1], [0.5, -0.25, 0.1, 0.4], [0.2, 0.1, 0.3, 0.05, 0.4, 0.2, 0.1], [1, -1]])
    func `p is that of all ways of tossing the coins`(differences: [Double]) {
        let p = PairedTest.p(differences.map { [$0] }, draws: 40_000)[0]
        // Four standard errors of so many draws.
        #expect(abs(p - Self.exact(differences)) < 4 * 0.5 / 200)
    }

    @Test
    func `equal figures differ by chance`() {
        #expect(PairedTest.p([[0, 0], [0, 0]], draws: 100) == [1, 1])
    }

    @Test
    func `columns are tested each by itself, and queries without a difference change nothing`() {
        let rows = (0..<40).map { [0.1, $0 % 2 == 0 ? 0.1 : -0.1] }
        let p = PairedTest.p(rows, draws: 1_000)
        #expect(p[0] < 0.002 && p[1] == 1)
        let padded = rows + Array(repeating: [0, 0], count: 200)
        #expect(PairedTest.p(padded, draws: 1_000) == p)
        #expect(PairedTest.p(rows, draws: 1_000) == p)
    }
}
