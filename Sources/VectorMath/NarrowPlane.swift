internal import CKernels

/// A query's coordinates in a narrow plane, in 8 bits (see `pl_narrow.h`).
package struct NarrowQuery: Sendable {
    fileprivate let values: [Int8]
    /// A coordinate is about `scale` times its integer.
    private let scale: Float
    /// At least the norm of (coordinates − scale · integers).
    package let residual: Double
    /// How much a row's residual may add to its bound.
    package var residualWeight: Float = 0
    /// How much a row's tail may add to its bound.
    package var tailWeight: Float = 0
    /// What is added to every bound.
    package var margin: Float = 0

    /// - Parameter coordinates: (`NarrowPlane.dimension`), finite.
    package init(_ coordinates: Span<Float>) {
        precondition(coordinates.count == NarrowPlane.dimension)
        var greatest: Float = 0
        for i in coordinates.indices { greatest = max(greatest, abs(coordinates[i])) }
        let step = greatest / 127
        // So small that a step rounds to nothing: everything is residual.
        let inverse: Float = step > 0x1p-100 ? 1 / step : 0
        let scale = inverse > 0 ? step : 0
        var values: [Int8] = []
        var squares = 0.0
        for i in coordinates.indices {
            let value = max(-127, min(127, (coordinates[i] * inverse).rounded()))
            values.append(Int8(value))
            let rest = Double(coordinates[i]) - Double(scale) * Double(value)
            squares += rest * rest
        }
        self.values = values
        self.scale = scale
        residual = squares.squareRoot() * (1 + 1e-12)
    }

    fileprivate func withKernelQuery(_ body: (UnsafePointer<pl_narrow_query>) -> Void) {
        unsafe values.withUnsafeBufferPointer { values in
            var query = unsafe pl_narrow_query(
                values: values.baseAddress, scale: scale, residual_weight: residualWeight, tail_weight: tailWeight,
                margin: margin)
            unsafe body(&query)
        }
    }
}

/// Few coordinates of many rows in 8 bits: what a search reads of all of them.
package struct NarrowPlane: Sendable {
    /// Coordinates.
    package static var dimension: Int { Int(PL_NARROW_DIMENSION) }

    private let codes: FrozenBuffer<Int8>
    private let scales: FrozenBuffer<Float>
    private let residuals: FrozenBuffer<Float>
    private let tails: FrozenBuffer<Float>
    package var count: Int { scales.count }

    /// - Parameters:
    ///   - codes: (count, `dimension`), as `CodeScan.quantise` makes them.
    ///   - records: (count, 4), of these codes.
    package init(codes: FrozenBuffer<UInt8>, records: FrozenBuffer<Float>, count: Int) {
        precondition(codes.count == count * Self.dimension && records.count == count * CodeScan.recordCount)
        var signed = AlignedBuffer<Int8>(count: codes.count, repeating: 0)
        for i in 0..<codes.count { signed[i] = Int8(Int(codes[i]) - 128) }
        self.codes = FrozenBuffer(signed)
        func column(_ position: Int) -> FrozenBuffer<Float> {
            var values = AlignedBuffer<Float>(count: count, repeating: 0)
            for row in 0..<count { values[row] = records[row * CodeScan.recordCount + position] }
            return FrozenBuffer(values)
        }
        scales = column(0)
        residuals = column(1)
        tails = column(2)
    }

    /// Upper bounds of the inner products of a query with some rows: (rows.count).
    package func bounds(
        of rows: Range<Int>, _ query: NarrowQuery, into upper: inout MutableSpan<Float>,
        using instructions: InstructionSet = .best
    ) {
        precondition(upper.count == rows.count && instructions.isAvailable)
        guard !rows.isEmpty else { return }
        codes.read(rows.lowerBound * Self.dimension..<rows.upperBound * Self.dimension) { codes in
            scales.read(rows) { scales in
                residuals.read(rows) { residuals in
                    tails.read(rows) { tails in
                        // SAFETY: the kernel reads `rows.count` rows of each, which is what was lent, and writes as many.
                        unsafe Self.bounds(codes, scales, residuals, tails, query, &upper, instructions)
                    }
                }
            }
        }
    }

    @unsafe private static func bounds(
        _ codes: Span<Int8>, _ scales: Span<Float>, _ residuals: Span<Float>, _ tails: Span<Float>,
        _ query: NarrowQuery, _ upper: inout MutableSpan<Float>, _ instructions: InstructionSet
    ) {
        unsafe codes.withUnsafeBufferPointer { codes in
            unsafe scales.withUnsafeBufferPointer { scales in
                unsafe residuals.withUnsafeBufferPointer { residuals in
                    unsafe tails.withUnsafeBufferPointer { tails in
                        unsafe upper.withUnsafeMutableBufferPointer { upper in
                            var rows = unsafe pl_narrow_rows(
                                codes: codes.baseAddress, scales: scales.baseAddress,
                                residuals: residuals.baseAddress, tails: tails.baseAddress)
                            unsafe query.withKernelQuery {
                                unsafe pl_narrow_bounds(
                                    instructions.code, $0, &rows, upper.count, upper.baseAddress)
                            }
                        }
                    }
                }
            }
        }
    }

    /// What the first product of a row was, given its bound, up to rounding: what later planes add to.
    fileprivate func partial(_ row: Int, upper: Float, _ query: NarrowQuery) -> Float {
        upper - query.margin - query.tailWeight * tails[row]
    }
}

extension BoundedRows {
    /// Those of some consecutive rows, counted from the first, whose bounds by a narrow plane lie in `range`.
    ///
    /// - Parameters:
    ///   - bounds: of the rows.
    ///   - first: the number that the first of them has in the plane.
    package mutating func fill(
        _ range: ClosedRange<Float>, of bounds: Span<Float>, _ plane: NarrowPlane, from first: Int,
        _ query: NarrowQuery
    ) {
        precondition(bounds.count <= capacity, "\(bounds.count) rows do not fit \(capacity)")
        let found = select(bounds, atLeast: range.lowerBound)
        removeAll()
        for i in 0..<found {
            let row = row(i)
            let upper = bounds[Int(row)]
            guard upper <= range.upperBound else { continue }
            append(row: row, upper: upper, partial: plane.partial(first + Int(row), upper: upper, query))
        }
    }
}
