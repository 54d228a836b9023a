import TestSupport
import Testing
import VectorMath

@Suite struct `Canonical inner product` {
    /// The definition in pl_scan.h, written as plainly as it reads.
    static func reference(_ q: [Float], _ x: [Float]) -> Float {
        var lane = [Float](repeating: 0, count: 64)
        for i in q.indices { lane[i % 64] = lane[i % 64].addingProduct(q[i], x[i]) }
        var half = 32
        while half > 0 {
            for l in 0..<half { lane[l] += lane[l + half] }
            half /= 2
        }
        return lane[0]
    }

    @Test(arguments: [16, 32, 48, 64, 80, 112, 384, 768, 784])
    func `is the same to the last bit on every instruction set`(dimension: Int) {
        var random = SeededGenerator(seed: UInt64(dimension))
        let count = 37
        let query = (0..<dimension).map { _ in Float(random.nextGaussian()) }
        // Magnitudes far apart make any other order of summation round differently.
        let rows = (0..<count * dimension).map { _ in
            Float(random.nextGaussian()) * Float.random(in: 0...1, using: &random) * 1e3
        }
        let expected = (0..<count).map { r in Self.reference(query, Array(rows[r * dimension..<(r + 1) * dimension])) }
        #expect(InstructionSet.available.contains(.portable))
        for set in InstructionSet.available + [.best] {
            var scores = AlignedBuffer<Float>(count: count, repeating: .nan)
            var out = scores.mutableSpan
            RowScan.canonicalScores(query: query.span, rows: rows.span, into: &out, using: set)
            let found = (0..<count).map { scores[$0].bitPattern }
            #expect(found == expected.map(\.bitPattern), "\(set) \(random)")
        }
    }

    @Test func `of one row equals that of many`() {
        var random = SeededGenerator(seed: 7)
        let query = (0..<784).map { _ in Float(random.nextGaussian()) }
        let row = (0..<784).map { _ in Float(random.nextGaussian()) }
        #expect(RowScan.canonicalScore(query: query.span, row: row.span) == Self.reference(query, row))
    }

    @Test func `an ordering that differs is noticed by the comparison`() {
        // Guards the tests above against inputs on which every order rounds alike.
        var random = SeededGenerator(seed: 3)
        var differing = 0
        for _ in 0..<50 {
            let q = (0..<784).map { _ in Float(random.nextGaussian()) }
            let x = (0..<784).map { _ in Float(random.nextGaussian()) }
            var plain: Float = 0
            for i in q.indices { plain += q[i] * x[i] }
            if plain != Self.reference(q, x) { differing += 1 }
        }
        #expect(differing > 25)
    }
}

@Suite struct `First pass by sgemm` {
    @Test(arguments: [(1, 1), (3, 200), (64, 129)])
    func `stays within its error bound`(queryCount: Int, rowCount: Int) {
        var random = SeededGenerator(seed: UInt64(queryCount * 1_000 + rowCount))
        let dimension = 784
        let queries = (0..<queryCount * dimension).map { _ in Float(random.nextGaussian()) }
        let rows = (0..<rowCount * dimension).map { _ in Float(random.nextGaussian()) * 10 }
        var products = AlignedBuffer<Float>(count: queryCount * rowCount, repeating: .nan)
        var out = products.mutableSpan
        RowScan.firstPassProducts(
            queries: queries.span, queryCount: queryCount, rows: rows.span, rowCount: rowCount, dimension: dimension,
            into: &out)
        for q in 0..<queryCount {
            let query = Array(queries[q * dimension..<(q + 1) * dimension])
            for r in 0..<rowCount {
                let row = Array(rows[r * dimension..<(r + 1) * dimension])
                let bound = RowScan.firstPassError(
                    dimension: dimension, queryNorm: RowScan.norm(query.span), rowNorm: RowScan.norm(row.span))
                let canonical = RowScan.canonicalScore(query: query.span, row: row.span)
                #expect(abs(products[q * rowCount + r] - canonical) <= bound, "query \(q), row \(r), \(random)")
            }
        }
    }
}

@Suite struct `Selection by threshold` {
    @Test(arguments: [0, 1, 7, 15, 16, 17, 31, 32, 1_000, 1_024])
    func `finds the same rows on every instruction set`(count: Int) {
        var random = SeededGenerator(seed: UInt64(count))
        var scores = (0..<count).map { _ in Float(Int.random(in: 0..<10, using: &random)) }
        if count > 3 { scores[2] = .nan }
        for threshold in [-Float.infinity, 0, 5, 9, 9.5, .infinity] {
            let expected = scores.indices.filter { scores[$0] >= threshold }.map(UInt32.init)
            for set in InstructionSet.available {
                var selected = AlignedBuffer<UInt32>(count: count, repeating: .max)
                var out = selected.mutableSpan
                let found = RowScan.select(scores: scores.span, atLeast: threshold, into: &out, using: set)
                #expect((0..<found).map { selected[$0] } == expected, "\(set), \(threshold), \(random)")
            }
        }
    }
}
