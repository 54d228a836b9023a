import TestSupport
import Testing
import VectorIndex

/// Vectors of 8 bits that lie in clusters, as texts do, with copies of some and rows of zeros.
private struct RandomCodes {
    let dimension: Int
    let codes: [Int8]
    var count: Int { codes.count / dimension }

    /// - Parameters:
    ///   - spread: of a vector about its cluster's middle; the smaller, the more the leading axes tell.
    ///   - copies: vectors that are those of other rows.
    init(
        count: Int, dimension: Int, clusters: Int, spread: Float, copies: Int, _ random: inout SeededGenerator
    ) {
        let middles = (0..<clusters).map { _ in random.direction(dimension) }
        var vectors: [[Float]] = []
        for row in 0..<count {
            let middle = middles[Int.random(in: 0..<clusters, using: &random)]
            let own = random.direction(dimension)
            vectors.append(row % 997 == 5 ? middle.map { _ in 0 } : zip(middle, own).map { $0 + spread * $1 })
        }
        for _ in 0..<copies where count > 1 {
            vectors[Int.random(in: 0..<count, using: &random)] = vectors[Int.random(in: 0..<count, using: &random)]
        }
        self.dimension = dimension
        codes = vectors.flatMap { CodedVectors.codes(rounding: $0) }
    }

    func vector(_ row: Int) -> [Float] { codes[row * dimension..<(row + 1) * dimension].map { Float($0) } }

    /// The definition: whole-number products of steps and codes, scaled by one float32 each; all sorted.
    func nearest(to query: [Float]) -> [CodedVectors.Neighbour] {
        let norm = query.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        let unit = query.map { Float(Double($0) / norm) }
        let step = unit.reduce(0) { max($0, abs($1)) } / 16_320
        let inverse = 1 / step
        let steps = unit.map { Int(($0 * inverse).rounded()) }
        let all = (0..<count).map { row -> CodedVectors.Neighbour in
            var (sum, square) = (0, 0)
            for i in 0..<dimension {
                let code = Int(codes[row * dimension + i])
                sum += steps[i] * code
                square += code * code
            }
            let scale = square > 0 ? Float(1 / Double(square).squareRoot()) : 0
            return .init(row: row, cosine: step * scale * Float(sum))
        }
        return all.sorted { ($1.cosine, $0.row) < ($0.cosine, $1.row) }
    }
}

@Suite struct `Coded vectors` {
    struct Size: Sendable {
        var count: Int
        var dimension: Int
        var clusters: Int
        var spread: Float
        var copies = 0
    }

    static let sizes = [
        Size(count: 1, dimension: 384, clusters: 1, spread: 1),
        Size(count: 300, dimension: 10, clusters: 4, spread: 0.5, copies: 90),
        // With axes, and more rows than a block.
        Size(count: 4_500, dimension: 384, clusters: 40, spread: 0.3, copies: 300),
        // No axis tells more than another: bounds rule little out.
        Size(count: 4_500, dimension: 200, clusters: 4_500, spread: 1),
        // One coordinate too many for a plane, and as many as it has.
        Size(count: 4_100, dimension: 129, clusters: 30, spread: 0.3, copies: 40),
        Size(count: 4_100, dimension: 128, clusters: 30, spread: 0.3, copies: 40),
        Size(count: 4_100, dimension: 65, clusters: 30, spread: 0.3, copies: 40),
        // More rows than the axes are fitted to.
        Size(count: 17_001, dimension: 130, clusters: 100, spread: 0.2, copies: 4_000),
        Size(count: 4_200, dimension: 700, clusters: 20, spread: 0.1, copies: 100),
    ]

