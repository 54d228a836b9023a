internal import CKernels

/// The query's coordinates in one plane, as the integers that meet the rows' codes (see `pl_codes.h`).
package struct CodedPlaneQuery: Sendable {
    /// Largest magnitude of an integer: 128 · 127 + 64.
    package static let greatestValue = 16_320

    let values: [Int16]
    let high: [Int8]
    let low: [Int8]
    let offset: Int32
    /// A coordinate is about `scale` times its integer.
    package let scale: Float
    /// At least the norm of (coordinates − scale · integers).
    package let residual: Double
    /// How much a row's residual may add to its bound.
    package var residualWeight: Float = 0
    /// How much what a sketch of a row leaves out may add to its bound.
    package var coarseWeight: Float = 0
    /// How much a row's tail may add to its bound.
    package var tailWeight: Float = 0
    /// What is added to every bound.
    package var margin: Float = 0

    /// - Parameter coordinates: (dimension), a multiple of `CodeScan.dimensionGranularity`, finite.
    package init(_ coordinates: Span<Float>) {
        precondition(CodeScan.isDimension(coordinates.count))
        var greatest: Float = 0
        for i in coordinates.indices { greatest = max(greatest, abs(coordinates[i])) }
        let step = greatest / Float(Self.greatestValue)
        let inverse: Float = step > 0x1p-100 ? 1 / step : 0
        let scale = inverse > 0 ? step : 0
        var values = [Int16](repeating: 0, count: coordinates.count)
        var high = [Int8](repeating: 0, count: coordinates.count)
        var low = high
        var sum: Int32 = 0
        var squares = 0.0
        for i in coordinates.indices {
            let limit = Float(Self.greatestValue)
            let value = Int32(max(-limit, min(limit, (coordinates[i] * inverse).rounded())))
            // Rounded division, so that the low part lies in −64 … 64.
            let upper = (value + 64) >> 7
            values[i] = Int16(value)
            high[i] = Int8(min(upper, 127))
            low[i] = Int8(value - 128 * min(upper, 127))
            sum += value
            let rest = Double(coordinates[i]) - Double(scale) * Double(value)
            squares += rest * rest
        }
        self.values = values
        self.high = high
        self.low = low
        offset = 128 * sum
        self.scale = scale
        residual = (squares.squareRoot() * (1 + 1e-12)).nextUp
    }
}

/// What a row's codes in one plane stand for: coordinates are about `scale` times a code.
package struct CodeRecord: Sendable {
    package let scale: Float
    /// At least the norm of what the codes leave out.
    package let residual: Float
    /// At least the norm of what their upper five bits leave out.
    package let coarseResidual: Float
}

