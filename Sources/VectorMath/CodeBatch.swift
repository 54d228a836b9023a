internal import CKernels

/// Several queries as they meet the codes of rows together (see `pl_codes_batch.h`): each coordinate is an integer of
/// 8 bits.
package struct CodeBatch: Sendable {
    fileprivate struct Plane: Sendable {
        let dimension: Int
        let packed: [Int8]
        let values: [Int16]
        let offsets: [Int32]
        let scales: [Float]
    }

    /// Queries that a pass takes together; fewer cost as much.
    package static var groupSize: Int { Int(PL_CODES_BATCH_GROUP) }

    /// Without an instruction for products of bytes, so many queries are quicker by products of the rows themselves:
    /// 100,000 texts, two cores with AVX2: 8 queries 22 ms by codes and 39 by `sgemm`, 16 queries 42 and 34, 256 queries 620
    /// and 275.
    private static let leastProducts = 16

    /// Whether bounds from codes are quicker than products of the float32 rows.
    package static func isWorthwhile(queries: Int) -> Bool {
        queries < leastProducts || pl_codes_batch_is_fast() != 0
    }

    /// Queries, and what fills up the last group.
    package let paddedCount: Int
    package let count: Int
    private let planes: [Plane]
    /// (abilityWidth, paddedCount); empty where no query weighs abilities.
    private let abilities: [Float]
    private let abilityWidth: Int
    /// For each plane and query at least the norm of what the integers leave out.
    package let residuals: [[Double]]

    /// - Parameters:
    ///   - coordinates: for each query, plane after plane.
    ///   - dimensions: of the planes.
    ///   - abilities: for each query (abilityWidth), or nothing at all.
    package init(coordinates: [[Float]], dimensions: [Int], abilities: [[Float]], abilityWidth: Int) {
        precondition(dimensions.allSatisfy(CodeScan.isDimension))
        precondition(coordinates.allSatisfy { $0.count == dimensions.reduce(0, +) })
        let group = Int(PL_CODES_BATCH_GROUP)
        count = coordinates.count
        let padded = (count + group - 1) / group * group
        paddedCount = padded
        var start = 0
        var residuals: [[Double]] = []
        planes = dimensions.map { dimension in
            var packed = [Int8](repeating: 0, count: padded * dimension)
            var values = [Int16](repeating: 0, count: padded * dimension)
            var offsets = [Int32](repeating: 0, count: padded)
            var scales = [Float](repeating: 0, count: padded)
            var missing = [Double](repeating: 0, count: coordinates.count)
            for (q, all) in coordinates.enumerated() {
                let part = all[start..<start + dimension]
                let greatest = part.reduce(0) { max($0, abs($1)) }
                let step = greatest / 127
                let inverse: Float = step > 0x1p-100 ? 1 / step : 0
                if inverse > 0 { scales[q] = step }
                let place = (q / group * dimension / 4 * group + q % group) * 4
                var squares = 0.0
                for (i, x) in part.enumerated() {
                    let value = max(-127, min(127, (x * inverse).rounded()))
                    values[q * dimension + i] = Int16(value)
                    packed[place + i / 4 * group * 4 + i % 4] = Int8(value)
                    offsets[q] += 128 * Int32(value)
                    let rest = Double(x) - Double(scales[q]) * Double(value)
                    squares += rest * rest
                }
                missing[q] = (squares.squareRoot() * (1 + 1e-12)).nextUp
            }
            residuals.append(missing)
            start += dimension
            return Plane(dimension: dimension, packed: packed, values: values, offsets: offsets, scales: scales)
        }
        self.residuals = residuals
        let weighs = abilities.contains { $0.contains { $0 != 0 } }
        self.abilityWidth = weighs ? abilityWidth : 0
        var transposed = [Float](repeating: 0, count: self.abilityWidth * padded)
        if weighs {
            for (q, values) in abilities.enumerated() {
                for k in 0..<abilityWidth { transposed[k * padded + q] = values[k] }
            }
        }
        self.abilities = transposed
    }

    /// A run of rows in one plane.
    package struct PlaneRows {
        let codes: FrozenBuffer<UInt8>
        let records: FrozenBuffer<Float>
        let dimension: Int

        package init(codes: FrozenBuffer<UInt8>, records: FrozenBuffer<Float>, dimension: Int) {
            self.codes = codes
            self.records = records
            self.dimension = dimension
        }
    }

    /// What a pass over some rows adds to the sums, and asks of them: each (paddedCount).
    package struct Weights: Sendable {
        /// For each plane that is read.
        package var residuals: [[Float]]
        package var tails: [Float]
        /// Part of the partial sums.
        package var margins: [Float]

        package init(residuals: [[Float]], tails: [Float], margins: [Float]) {
            self.residuals = residuals
            self.tails = tails
            self.margins = margins
        }
    }

    /// Finds the rows whose bound reaches a query's threshold.
    ///
    /// - Parameters:
    ///   - planes: those that are read; `weights.residuals` says how many.
    ///   - abilities: (all rows, abilityWidth).
    ///   - rows: at most the capacity of `found`.
    ///   - thresholds: (paddedCount), infinite from `count` on.
    package func survivors(
        planes rowPlanes: [PlaneRows], abilities rowAbilities: FrozenBuffer<Float>, rows: Range<Int>, weights: Weights,
        thresholds: [Float], into found: inout CodeSurvivors, using instructions: InstructionSet = .best
    ) {
        let depth = weights.residuals.count
        precondition(depth > 0 && depth <= planes.count && rowPlanes.count >= depth && instructions.isAvailable)
        precondition(rows.count <= found.capacity && found.queryCount == paddedCount)
        precondition(thresholds.count == paddedCount && weights.tails.count == paddedCount)
        precondition(weights.margins.count == paddedCount)
        precondition(weights.residuals.allSatisfy { $0.count == paddedCount })
        guard !rows.isEmpty, count > 0 else {
            found.clear()
            return
        }
        let width = abilityWidth
        // SAFETY: every pointer is used by the kernel only inside the closures that lend it, and every array has the
        // length that the kernel's header asks for.
        unsafe withPlanes(rowPlanes, rows, weights, []) { kernelPlanes in
            rowAbilities.read(width == 0 ? 0..<0 : rows.lowerBound * width..<rows.upperBound * width) { own in
                unsafe own.withUnsafeBufferPointer { own in
                    unsafe abilities.withUnsafeBufferPointer { abilities in
                        unsafe weights.tails.withUnsafeBufferPointer { tails in
                            unsafe weights.margins.withUnsafeBufferPointer { margins in
                                var batch = unsafe pl_codes_batch(
                                    count: paddedCount, plane_count: depth, planes: kernelPlanes.baseAddress,
                                    tail_weights: tails.baseAddress, margins: margins.baseAddress,
                                    ability_width: width, abilities: abilities.baseAddress,
                                    row_abilities: own.baseAddress)
                                unsafe found.fill(
                                    &batch, rowCount: rows.count, thresholds: thresholds, instructions.code)
                            }
                        }
                    }
                }
            }
        }
    }

    /// Lends the planes from that after `known` on to `body`, one closure around the next.
    @unsafe private func withPlanes(
        _ rowPlanes: [PlaneRows], _ rows: Range<Int>, _ weights: Weights, _ known: [pl_codes_batch_plane],
        _ body: (UnsafeBufferPointer<pl_codes_batch_plane>) -> Void
    ) {
        let p = unsafe known.count
        guard p < weights.residuals.count else {
            unsafe known.withUnsafeBufferPointer { unsafe body($0) }
            return
        }
        let plane = planes[p]
        precondition(rowPlanes[p].dimension == plane.dimension)
        let codeRange = rows.lowerBound * plane.dimension..<rows.upperBound * plane.dimension
        let recordRange = rows.lowerBound * CodeScan.recordCount..<rows.upperBound * CodeScan.recordCount
        unsafe plane.withPointers(weights.residuals[p]) { pointers in
            rowPlanes[p].codes.read(codeRange) { codes in
                rowPlanes[p].records.read(recordRange) { records in
                    unsafe codes.withUnsafeBufferPointer { codes in
                        unsafe records.withUnsafeBufferPointer { records in
                            // A record is four floats, and nothing else.
                            unsafe records.withMemoryRebound(to: pl_codes_row.self) { records in
                                var next = unsafe pointers
                                unsafe next.codes = codes.baseAddress
                                unsafe next.records = records.baseAddress
                                unsafe withPlanes(rowPlanes, rows, weights, known + [next], body)
                            }
                        }
                    }
                }
            }
        }
    }
}

