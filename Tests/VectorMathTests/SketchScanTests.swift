import TestSupport
import Testing
import VectorMath

@Suite struct `Sketches of rows` {
    private struct Rows {
        let values: [[Float]]
        let codes: [UInt8]
        let records: [Float]
        let dimension: Int

        init(_ values: [[Float]], tails: [Float]) {
            var (codes, records, _) = `Codes of rows`.codes(of: values)
            for r in values.indices { records[4 * r + 2] = tails[r] }
            self.values = values
            self.codes = codes
            self.records = records
            dimension = values[0].count
        }

        func sketches(using instructions: InstructionSet) -> [UInt8] {
            let made = SketchScan.sketches(
                of: frozen(codes, empty: 0), records: frozen(records, empty: 0), dimension: dimension,
                using: instructions)
            return (0..<made.count).map { made[$0] }
        }

        private func frozen<Element: BitwiseCopyable>(_ values: [Element], empty: Element) -> FrozenBuffer<Element> {
            var buffer = AlignedBuffer<Element>(count: values.count, repeating: empty)
            buffer.write(values.span, at: 0)
            return FrozenBuffer(buffer)
        }

        /// Coordinates as the upper five bits of the codes have them.
        func coarse(_ row: Int) -> [Double] {
            codes[row * dimension..<(row + 1) * dimension].map {
                Double(records[4 * row]) * (Double($0 / 8) * 8 - 124.5)
            }
        }
    }

    private static func rows(_ count: Int, dimension: Int, _ random: inout SeededGenerator) -> Rows {
        var values = (0..<count).map { _ in (0..<dimension).map { _ in Float(random.nextGaussian()) * 0.05 } }
        values[0] = Array(repeating: 0, count: dimension)
        // One coordinate takes the steps of all others with it.
        values[1] = (0..<dimension).map { $0 == 7 ? 1 : 1e-4 * Float(random.nextGaussian()) }
        values[2] = Array(repeating: -0.02, count: dimension)
        return Rows(values, tails: (0..<count).map { _ in Float.random(in: 0...1, using: &random) })
    }

    private static func query(_ values: [Float]) -> CodedPlaneQuery {
        var query = CodedPlaneQuery(values.span)
        query.residualWeight = Float(RowScan.norm(values.span)).nextUp
        query.coarseWeight = query.residualWeight
        query.tailWeight = 0.25
        query.margin = 1e-4
        return query
    }

    private static func bounds(
        _ query: CodedPlaneQuery, of which: [UInt32]?, _ sketches: [UInt8], base: [Float],
        using instructions: InstructionSet
    ) -> (partial: [Float], upper: [Float]) {
        `Codes of rows`.written(from: base) { partial, upper in
            if let which {
                SketchScan.bounds(
                    query, of: which.span, sketches: sketches.span, hasBase: true, partial: &partial, upper: &upper,
                    using: instructions)
            } else {
                SketchScan.bounds(
                    query, of: nil, sketches: sketches.span, hasBase: true, partial: &partial, upper: &upper,
                    using: instructions)
            }
        }
    }

    @Test(arguments: [128, 256, 384, 1_024])
    func `leave out no more than their record says`(dimension: Int) {
        var random = SeededGenerator(seed: UInt64(dimension))
        let rows = Self.rows(40, dimension: dimension, &random)
        for (r, row) in rows.values.enumerated() {
            let missing = zip(row, rows.coarse(r)).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
                .squareRoot()
            #expect(Double(rows.records[4 * r + 3]) >= missing, "row \(r) \(random)")
            #expect(Double(rows.records[4 * r + 3]) <= missing * 1.000_001 + 1e-40, "row \(r) \(random)")
        }
    }

    @Test(arguments: [128, 384, 1_024])
    func `are the same bytes on every instruction set`(dimension: Int) {
        var random = SeededGenerator(seed: UInt64(dimension) + 1)
        let rows = Self.rows(37, dimension: dimension, &random)
        let made = (InstructionSet.available + [.best]).map { rows.sketches(using: $0) }
        #expect(made[0].count == 37 * SketchScan.rowBytes(dimension))
        #expect(made.allSatisfy { $0 == made[0] })
    }

