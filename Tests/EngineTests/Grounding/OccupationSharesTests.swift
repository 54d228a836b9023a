import Engine
import TestSupport
import Testing

struct OccupationSharesTests {
    private static func sums(_ random: inout SeededGenerator) -> [Int: Double] {
        var sums: [Int: Double] = [:]
        for _ in 0..<Int.random(in: 0...12, using: &random) {
            let sum = Bool.random(using: &random) ? 0 : Double.random(in: 0...3, using: &random)
            sums[Int.random(in: 0..<20, using: &random)] = sum
        }
        return sums
    }

    @Test func `add up to 1, ascending by occupation`() {
        var random = SeededGenerator(seed: 330)
        for _ in 0..<1_000 {
            let sums = Self.sums(&random)
            let shares = OccupationShares(sums).shares
            let whole = sums.values.sorted().reduce(0, +)
            #expect(shares.map(\.occupation) == sums.filter { $0.value > 0 }.keys.sorted(), "\(random)")
            for share in shares {
                #expect(abs(Double(share.share) - (sums[share.occupation] ?? 0) / whole) < 1e-6, "\(random)")
                #expect(share.share > 0, "\(random)")
            }
            let all = shares.reduce(0) { $0 + Double($1.share) }
            #expect(shares.isEmpty || abs(all - 1) < 1e-6, "\(random)")
        }
    }

    @Test func `are none of nothing`() {
        #expect(OccupationShares([Int: Double]()).shares.isEmpty)
        #expect(OccupationShares([3: 0, 4: 0]).shares.isEmpty)
        #expect(OccupationShares([(weight: Double, shares: OccupationShares)]()).shares.isEmpty)
    }

    /// A share is above 0, and what is too small for a float32 is none.
    @Test func `are no zeros`() {
        let shares = OccupationShares([0: 1, 1: 1e-60]).shares
        #expect(shares.map(\.occupation) == [0])
    }

    /// Votes are counted in a dictionary, whose order differs from one to the next. Many small sums count where they come
    /// before the great one and are lost in rounding after it, and its share lies so near halfway between two numbers of
    /// float32 that about a thousand of them decide.
    @Test func `do not depend on the order of what was counted`() {
        var sums: [Int: Double] = [0: 1 - 0x1p-25 + 0x1p-46, 1: 0x1p-25 - 0x1p-46]
        for occupation in 2..<2_000 { sums[occupation] = 0x1p-56 }
        let expected = OccupationShares(sums)
        var random = SeededGenerator(seed: 331)
        for _ in 0..<64 {
            var again: [Int: Double] = [:]
            again.reserveCapacity(Int.random(in: 1...20_000, using: &random))
            for (occupation, sum) in sums.sorted(by: { $0.key < $1.key }).shuffled(using: &random) {
                again[occupation] = sum
            }
            #expect(OccupationShares(again) == expected, "\(random)")
        }
    }

    @Test func `of several texts are their weighted mean`() {
        var random = SeededGenerator(seed: 332)
        for _ in 0..<500 {
            let texts = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                (weight: Double.random(in: 0.1...2, using: &random), shares: OccupationShares(Self.sums(&random)))
            }
            var expected: [Int: Double] = [:]
            var whole = 0.0
            for text in texts {
                for share in text.shares.shares {
                    expected[share.occupation, default: 0] += text.weight * Double(share.share)
                    whole += text.weight * Double(share.share)
                }
            }
            let shares = OccupationShares(texts).shares
            #expect(shares.map(\.occupation) == expected.keys.sorted(), "\(random)")
            for share in shares {
                #expect(abs(Double(share.share) - (expected[share.occupation] ?? 0) / whole) < 1e-6, "\(random)")
            }
        }
    }

    @Test func `the greatest come first, equal ones by occupation`() {
        let shares = OccupationShares([5: 2, 1: 1, 9: 2, 3: 4, 7: 1])
        #expect(shares.top(4).map(\.occupation) == [3, 5, 9, 1])
        #expect(shares.top(100).map(\.occupation) == [3, 5, 9, 1, 7])
        #expect(shares.top(0).isEmpty && OccupationShares([Int: Double]()).top(3).isEmpty)
    }
}