extension CodeBatch.Plane {
    /// Lends the queries' half of a plane.
    @unsafe fileprivate func withPointers(
        _ residualWeights: [Float], _ body: (pl_codes_batch_plane) -> Void
    ) {
        unsafe packed.withUnsafeBufferPointer { packed in
            unsafe values.withUnsafeBufferPointer { values in
                unsafe offsets.withUnsafeBufferPointer { offsets in
                    unsafe scales.withUnsafeBufferPointer { scales in
                        unsafe residualWeights.withUnsafeBufferPointer { residuals in
                            unsafe body(
                                pl_codes_batch_plane(
                                    dimension: dimension, packed: packed.baseAddress, values: values.baseAddress,
                                    offsets: offsets.baseAddress, scales: scales.baseAddress,
                                    residual_weights: residuals.baseAddress, codes: nil, records: nil))
                        }
                    }
                }
            }
        }
    }
}

/// The rows that a pass found for each query, with their partial sums.
package struct CodeSurvivors: ~Copyable {
    let queryCount: Int
    /// The most rows of a query.
    package let capacity: Int
    private var rows: AlignedBuffer<UInt32>
    private var partials: AlignedBuffer<Float>
    private var counts: AlignedBuffer<UInt32>

    package init(queryCount: Int, capacity: Int) {
        self.queryCount = queryCount
        self.capacity = capacity
        rows = AlignedBuffer(count: queryCount * capacity, repeating: 0)
        partials = AlignedBuffer(count: queryCount * capacity, repeating: 0)
        counts = AlignedBuffer(count: queryCount, repeating: 0)
    }

    package func count(of query: Int) -> Int { Int(counts[query]) }

    /// Calls `body` with the rows that were found for a query, ascending, counted from the first of the pass, and their
    /// partial sums.
    package func read(_ query: Int, _ body: (Span<UInt32>, Span<Float>) -> Void) {
        let range = query * capacity..<query * capacity + count(of: query)
        body(rows.span.extracting(range), partials.span.extracting(range))
    }

    mutating func clear() {
        for q in 0..<queryCount { counts[q] = 0 }
    }

    /// - SAFETY: the caller lends every pointer of `batch`.
    @unsafe mutating func fill(
        _ batch: UnsafePointer<pl_codes_batch>, rowCount: Int, thresholds: [Float], _ instructions: Int32
    ) {
        unsafe Self.fill(batch, rowCount, thresholds, capacity, &rows, &partials, &counts, instructions)
    }

    @unsafe private static func fill(
        _ batch: UnsafePointer<pl_codes_batch>, _ rowCount: Int, _ thresholds: [Float], _ capacity: Int,
        _ rows: inout AlignedBuffer<UInt32>, _ partials: inout AlignedBuffer<Float>,
        _ counts: inout AlignedBuffer<UInt32>, _ instructions: Int32
    ) {
        var rowsOut = rows.mutableSpan
        var partialsOut = partials.mutableSpan
        var countsOut = counts.mutableSpan
        unsafe rowsOut.withUnsafeMutableBufferPointer { rowsOut in
            unsafe partialsOut.withUnsafeMutableBufferPointer { partialsOut in
                unsafe countsOut.withUnsafeMutableBufferPointer { countsOut in
                    unsafe pl_codes_batch_survivors(
                        instructions, batch, rowCount, thresholds, capacity, rowsOut.baseAddress,
                        partialsOut.baseAddress, countsOut.baseAddress)
                }
            }
        }
    }
}
