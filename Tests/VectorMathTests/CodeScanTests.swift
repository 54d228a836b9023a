import TestSupport
import Testing
import VectorMath

@Suite struct `Codes of rows` {
    static func codes(of rows: [[Float]]) -> (codes: [UInt8], records: [Float], squares: [Double]) {
        var codes: [UInt8] = []
        var records: [Float] = []
        var squares: [Double] = []
        for row in rows {
            var own = [UInt8](repeating: 0, count: row.count)
            var out = own.mutableSpan
            let (record, squaredNorm) = CodeScan.quantise(row.span, into: &out)
            codes += own
            records += [record.scale, record.residual, 0, record.coarseResidual]
            squares.append(squaredNorm)
        }
        return (codes, records, squares)
    }

    static func decoded(_ codes: [UInt8], scale: Float) -> [Double] {
        codes.map { Double(scale) * (Double($0) - 128) }
    }

    static func products(
        _ query: CodedPlaneQuery, codes: [UInt8], count: Int, using instructions: InstructionSet
    ) -> [Int32] {
        var products = [Int32](repeating: -1, count: count)
        var out = products.mutableSpan
        CodeScan.products(query, codes: codes.span, into: &out, using: instructions)
        return products
    }

    /// The partial sums and bounds that `kernel` writes, the former beginning as `base`.
    static func written(
        from base: [Float], _ kernel: (inout MutableSpan<Float>, inout MutableSpan<Float>) -> Void
    ) -> (partial: [Float], upper: [Float]) {
        var partial = base
        var upper = [Float](repeating: .nan, count: base.count)
        var partialOut = partial.mutableSpan
        var upperOut = upper.mutableSpan
        kernel(&partialOut, &upperOut)
        return (partial, upper)
    }

    /// - Parameter which: nil for all rows.
    static func bounds(
        _ query: CodedPlaneQuery, of which: [UInt32]?, codes: [UInt8], records: [Float], base: [Float],
        using instructions: InstructionSet
    ) -> (partial: [Float], upper: [Float]) {
        written(from: base) { partial, upper in
            if let which {
                CodeScan.bounds(
                    query, of: which.span, codes: codes.span, records: records.span, hasBase: true, partial: &partial,
                    upper: &upper, using: instructions)
            } else {
                CodeScan.bounds(
                    query, codes: codes.span, records: records.span, hasBase: true, partial: &partial, upper: &upper,
                    using: instructions)
            }
        }
    }