/// Upper bounds of inner products from 8-bit codes of rows.
///
/// A plane's rows have codes (rows, dimension) and records (rows, 4): scale, residual, tail, coarse residual.
package enum CodeScan {
    /// Planes have a multiple of this many coordinates.
    package static var dimensionGranularity: Int { 64 }
    /// Up to so many coordinates a sum of products is exact.
    package static var greatestDimension: Int { Int(PL_CODES_MAX_DIMENSION) }
    /// Floats of a row's record.
    package static var recordCount: Int { 4 }

    static func isDimension(_ count: Int) -> Bool {
        count > 0 && count % dimensionGranularity == 0 && count <= greatestDimension
    }

    /// Codes of one row in one plane.
    ///
    /// - Parameters:
    ///   - coordinates: (dimension), finite.
    ///   - codes: (dimension).
    /// - Returns: the row's record but for its tail, and at least the squared norm of the coordinates.
    package static func quantise(
        _ coordinates: Span<Float>, into codes: inout MutableSpan<UInt8>
    ) -> (record: CodeRecord, squaredNorm: Double) {
        precondition(isDimension(coordinates.count) && codes.count == coordinates.count)
        var record = pl_codes_row()
        var squaredNorm = 0.0
        // SAFETY: the kernel reads and writes `dimension` elements, as checked above.
        unsafe coordinates.withUnsafeBufferPointer { x in
            unsafe codes.withUnsafeMutableBufferPointer { u in
                guard let x = x.baseAddress, let u = u.baseAddress else { return }
                unsafe pl_codes_quantise(x, coordinates.count, u, &record, &squaredNorm)
            }
        }
        let known = CodeRecord(scale: record.scale, residual: record.residual, coarseResidual: record.coarse)
        return (known, squaredNorm)
    }

    /// Bounds of consecutive rows: `partial = base + …` without and `upper` with what later planes may add.
    ///
    /// - Parameters:
    ///   - codes: (count, dimension).
    ///   - records: (count, 4).
    ///   - partial: (count); holds the base where `hasBase`, and the sum afterwards.
    ///   - upper: (count).
    package static func bounds(
        _ query: CodedPlaneQuery, codes: Span<UInt8>, records: Span<Float>, hasBase: Bool,
        partial: inout MutableSpan<Float>, upper: inout MutableSpan<Float>, using instructions: InstructionSet = .best
    ) {
        let count = partial.count
        precondition(codes.count == count * query.values.count && records.count == count * recordCount)
        precondition(upper.count == count && instructions.isAvailable)
        unsafe run(
            query, codes: codes, records: records, which: nil, count: count, hasBase: hasBase, partial: &partial,
            upper: &upper, pl_codes_bounds_of, instructions)
    }

    /// The same for some rows of a plane.
    ///
    /// - Parameters:
    ///   - which: the rows; `partial` and `upper` go with them.
    ///   - codes: (rows, dimension), all of them.
    package static func bounds(
        _ query: CodedPlaneQuery, of which: Span<UInt32>, codes: Span<UInt8>, records: Span<Float>, hasBase: Bool,
        partial: inout MutableSpan<Float>, upper: inout MutableSpan<Float>, using instructions: InstructionSet = .best
    ) {
        unsafe run(
            query, of: which, codes: codes, records: records, hasBase: hasBase, partial: &partial, upper: &upper,
            pl_codes_bounds_of, instructions)
    }

    /// What the lower three bits of codes add to bounds by `SketchScan`: takes back what the sketches left out.
    ///
    /// - Parameter partial: (count); holds the sums of the sketches, and what became of them afterwards.
    package static func refine(
        _ query: CodedPlaneQuery, of which: Span<UInt32>, codes: Span<UInt8>, records: Span<Float>,
        partial: inout MutableSpan<Float>, upper: inout MutableSpan<Float>, using instructions: InstructionSet = .best
    ) {
        unsafe run(
            query, of: which, codes: codes, records: records, hasBase: true, partial: &partial, upper: &upper,
            pl_codes_refine_of, instructions)
    }

    private typealias Kernel =
        @convention(c) (
            Int32, UnsafePointer<pl_codes_query>?, UnsafePointer<UInt8>?, UnsafePointer<pl_codes_row>?,
            UnsafePointer<UInt32>?, UnsafePointer<Float>?, Int, UnsafeMutablePointer<Float>?,
            UnsafeMutablePointer<Float>?
        ) -> Void

    private static func run(
        _ query: CodedPlaneQuery, of which: Span<UInt32>, codes: Span<UInt8>, records: Span<Float>, hasBase: Bool,
        partial: inout MutableSpan<Float>, upper: inout MutableSpan<Float>, _ kernel: Kernel,
        _ instructions: InstructionSet
    ) {
        let rows = records.count / recordCount
        precondition(codes.count == rows * query.values.count && records.count == rows * recordCount)
        precondition(partial.count == which.count && upper.count == which.count && instructions.isAvailable)
        for i in which.indices { precondition(which[i] < rows, "row \(which[i]) is not among \(rows)") }
        unsafe which.withUnsafeBufferPointer { which in
            unsafe run(
                query, codes: codes, records: records, which: which.baseAddress, count: which.count, hasBase: hasBase,
                partial: &partial, upper: &upper, kernel, instructions)
        }
    }

    /// - SAFETY: the callers check every length.
    @unsafe private static func run(
        _ query: CodedPlaneQuery, codes: Span<UInt8>, records: Span<Float>, which: UnsafePointer<UInt32>?, count: Int,
        hasBase: Bool, partial: inout MutableSpan<Float>, upper: inout MutableSpan<Float>, _ kernel: Kernel,
        _ instructions: InstructionSet
    ) {
        guard count > 0 else { return }
        unsafe withKernelQuery(query) { kernelQuery in
            unsafe codes.withUnsafeBufferPointer { codes in
                unsafe records.withUnsafeBufferPointer { records in
                    unsafe partial.withUnsafeMutableBufferPointer { partial in
                        unsafe upper.withUnsafeMutableBufferPointer { upper in
                            guard let u = codes.baseAddress, let r = records.baseAddress,
                                let p = partial.baseAddress, let out = upper.baseAddress
                            else { return }
                            // A record is four floats, and nothing else.
                            unsafe r.withMemoryRebound(to: pl_codes_row.self, capacity: records.count / recordCount) {
                                unsafe kernel(
                                    instructions.code, kernelQuery, u, $0, which, hasBase ? UnsafePointer(p) : nil,
                                    count, p, out)
                            }
                        }
                    }
                }
            }
        }
    }

    /// Floats of a row's abilities.
    package static var abilityWidth: Int { 16 }

    /// Inner products of a query's abilities (16) with those of rows (count, 16), rounded in any order.
    package static func scoreAbilities(
        _ query: Span<Float>, rows: Span<Float>, into sums: inout MutableSpan<Float>,
        using instructions: InstructionSet = .best
    ) {
        let count = sums.count
        precondition(query.count == abilityWidth && rows.count == count * abilityWidth && instructions.isAvailable)
        // SAFETY: the kernel reads 16 and count · 16 floats and writes `count`, as checked above.
        unsafe query.withUnsafeBufferPointer { query in
            unsafe rows.withUnsafeBufferPointer { rows in
                unsafe sums.withUnsafeMutableBufferPointer { sums in
                    guard let q = query.baseAddress, let x = rows.baseAddress, let out = sums.baseAddress else {
                        return
                    }
                    unsafe pl_codes_abilities(instructions.code, q, x, count, out)
                }
            }
        }
    }

    /// `Σ v·c` of consecutive rows: for tests.
    package static func products(
        _ query: CodedPlaneQuery, codes: Span<UInt8>, into products: inout MutableSpan<Int32>,
        using instructions: InstructionSet = .best
    ) {
        precondition(codes.count == products.count * query.values.count && instructions.isAvailable)
        let count = products.count
        // SAFETY: the kernel reads count · dimension codes and writes `count` products, as checked above.
        unsafe withKernelQuery(query) { kernelQuery in
            unsafe codes.withUnsafeBufferPointer { codes in
                unsafe products.withUnsafeMutableBufferPointer { products in
                    guard let u = codes.baseAddress, let out = products.baseAddress else { return }
                    unsafe pl_codes_products(instructions.code, kernelQuery, u, count, out)
                }
            }
        }
    }

    @unsafe static func withKernelQuery(
        _ query: CodedPlaneQuery, _ body: (UnsafePointer<pl_codes_query>) -> Void
    ) {
        unsafe query.values.withUnsafeBufferPointer { values in
            unsafe query.high.withUnsafeBufferPointer { high in
                unsafe query.low.withUnsafeBufferPointer { low in
                    var kernelQuery = unsafe pl_codes_query(
                        values: values.baseAddress, high: high.baseAddress, low: low.baseAddress,
                        dimension: query.values.count, offset: query.offset, scale: query.scale,
                        residual_weight: query.residualWeight, coarse_weight: query.coarseWeight,
                        tail_weight: query.tailWeight, margin: query.margin)
                    unsafe body(&kernelQuery)
                }
            }
        }
    }
}