    @Test(arguments: sizes)
    func `nearest are those of the definition to the last bit, in order`(size: Size) {
        var random = SeededGenerator(seed: UInt64(size.count + size.dimension))
        let made = RandomCodes(
            count: size.count, dimension: size.dimension, clusters: size.clusters, spread: size.spread,
            copies: size.copies, &random)
        let vectors = CodedVectors(dimension: size.dimension, codes: made.codes)
        #expect(vectors.count == size.count && vectors.dimension == size.dimension)
        // Of any direction and length, and such as a row is.
        var queries = (0..<3).map { number in random.direction(size.dimension).map { $0 * Float(1 + number * 50) } }
        for row in [0, size.count - 1] where made.vector(row).contains(where: { $0 != 0 }) {
            queries.append(made.vector(row))
            queries.append(zip(made.vector(row), queries[0]).map { $0 + 10 * $1 })
        }
        // Once for each query: this is what takes long, above all where threads are watched.
        let all = queries.map(made.nearest)
        for (query, expected) in zip(queries, all) {
            for limit in [1, 65] {
                #expect(vectors.nearest(to: query, count: limit) == Array(expected.prefix(limit)), "\(random)")
            }
        }
        for limit in [size.count - 1, size.count + 3, .max] {
            #expect(vectors.nearest(to: queries[1], count: limit) == Array(all[1].prefix(limit)), "\(random)")
        }
        #expect(vectors.nearest(to: queries, count: 64) == all.map { Array($0.prefix(64)) }, "\(random)")
    }

    @Test func `nothing is near what has no direction`() {
        var random = SeededGenerator(seed: 9)
        let made = RandomCodes(count: 4_200, dimension: 64, clusters: 10, spread: 0.3, copies: 0, &random)
        let vectors = CodedVectors(dimension: 64, codes: made.codes)
        let query = random.direction(64)
        let nothing: [[Float]] = [
            [], [1], Array(repeating: 0, count: 64), Array(repeating: .nan, count: 64),
            Array(repeating: .infinity, count: 64), Array(repeating: 1, count: 65),
        ]
        for none in nothing {
            #expect(vectors.nearest(to: none, count: 5).isEmpty)
            #expect(vectors.nearest(to: [none], count: 5) == [[]])
            #expect(vectors.nearest(to: [none, query], count: 5) == [[], vectors.nearest(to: query, count: 5)])
        }
        #expect(vectors.nearest(to: query, count: 0).isEmpty && vectors.nearest(to: [[Float]](), count: 5).isEmpty)
        #expect(CodedVectors(dimension: 64, codes: []).nearest(to: query, count: 5).isEmpty)
    }

    @Test func `vectors without direction are at right angles to everything`() {
        let vectors = CodedVectors(dimension: 3, codes: [0, 0, 0, 1, 0, 0, -1, 0, 0])
        let found = vectors.nearest(to: [2, 0, 0], count: 3)
        #expect(found.map(\.row) == [1, 0, 2] && found.map(\.cosine) == [1, 0, -1])
    }

    @Test func `searches at the same time do not disturb each other`() async {
        var random = SeededGenerator(seed: 10)
        let made = RandomCodes(count: 6_000, dimension: 192, clusters: 30, spread: 0.3, copies: 50, &random)
        let vectors = CodedVectors(dimension: 192, codes: made.codes)
        let queries = (0..<8).map { _ in random.direction(192) }
        let expected = queries.map { Array(made.nearest(to: $0).prefix(20)) }
        await withTaskGroup(of: [[CodedVectors.Neighbour]].self) { group in
            for _ in 0..<6 { group.addTask { queries.map { vectors.nearest(to: $0, count: 20) } } }
            group.addTask { vectors.nearest(to: queries, count: 20) }
            for await found in group { #expect(found == expected) }
        }
    }

    @Test func `codes may be as small as a byte allows`() {
        let vectors = CodedVectors(dimension: 2, codes: [-128, 0, 0, -128, 127, 0])
        let found = vectors.nearest(to: [-1, 0], count: 3)
        #expect(found.map(\.row) == [0, 1, 2] && found[0].cosine == 1 && found[1].cosine == 0)
        #expect(abs(found[2].cosine + 1) < 1e-6)
    }

    @Test func `a vector is rounded so that its greatest coordinate is 127`() {
        #expect(CodedVectors.codes(rounding: [0.5, -0.25, 0.001, 0]) == [127, -64, 0, 0])
        #expect(CodedVectors.codes(rounding: [-3, 1.5]) == [-127, 64])
        #expect(CodedVectors.codes(rounding: [0, 0]) == [0, 0])
        #expect(CodedVectors.codes(rounding: [1e-38, .leastNonzeroMagnitude]) == [127, 0])
    }
}