    @Test(arguments: [64, 192, 384, 768])
    func `leave out no more than their residual says`(dimension: Int) {
        var random = SeededGenerator(seed: UInt64(dimension))
        var rows = (0..<40).map { _ in (0..<dimension).map { _ in Float(random.nextGaussian()) } }
        rows.append(Array(repeating: 0, count: dimension))
        rows.append(Array(repeating: .leastNonzeroMagnitude, count: dimension))
        rows.append([1e30] + Array(repeating: 1e-30, count: dimension - 1))
        rows.append(Array(repeating: -3, count: dimension))
        let (codes, records, squares) = Self.codes(of: rows)
        for (r, row) in rows.enumerated() {
            let scale = records[4 * r]
            let near = Self.decoded(Array(codes[r * dimension..<(r + 1) * dimension]), scale: scale)
            let missing = zip(row, near).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }.squareRoot()
            #expect(Double(records[4 * r + 1]) >= missing, "row \(r) \(random)")
            // Not uselessly wide either.
            #expect(Double(records[4 * r + 1]) <= missing * 1.000_001 + 1e-40, "row \(r) \(random)")
            #expect(squares[r] >= row.reduce(0) { $0 + Double($1) * Double($1) })
            let steps = zip(row, near).map { abs(Double($0) - $1) }
            #expect(steps.allSatisfy { $0 <= Double(scale) * 0.500_01 + 1e-30 }, "row \(r) \(random)")
        }
    }

    @Test(arguments: [64, 192, 256, 1_024])
    func `give the same whole-number products on every instruction set`(dimension: Int) {
        var random = SeededGenerator(seed: UInt64(dimension) + 1)
        var queries: [[Float]] = (0..<4).map { _ in (0..<dimension).map { _ in Float(random.nextGaussian()) } }
        // The greatest sums there can be, of both signs.
        queries.append(Array(repeating: 1, count: dimension))
        queries.append(Array(repeating: -1, count: dimension))
        queries.append(Array(repeating: 0, count: dimension))
        let count = 13
        var codes = (0..<count * dimension).map { _ in UInt8.random(in: 1...255, using: &random) }
        for i in 0..<dimension {
            codes[i] = 255
            codes[dimension + i] = 1
        }
        for values in queries {
            let query = CodedPlaneQuery(values.span)
            let integers = values.map { value in
                query.scale > 0 ? Int((Double(value) / Double(query.scale)).rounded()) : 0
            }
            var found: [[Int32]] = []
            for set in InstructionSet.available + [.best] {
                found.append(Self.products(query, codes: codes, count: count, using: set))
            }
            #expect(found.allSatisfy { $0 == found[0] }, "\(random)")
            for r in 0..<count {
                let sum = (0..<dimension).reduce(0) { $0 + integers[$1] * (Int(codes[r * dimension + $1]) - 128) }
                // A coordinate half-way between two integers may be either.
                #expect(abs(sum - Int(found[0][r])) <= 255 * dimension, "\(random)")
                if values.allSatisfy({ abs($0) == 1 }) { #expect(sum == Int(found[0][r])) }
            }
        }
    }

    @Test(arguments: InstructionSet.available + [.best])
    func `bound every inner product, picked rows as well as consecutive ones`(instructions: InstructionSet) {
        var random = SeededGenerator(seed: 5)
        let dimension = 192
        let count = 203
        let rows = (0..<count).map { _ in (0..<dimension).map { _ in Float(random.nextGaussian()) * 0.05 } }
        var (codes, records, _) = Self.codes(of: rows)
        let tails = (0..<count).map { _ in Float.random(in: 0...1, using: &random) }
        for r in 0..<count { records[4 * r + 2] = tails[r] }
        let values = (0..<dimension).map { _ in Float(random.nextGaussian()) * 0.05 }
        var query = CodedPlaneQuery(values.span)
        query.residualWeight = Float(RowScan.norm(values.span)).nextUp
        query.tailWeight = 0.25
        query.margin = 1e-4
        let base = (0..<count).map { _ in Float.random(in: -1...1, using: &random) }
        let (partial, upper) = Self.bounds(
            query, of: nil, codes: codes, records: records, base: base, using: instructions)
        for r in 0..<count {
            let product = zip(values, rows[r]).reduce(0) { $0 + Double($1.0) * Double($1.1) }
            let greatest = Double(base[r]) + product + 0.25 * Double(tails[r])
            #expect(Double(upper[r]) >= greatest, "row \(r) \(random)")
            #expect(Double(upper[r]) <= greatest + 2 * Double(records[4 * r + 1] * query.residualWeight) + 2e-4)
            #expect(abs(upper[r] - partial[r] - 0.25 * tails[r] - 1e-4) < 1e-6)
        }
        let which = (0..<count).filter { _ in Bool.random(using: &random) }.shuffled(using: &random).map(UInt32.init)
        let (picked, pickedUpper) = Self.bounds(
            query, of: which, codes: codes, records: records, base: which.map { base[Int($0)] }, using: instructions)
        for (i, r) in which.enumerated() {
            #expect(abs(picked[i] - partial[Int(r)]) < 1e-6 && abs(pickedUpper[i] - upper[Int(r)]) < 1e-6, "\(random)")
        }
    }
}

@Suite struct `Eigenvectors` {
    @Test(arguments: [1, 2, 17, 96])
    func `satisfy the matrix they come from, in ascending order`(size: Int) throws {
        var random = SeededGenerator(seed: UInt64(size))
        var matrix = [Double](repeating: 0, count: size * size)
        for i in 0..<size {
            for j in i..<size {
                matrix[i * size + j] = random.nextGaussian()
                matrix[j * size + i] = matrix[i * size + j]
            }
        }
        let (values, vectors) = try #require(SymmetricEigen.decompose(matrix, size: size))
        #expect(values == values.sorted())
        for k in 0..<size {
            let vector = vectors[k * size..<(k + 1) * size]
            #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-10)
            for i in 0..<size {
                let product = zip(matrix[i * size..<(i + 1) * size], vector).reduce(0) { $0 + $1.0 * $1.1 }
                #expect(abs(product - values[k] * vector[vector.startIndex + i]) < 1e-9 * Double(size), "\(random)")
            }
        }
    }

    @Test func `of what is no number are refused`() {
        #expect(SymmetricEigen.decompose([.nan], size: 1) == nil)
        #expect(SymmetricEigen.decompose([1, .infinity, .infinity, 1], size: 2) == nil)
    }
}
