import TestSupport
import Testing
import VectorMath

@Suite struct `Queries in a batch of codes` {
    struct Found: Equatable {
        let row: UInt32
        let partial: Float
    }

    /// What a pass finds for each query.
    static func lists(
        _ batch: CodeBatch, planes: [CodeBatch.PlaneRows], abilities: FrozenBuffer<Float>, rows: Range<Int>,
        weights: CodeBatch.Weights, thresholds: [Float], using instructions: InstructionSet
    ) -> [[Found]] {
        var survivors = CodeSurvivors(queryCount: batch.paddedCount, capacity: rows.upperBound)
        batch.survivors(
            planes: planes, abilities: abilities, rows: rows, weights: weights, thresholds: thresholds,
            into: &survivors, using: instructions)
        var lists: [[Found]] = []
        for query in 0..<batch.count { lists.append(list(of: query, in: survivors)) }
        return lists
    }

    static func list(of query: Int, in survivors: borrowing CodeSurvivors) -> [Found] {
        var list: [Found] = []
        survivors.read(query) { rows, partials in
            for i in rows.indices { list.append(Found(row: rows[i], partial: partials[i])) }
        }
        return list
    }

    @Test(arguments: [1, 2, 3], [1, 32, 45])
    func `find the rows whose bound reaches their threshold, on every instruction set`(
        depth: Int, queryCount: Int
    ) throws {
        var random = SeededGenerator(seed: UInt64(100 * depth + queryCount))
        let dimensions = [64, 128, 192]
        let total = dimensions.reduce(0, +)
        let rowCount = 51
        let first = 9
        let vectors = (0..<rowCount).map { _ in (0..<total).map { _ in Float(random.nextGaussian()) * 0.05 } }
        let queries = (0..<queryCount).map { _ in (0..<total).map { _ in Float(random.nextGaussian()) * 0.05 } }
        let abilityWidth = 16
        let rowAbilities = (0..<rowCount * abilityWidth).map { _ in Float(random.nextGaussian()) * 0.1 }
        let abilities = (0..<queryCount).map { _ in (0..<abilityWidth).map { _ in Float(random.nextGaussian()) * 0.1 } }
        var planes: [CodeBatch.PlaneRows] = []
        var records: [[Float]] = []
        var start = 0
        for dimension in dimensions {
            var (codes, record, _) = `Codes of rows`.codes(of: vectors.map { Array($0[start..<start + dimension]) })
            for r in 0..<rowCount { record[4 * r + 2] = Float.random(in: 0...0.5, using: &random) }
            var codeBuffer = AlignedBuffer<UInt8>(count: codes.count, repeating: 0)
            codeBuffer.write(codes.span, at: 0)
            var recordBuffer = AlignedBuffer<Float>(count: record.count, repeating: 0)
            recordBuffer.write(record.span, at: 0)
            records.append(record)
            planes.append(
                .init(codes: FrozenBuffer(codeBuffer), records: FrozenBuffer(recordBuffer), dimension: dimension))
            codes = []
            start += dimension
        }
        var abilityBuffer = AlignedBuffer<Float>(count: rowAbilities.count, repeating: 0)
        abilityBuffer.write(rowAbilities.span, at: 0)
        let frozenAbilities = FrozenBuffer(abilityBuffer)
        let batch = CodeBatch(
            coordinates: queries, dimensions: dimensions, abilities: abilities, abilityWidth: abilityWidth)
        #expect(batch.paddedCount % 32 == 0 && batch.paddedCount >= queryCount)
        let filler = [Float](repeating: 0, count: batch.paddedCount - queryCount)
        func norm(_ q: Int, _ p: Int) -> Float {
            let from = dimensions[..<p].reduce(0, +)
            let part = Array(queries[q][from..<from + dimensions[p]])
            return Float(RowScan.norm(part.span)).nextUp
        }
        let weights = CodeBatch.Weights(
            residuals: (0..<depth).map { p in (0..<queryCount).map { norm($0, p) } + filler },
            tails: queries.map { _ in Float.random(in: 0...0.3, using: &random) } + filler,
            margins: (0..<queryCount).map { q in
                // Rows have norms of about 1 in all planes together; three is far above.
                Float((0..<depth).reduce(0) { $0 + 3 * batch.residuals[$1][q] })
            } + filler)
        let thresholds =
            queries.indices.map { $0 == 0 ? 0.1 : Float.random(in: -0.1...0.8, using: &random) }
            + filler.map { _ in Float.infinity }
        var all: [[[Found]]] = []
        for set in InstructionSet.available + [.best] {
            all.append(
                Self.lists(
                    batch, planes: planes, abilities: frozenAbilities, rows: first..<rowCount, weights: weights,
                    thresholds: thresholds, using: set))
        }
        var passed = 0
        for q in 0..<queryCount {
            for lists in all {
                // Bounds may differ in their last bits, so a row on the edge may be in one list and not in another.
                let common = Set(lists[q].map(\.row)).symmetricDifference(all[0][q].map(\.row))
                #expect(common.count <= 1, "\(random)")
            }
            let found = Dictionary(uniqueKeysWithValues: all[0][q].map { (Int($0.row), $0.partial) })
            passed += found.count
            for r in first..<rowCount {
                let read = dimensions[..<depth].reduce(0, +)
                var truth = zip(queries[q][..<read], vectors[r][..<read]).reduce(0) { $0 + Double($1.0) * Double($1.1) }
                for k in 0..<abilityWidth {
                    truth += Double(abilities[q][k]) * Double(rowAbilities[r * abilityWidth + k])
                }
                let greatest = truth + Double(weights.tails[q] * records[depth - 1][4 * r + 2])
                if greatest >= Double(thresholds[q]) {
                    let partial = try #require(found[r - first], "row \(r) of query \(q) is missing, \(random)")
                    #expect(Double(partial) >= truth - 1e-6, "\(random)")
                }
                if let partial = found[r - first] {
                    #expect(Double(partial) < truth + 0.4, "not a bound but a guess: \(random)")
                }
            }
        }
        #expect(passed > 0 && passed < queryCount * (rowCount - first), "the thresholds tell rows apart")
    }
}
