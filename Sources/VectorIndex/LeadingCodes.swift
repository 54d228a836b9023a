internal import VectorMath

/// The first coordinates of unit vectors along the principal axes of all, in 8 bits, and the length of the others: what
/// rules most vectors out before they are read whole.
struct LeadingCodes: Sendable {
    /// A query as it meets them; its bounds are nowhere below the cosines.
    struct Query: Sendable {
        fileprivate var first: NarrowQuery
        fileprivate var others: [CodedPlaneQuery]
    }

    private let axes: PrincipalAxes
    /// What is read of all vectors, which takes as long as the memory gives it.
    private let first: NarrowPlane
    /// Each is read of those that are left.
    private let others: [RowCodes.Plane]
    /// Coordinates of all planes.
    private let width: Int

    /// Vectors mapped at a time.
    private static let tileRows = 2_048

    /// - Parameters:
    ///   - codes: (count, width): the codes plus 128.
    ///   - records: (count, 4): what the codes are scaled by, and what does not matter here.
    /// - Returns: nil where vectors are so short that they are read whole, or the axes cannot be fitted.
    init?(_ codes: FrozenBuffer<UInt8>, _ records: FrozenBuffer<Float>, count: Int, width: Int) {
        let parts = Self.parts(of: width)
        guard let own = parts.last?.upperBound else { return nil }
        let builders = parts.map { PlaneBuilder($0, count: count) }
        /// The vectors of `count` rows, the i-th of which is `row(i)`.
        func vectors(_ count: Int, row: (Int) -> Int) -> AlignedBuffer<Float> {
            var vectors = AlignedBuffer<Float>(count: count * width, repeating: 0)
            for i in 0..<count {
                let row = row(i)
                let scale = records[row * CodeScan.recordCount]
                for k in 0..<width { vectors[i * width + k] = scale * Float(Int(codes[row * width + k]) - 128) }
            }
            return vectors
        }
        let sampled = min(count, PrincipalAxes.sampleRows)
        // Evenly spread: neighbours are often alike.
        let sample = vectors(sampled) { $0 * count / sampled }
        guard
            let principal = PrincipalAxes(sample: sample.span, rowCount: sampled, stride: width, embeddingCount: width),
            let axes = Self.evened(principal)
        else { return nil }
        var mapped = AlignedBuffer<Float>(count: Self.tileRows * width, repeating: 0)
        for start in stride(from: 0, to: count, by: Self.tileRows) {
            let tile = min(Self.tileRows, count - start)
            let vectors = vectors(tile) { start + $0 }
            var all = mapped.mutableSpan
            var out = all._mutatingExtracting(0..<tile * width)
            axes.map(vectors.span, rowCount: tile, stride: width, into: &out)
            for i in 0..<tile {
                let row = out.span.extracting(i * width..<(i + 1) * width)
                var tail = 0.0
                for k in own..<width { tail += Double(row[k]) * Double(row[k]) * (1 + 1e-12) }
                for builder in builders.reversed() { tail += builder.add(row, at: start + i, tail: tail) }
            }
        }
        let planes = builders.map { $0.plane() }
        self.axes = axes
        self.width = own
        first = NarrowPlane(codes: planes[0].codes, records: planes[0].records, count: count)
        others = Array(planes.dropFirst())
    }

    /// The same axes with those of the first plane turned among themselves, so that no coordinate is much greater than
    /// the others: 8 bits then leave out less than half as much. (The turn is Sylvester's Hadamard matrix.)
    private static func evened(_ axes: PrincipalAxes) -> PrincipalAxes? {
        let (width, count) = (axes.embeddingCount, NarrowPlane.dimension)
        precondition(count.nonzeroBitCount == 1)
        var turned = AlignedBuffer<Float>(count: width * width, repeating: 0)
        for axis in 0..<width {
            for k in 0..<width { turned[axis * width + k] = axes.axes[axis * width + k] }
        }
        let half = 0.5.squareRoot()
        var distance = 1
        while distance < count {
            for axis in 0..<count where axis & distance == 0 {
                for k in axis * width..<(axis + 1) * width {
                    let (a, b) = (Double(turned[k]), Double(turned[k + distance * width]))
                    turned[k] = Float((a + b) * half)
                    turned[k + distance * width] = Float((a - b) * half)
                }
            }
            distance *= 2
        }
        // Variances tell approximate searches what is likely; there are none here.
        return PrincipalAxes(
            restoring: FrozenBuffer(turned), variances: Array(axes.variances[..<width]), embeddingCount: width)
    }

