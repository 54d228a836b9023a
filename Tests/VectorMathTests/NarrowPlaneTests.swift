import TestSupport
import Testing
import VectorMath

@Suite struct `Narrow planes` {
    /// Rows in 8 bits with their records, tails of 0 to 1 among them.
    private struct Rows {
        var codes: [UInt8] = []
        var records: [Float] = []
        var count: Int { records.count / CodeScan.recordCount }
        var plane: NarrowPlane {
            var bytes = AlignedBuffer<UInt8>(count: codes.count, repeating: 0)
            for i in codes.indices { bytes[i] = codes[i] }
            var floats = AlignedBuffer<Float>(count: records.count, repeating: 0)
            for i in records.indices { floats[i] = records[i] }
            return NarrowPlane(codes: FrozenBuffer(bytes), records: FrozenBuffer(floats), count: count)
        }

        mutating func add(_ row: [Float], tail: Float) {
            var own = [UInt8](repeating: 0, count: row.count)
            var out = own.mutableSpan
            let (record, _) = CodeScan.quantise(row.span, into: &out)
            codes += own
            records += [record.scale, record.residual, tail, record.coarseResidual]
        }
    }

    private static let dimension = NarrowPlane.dimension

    private static func bounds(
        _ plane: NarrowPlane, _ range: Range<Int>, _ query: NarrowQuery, _ instructions: InstructionSet = .best
    ) -> [Float] {
        var upper = [Float](repeating: .nan, count: range.count)
        var out = upper.mutableSpan
        plane.bounds(of: range, query, into: &out, using: instructions)
        return upper
    }

    private static func product(_ a: [Float], _ b: [Float]) -> Double {
        zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }

    /// A query whose weights and margin are those that make its bounds hold.
    private static func query(_ values: [Float], tail: Float) -> NarrowQuery {
        var query = NarrowQuery(values.span)
        query.residualWeight = Float(product(values, values).squareRoot()) * 1.000_001
        query.tailWeight = tail
        query.margin = Float(query.residual) * 1.2 + 1e-5
        return query
    }

    @Test(arguments: InstructionSet.available + [.best])
    func `bound every inner product, and not uselessly`(instructions: InstructionSet) {
        var random = SeededGenerator(seed: 77)
        for count in [0, 1, 7, 8, 9, 64, 203] {
            var rows = Rows()
            var vectors: [[Float]] = []
            var tails: [Float] = []
            for _ in 0..<count {
                let tail = Float.random(in: 0...0.7, using: &random)
                let length = (1 - tail * tail).squareRoot()
                vectors.append(random.direction(Self.dimension).map { $0 * length })
                tails.append(tail)
                rows.add(vectors[vectors.count - 1], tail: tail)
            }
            let plane = rows.plane
            #expect(plane.count == count)
            for _ in 0..<5 {
                let values = random.direction(Self.dimension).map { $0 * 0.8 }
                let query = Self.query(values, tail: 0.6)
                let found = Self.bounds(plane, 0..<count, query, instructions)
                for row in 0..<count {
                    let most = Self.product(values, vectors[row]) + 0.6 * Double(tails[row])
                    #expect(Double(found[row]) >= most && Double(found[row]) < most + 0.05, "\(random)")
                }
                // Any part of the rows gets the bounds that it has among all.
                let part = count / 3..<count - count / 4
                let own = Self.bounds(plane, part, query, instructions)
                for (row, bound) in zip(part, own) { #expect(abs(bound - found[row]) < 1e-6, "\(random)") }
            }
        }
    }

    @Test func `products are exact up to the greatest there are, on every instruction set`() {
        // Scales of 1 and nothing else: a bound is a whole number.
        var rows = Rows()
        let greatest = [Float](repeating: 127, count: Self.dimension)
        let turns = (0..<Self.dimension).map { Float($0 % 2 == 0 ? 127 : -127) }
        let few = (0..<Self.dimension).map { Float($0 == 3 ? 127 : $0 % 5) }
        let all = [greatest, greatest.map { -$0 }, turns, turns.map { -$0 }, few]
        for number in 0..<19 { rows.add(all[number % all.count], tail: 0) }
        let plane = rows.plane
        for values in all {
            let query = NarrowQuery(values.span)
            let expected = (0..<19).map { Float(Self.product(values, all[$0 % all.count])) }
            for set in InstructionSet.available + [.best] {
                #expect(Self.bounds(plane, 0..<19, query, set) == expected, "\(set)")
            }
        }
    }

    @Test func `a query of zeros and of next to nothing has bounds`() {
        var rows = Rows()
        var random = SeededGenerator(seed: 5)
        for _ in 0..<12 { rows.add(random.direction(Self.dimension), tail: 0.5) }
        for value in [0, Float.leastNonzeroMagnitude] {
            let values = [Float](repeating: value, count: Self.dimension)
            let found = Self.bounds(rows.plane, 0..<12, Self.query(values, tail: 1))
            #expect(found.allSatisfy { $0 >= 0.5 && $0 < 0.51 })
        }
    }

    @Test func `rows are picked by their bounds, with the sum that more planes add to`() {
        var rows = Rows()
        var random = SeededGenerator(seed: 6)
        for _ in 0..<100 { rows.add(random.direction(Self.dimension), tail: Float.random(in: 0...1, using: &random)) }
        let plane = rows.plane
        let query = Self.query(random.direction(Self.dimension), tail: 0.5)
        var bare = query
        bare.tailWeight = 0
        bare.margin = 0
        let (upper, partial) = (Self.bounds(plane, 20..<90, query), Self.bounds(plane, 20..<90, bare))
        let middle = upper.sorted()[35]
        for range in [middle...Float.infinity, -.infinity...middle.nextDown, middle...middle, 5...6] {
            var left = BoundedRows(capacity: 70)
            left.fill(range, of: upper.span, plane, from: 20, query)
            let expected = (0..<70).filter { range.contains(upper[$0]) }
            #expect((0..<left.count).map { Int(left.row($0)) } == expected, "\(random)")
            for (i, row) in expected.enumerated() {
                #expect(left.upper(i) == upper[row] && abs(left.partial(i) - partial[row]) < 1e-6, "\(random)")
            }
        }
    }
}