    @Test(arguments: InstructionSet.available + [.best], [128, 256, 384])
    func `bound every inner product, and their lower bits make the bounds those of whole codes`(
        instructions: InstructionSet, dimension: Int
    ) {
        var random = SeededGenerator(seed: UInt64(dimension) + 2)
        let count = 203
        let rows = Self.rows(count, dimension: dimension, &random)
        let sketches = rows.sketches(using: instructions)
        let values = (0..<dimension).map { _ in Float(random.nextGaussian()) * 0.05 }
        let query = Self.query(values)
        let base = (0..<count).map { _ in Float.random(in: -1...1, using: &random) }
        let (partial, upper) = Self.bounds(query, of: nil, sketches, base: base, using: instructions)
        for r in 0..<count {
            let tail = 0.25 * Double(rows.records[4 * r + 2])
            let product = zip(values, rows.values[r]).reduce(0) { $0 + Double($1.0) * Double($1.1) }
            #expect(Double(upper[r]) >= Double(base[r]) + product + tail, "row \(r) \(random)")
            let near = zip(values, rows.coarse(r)).reduce(0) { $0 + Double($1.0) * $1.1 }
            let missing = Double(query.coarseWeight * rows.records[4 * r + 3])
            #expect(abs(Double(partial[r]) - Double(base[r]) - near - missing) < 5e-5, "row \(r) \(random)")
            #expect(abs(Double(upper[r] - partial[r]) - tail - 1e-4) < 1e-6)
        }
        // Few rows, and so many that what lies between them is read as well.
        for share in [0.05, 0.7] {
            let which = (0..<count).filter { _ in Double.random(in: 0...1, using: &random) < share }.map(UInt32.init)
            let picked = which.map { base[Int($0)] }
            let (sums, bounds) = Self.bounds(query, of: which, sketches, base: picked, using: instructions)
            for (i, r) in which.enumerated() {
                #expect(abs(sums[i] - partial[Int(r)]) < 1e-6 && abs(bounds[i] - upper[Int(r)]) < 1e-6, "\(random)")
            }
            let (refined, refinedUpper) = `Codes of rows`.written(from: sums) { partial, upper in
                CodeScan.refine(
                    query, of: which.span, codes: rows.codes.span, records: rows.records.span, partial: &partial,
                    upper: &upper, using: instructions)
            }
            let (whole, wholeUpper) = `Codes of rows`.bounds(
                query, of: which, codes: rows.codes, records: rows.records, base: picked, using: instructions)
            for i in which.indices {
                #expect(abs(refined[i] - whole[i]) < 1e-5, "\(random)")
                #expect(abs(refinedUpper[i] - wholeUpper[i]) < 1e-5, "\(random)")
            }
        }
    }
}

@Suite struct `Rows with bounds` {
    private struct Row: Equatable {
        let row: UInt32
        let upper: Float
        let partial: Float
    }

    private static func made(_ rows: [Row]) -> BoundedRows {
        var made = BoundedRows(capacity: rows.count)
        for row in rows { made.append(row: row.row, upper: row.upper, partial: row.partial) }
        return made
    }

    private static func contents(_ rows: borrowing BoundedRows) -> [Row] {
        (0..<rows.count).map { Row(row: rows.row($0), upper: rows.upper($0), partial: rows.partial($0)) }
    }

    private static func random(_ count: Int, _ random: inout SeededGenerator) -> [Row] {
        (0..<count).map { row in
            let bound: Float = [-.infinity, .infinity, -1, 0, 1, Float.random(in: -2...2, using: &random)]
                .randomElement(using: &random)!
            return Row(row: UInt32(2 * row), upper: bound, partial: Float(row))
        }
    }

    @Test(arguments: InstructionSet.available + [.best], [0, 1, 15, 16, 17, 200])
    func `are kept by range and by the floors of clusters as one by one`(instructions: InstructionSet, count: Int) {
        var random = SeededGenerator(seed: UInt64(count))
        let rows = Self.random(count, &random)
        let clusters = (0..<2 * count + 9).map { _ in UInt32.random(in: 0..<5, using: &random) }
        let floors: [Float] = [-.infinity, .infinity, 0, 1, -1]
        for range in [-.infinity...(.infinity), -1...1, 0...0, 0.5...(.infinity)] as [ClosedRange<Float>] {
            var kept = Self.made(rows)
            kept.keep(range, using: instructions)
            #expect(Self.contents(kept) == rows.filter { range.contains($0.upper) }, "\(range) \(random)")
            var taken = BoundedRows(capacity: count)
            taken.take(range, of: Self.made(rows), using: instructions)
            #expect(Self.contents(taken) == rows.filter { range.contains($0.upper) }, "\(range) \(random)")
        }
        var above = Self.made(rows)
        above.keep(above: floors, clusters: clusters, from: 9, using: instructions)
        let expected = rows.filter { $0.upper >= floors[Int(clusters[9 + Int($0.row)])] }
        #expect(Self.contents(above) == expected, "\(random)")
        var even = Self.made(rows)
        even.keep { row, _ in row % 4 == 0 }
        #expect(Self.contents(even) == rows.filter { $0.row % 4 == 0 })
    }
}