    /// The coordinates of the planes: half of all, the rest being wanted whole where these do not tell.
    private static func parts(of width: Int) -> [Range<Int>] {
        let first = NarrowPlane.dimension
        guard width > first else { return [] }
        let step = CodeScan.dimensionGranularity
        return [0..<first] + stride(from: first, to: width / 2 / step * step, by: step).map { $0..<$0 + step }
    }

    /// - Parameters:
    ///   - unit: a query of unit length, as wide as the vectors.
    ///   - missing: how much the query's own steps may change of a cosine.
    func query(_ unit: [Float], missing: Double) -> Query {
        var coordinates = [Float](repeating: 0, count: width)
        var out = coordinates.mutableSpan
        axes.axes.read(0..<width * unit.count) { RowScan.canonicalScores(query: unit.span, rows: $0, into: &out) }
        let parts = Self.parts(of: unit.count)
        var first = NarrowQuery(coordinates.span.extracting(parts[0]))
        var others = parts.dropFirst().map { CodedPlaneQuery(coordinates.span.extracting($0)) }
        // What the map and steps of queries may change, codes of a row being at most a tenth longer than it is; and the
        // rounding of some thirty float32 operations on numbers below 2.
        let errors =
            missing + 1.001 * axes.error + 1.1 * others.reduce(first.residual) { $0 + $1.residual } + 0x1p-18
        // The square of the whole is 1, and the map keeps it up to its error.
        var rest = 1 + 1e-6 + axes.error
        let weights = parts.map { part -> (residual: Float, tail: Float) in
            let length = RowScan.norm(coordinates.span.extracting(part))
            rest = max(0, rest - length * length)
            return (Float(length * (1 + 1e-9)).nextUp, Float(rest.squareRoot() * (1 + 1e-9)).nextUp)
        }
        first.residualWeight = weights[0].residual
        first.tailWeight = weights[0].tail
        first.margin = Float(errors).nextUp
        for p in others.indices {
            others[p].residualWeight = weights[p + 1].residual
            others[p].tailWeight = weights[p + 1].tail
            others[p].margin = Float(errors).nextUp
        }
        return Query(first: first, others: others)
    }

    /// Bounds by the first plane: (rows.count).
    func bounds(of rows: Range<Int>, _ query: Query, into upper: inout MutableSpan<Float>) {
        first.bounds(of: rows, query.first, into: &upper)
    }

    /// Leaves in `left` the rows whose bound by the first plane lies in `range`, counted from the first of `rows`.
    func fill(
        _ left: inout BoundedRows, _ range: ClosedRange<Float>, of bounds: Span<Float>, _ rows: Range<Int>,
        _ query: Query
    ) {
        left.fill(range, of: bounds, first, from: rows.lowerBound, query.first)
    }

    /// Drops of these rows what the other planes rule out.
    func drop(
        from left: inout BoundedRows, of rows: Range<Int>, _ query: Query, below threshold: Float
    ) {
        for (plane, query) in zip(others, query.others) where left.count > 0 {
            left.write { which, partial, upper in
                plane.read(rows) { codes, records in
                    CodeScan.bounds(
                        query, of: which, codes: codes, records: records, hasBase: true, partial: &partial,
                        upper: &upper)
                }
            }
            left.keep(threshold...(.infinity))
        }
    }
}
