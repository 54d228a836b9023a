import Engine
import TestSupport
import Testing

struct OccupationProjectionTests {
    private static let dimension = OccupationProjection.dimension
    /// The share of what occupations have in common in the kernel (docs/decisions/0025-grounded-view.md).
    private static let sharedPart = 0.3

    /// Texts, each about a few occupations near one another.
    private static func texts(
        _ count: Int, of occupations: Int, _ random: inout SeededGenerator
    ) -> [OccupationShares] {
        (0..<count).map { _ in
            let first = Int.random(in: 0..<occupations, using: &random)
            var sums: [Int: Double] = [:]
            for step in 0..<Int.random(in: 1...5, using: &random) {
                sums[(first + step * step) % occupations, default: 0] += Double.random(in: 0.1...1, using: &random)
            }
            return OccupationShares(sums)
        }
    }

    private static func row(_ projection: OccupationProjection, _ occupation: Int) -> [Float] {
        Array(projection.directions[occupation * dimension..<(occupation + 1) * dimension])
    }

    private static func product(_ a: [Float], _ b: [Float]) -> Double {
        zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }

    /// The kernel from its definition: the correlation of the texts' unit vectors over them, (occupations, occupations).
    private static func kernel(_ texts: [OccupationShares], _ count: Int) -> [[Double]] {
        let vectors = texts.map { text -> [Double] in
            var vector = [Double](repeating: 0, count: count)
            for share in text.shares { vector[share.occupation] = Double(share.share) }
            let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return norm > 0 ? vector.map { $0 / norm } : vector
        }
        let gram = (0..<count).map { i -> [Double] in
            (0..<count).map { j -> Double in vectors.reduce(0) { $0 + $1[i] * $1[j] } }
        }
        return (0..<count).map { i -> [Double] in
            (0..<count).map { j -> Double in
                if i == j { return 1 }
                let scale = (gram[i][i] * gram[j][j]).squareRoot()
                return scale > 0 ? sharedPart * gram[i][j] / scale : 0
            }
        }
    }

    @Test(arguments: [1, 2, 7, 40])
    func `fewer occupations than dimensions keep the kernel's inner products`(count: Int) throws {
        var random = SeededGenerator(seed: 340)
        // The last occupation of the greater ones is in no text.
        let texts = Self.texts(60, of: max(1, count - 1), &random) + [OccupationShares([Int: Double]())]
        let projection = try #require(OccupationProjection(occupationCount: count, fitting: texts))
        #expect(projection.occupationCount == count && projection.directions.count == count * Self.dimension)
        let kernel = Self.kernel(texts, count)
        for i in 0..<count {
            for j in 0..<count {
                let product = Self.product(Self.row(projection, i), Self.row(projection, j))
                #expect(abs(product - kernel[i][j]) < 1e-5, "\(i), \(j) \(random)")
            }
        }
    }

    @Test func `more occupations than dimensions have directions of unit length, near those of their like`() throws {
        var random = SeededGenerator(seed: 341)
        let count = 450
        let texts = Self.texts(4_000, of: count, &random)
        let projection = try #require(OccupationProjection(occupationCount: count, fitting: texts))
        let kernel = Self.kernel(Array(texts.prefix(400)), count)
        var (like, unlike) = ((sum: 0.0, count: 0.0), (sum: 0.0, count: 0.0))
        for i in 0..<count {
            let row = Self.row(projection, i)
            #expect(abs(Self.product(row, row) - 1) < 1e-5, "\(i) \(random)")
            for j in stride(from: 0, to: i, by: 7) {
                let product = Self.product(row, Self.row(projection, j))
                if kernel[i][j] > 0.05 { like = (like.sum + product, like.count + 1) }
                if kernel[i][j] == 0 { unlike = (unlike.sum + product, unlike.count + 1) }
            }
        }
        #expect(like.count > 20 && like.sum / like.count > unlike.sum / unlike.count + 0.02, "\(random)")
    }

    @Test func `the same texts give the same directions, to the last bit`() throws {
        var random = SeededGenerator(seed: 342)
        let texts = Self.texts(500, of: 120, &random)
        let first = try #require(OccupationProjection(occupationCount: 120, fitting: texts))
        for _ in 0..<5 { #expect(OccupationProjection(occupationCount: 120, fitting: texts) == first, "\(random)") }
    }

    @Test func `a text's vector is the unit vector of its occupations' directions`() throws {
        var random = SeededGenerator(seed: 343)
        let projection = try #require(
            OccupationProjection(occupationCount: 30, fitting: Self.texts(100, of: 30, &random)))
        for text in Self.texts(100, of: 30, &random) {
            var expected = [Double](repeating: 0, count: Self.dimension)
            for share in text.shares {
                for (d, number) in Self.row(projection, share.occupation).enumerated() {
                    expected[d] += Double(share.share) * Double(number)
                }
            }
            let norm = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let vector = try #require(projection.vector(of: text))
            #expect(zip(vector, expected).allSatisfy { abs(Double($0) - $1 / norm) < 1e-6 }, "\(random)")
            #expect(abs(Self.product(vector, vector) - 1) < 1e-5, "\(random)")
        }
        let own = try #require(projection.vector(of: OccupationShares([7: 0.3])))
        #expect(abs(Self.product(own, Self.row(projection, 7)) - 1) < 1e-6)
    }

    @Test func `a text about nothing, or about what cancels out, has none`() {
        var directions = [Float](repeating: 0, count: 3 * Self.dimension)
        directions[0] = 1
        directions[Self.dimension] = -1
        let projection = OccupationProjection(occupationCount: 3, directions: directions)
        #expect(projection.vector(of: OccupationShares([Int: Double]())) == nil)
        #expect(projection.vector(of: OccupationShares([0: 1, 1: 1])) == nil)
        #expect(projection.vector(of: OccupationShares([2: 1])) == nil)
        #expect(projection.vector(of: OccupationShares([0: 2, 1: 1]))?.first == 1)
    }
}
