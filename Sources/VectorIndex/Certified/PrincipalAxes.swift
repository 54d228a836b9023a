internal import VectorMath

/// An orthogonal map of embeddings onto the directions along which a collection spreads most, greatest first.
///
/// Inner products stay what they are, while the leading coordinates carry most of every row: what a scan reads first.
/// The map is a float32 matrix and so not quite orthogonal; `error` bounds all that rounding does to an inner product.
final class PrincipalAxes: Sendable {
    /// Floats of an embedding.
    let embeddingCount: Int
    /// Coordinates of a mapped embedding: `embeddingCount` and zeros up to a multiple of 64.
    let coordinateCount: Int
    /// (embeddingCount, embeddingCount): an axis a row.
    let axes: FrozenBuffer<Float>
    /// Mean square of each coordinate over the sample: (coordinateCount), descending.
    let variances: [Float]
    /// Mean squared norm past the first plane over the sample.
    let meanTail: Double
    /// For unit vectors q and x with mapped coordinates p and y as computed: at least |q·x − p·y|.
    let error: Double

    /// Coordinates summed by one product: short sums keep the bound on rounding small.
    private static let runCount = 128
    /// Rows beyond these add little to a covariance of 768 dimensions.
    static let sampleRows = 16_384

    /// - Parameter sample: (rows, stride), of which each row's first `embeddingCount` floats are an embedding of unit
    ///   length or zero.
    /// - Complexity: O(rows · embeddingCount² + embeddingCount³).
    convenience init?(sample: Span<Float>, rowCount: Int, stride: Int, embeddingCount: Int) {
        precondition(sample.count == rowCount * stride && stride >= embeddingCount)
        let n = embeddingCount
        guard n <= CodeScan.greatestDimension else { return nil }
        var covariance = AlignedBuffer<Float>(count: n * n, repeating: 0)
        var out = covariance.mutableSpan
        CodeMath.gram(of: sample, rowCount: rowCount, stride: stride, columns: n, into: &out)
        let scale = 1 / Double(max(rowCount, 1))
        let matrix = (0..<n * n).map { Double(covariance[$0]) * scale }
        guard let (values, vectors) = SymmetricEigen.decompose(matrix, size: n) else { return nil }
        var axes = AlignedBuffer<Float>(count: n * n, repeating: 0)
        var variances: [Float] = []
        for axis in 0..<n {
            // LAPACK's order is ascending.
            let source = n - 1 - axis
            variances.append(Float(max(0, values[source])))
            for i in 0..<n { axes[axis * n + i] = Float(vectors[source * n + i]) }
        }
        self.init(axes: FrozenBuffer(axes), variances: variances, embeddingCount: n)
    }

    /// Axes that were fitted before; nil where they are none, whatever they were read from.
    ///
    /// Their error is computed and not read: what it is decides what a search may rule out.
    ///
    /// - Parameters:
    ///   - axes: (embeddingCount, embeddingCount)
    ///   - variances: (embeddingCount), descending.
    convenience init?(restoring axes: FrozenBuffer<Float>, variances: [Float], embeddingCount n: Int) {
        guard n > 0, n <= CodeScan.greatestDimension, axes.count == n * n, variances.count == n,
            variances.allSatisfy({ $0 >= 0 && $0.isFinite })
        else { return nil }
        let (defect, norm) = axes.read(0..<n * n) { CodeMath.orthogonalityDefect($0, size: n) }
        guard defect < Self.greatestDefect, norm.isFinite else { return nil }
        self.init(axes: axes, variances: variances, embeddingCount: n)
    }

    private static let greatestDefect = 0.005

    private init(axes: FrozenBuffer<Float>, variances: [Float], embeddingCount n: Int) {
        embeddingCount = n
        coordinateCount =
            (n + CodeScan.dimensionGranularity - 1) / CodeScan.dimensionGranularity
            * CodeScan.dimensionGranularity
        self.axes = axes
        self.variances = variances + Array(repeating: 0, count: coordinateCount - n)
        let read = RowCodes.planes(of: coordinateCount)[0].count
        meanTail = self.variances[read...].reduce(0) { $0 + Double($1) }
        // ‖RᵀR − I‖ bounds how far the map itself is from keeping inner products. Each computed coordinate is a sum of
        // `runCount` products at a time, in any order, then of the runs: γₘ · ‖axis‖ · ‖x‖ with m = runCount + runs
        // (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., §3.1); over all axes √Σ‖axis‖² = ‖R‖.
        let (defect, norm) = axes.read(0..<n * n) { CodeMath.orthogonalityDefect($0, size: n) }
        let terms = Double(min(n, Self.runCount) + (n + Self.runCount - 1) / Self.runCount + 1)
        let gamma = terms * 0x1p-24 / (1 - terms * 0x1p-24)
        let rounding = gamma * norm
        // Both vectors are rounded: |p·y − Rq·Rx| ≤ ‖δp‖‖y‖ + ‖Rq‖‖δy‖, norms of mapped vectors below 1.01.
        error = defect + 2.02 * rounding + 0x1p-40
        precondition(defect < Self.greatestDefect, "the axes are not orthogonal: \(defect)")
    }

    /// Coordinates of one row (embeddingCount and more): (coordinateCount).
    func coordinates(of row: [Float]) -> [Float] {
        var buffer = AlignedBuffer<Float>(count: coordinateCount, repeating: 0)
        let n = embeddingCount
        if n % RowScan.dimensionGranularity == 0 {
            // One pass over the axes: quicker than a product of matrices, and rounded less.
            var all = buffer.mutableSpan
            var out = all._mutatingExtracting(0..<n)
            axes.read(0..<n * n) { RowScan.canonicalScores(query: row.span.extracting(0..<n), rows: $0, into: &out) }
        } else {
            var out = buffer.mutableSpan
            map(row.span, rowCount: 1, stride: row.count, into: &out)
        }
        return (0..<coordinateCount).map { buffer[$0] }
    }

    /// Coordinates along the axes: `coordinates` (rowCount, coordinateCount) of `rows` (rowCount, stride).
    func map(_ rows: Span<Float>, rowCount: Int, stride: Int, into coordinates: inout MutableSpan<Float>) {
        precondition(rows.count >= (rowCount - 1) * stride + embeddingCount)
        precondition(coordinates.count == rowCount * coordinateCount)
        axes.read(0..<embeddingCount * embeddingCount) { axes in
            var start = 0
            while start < embeddingCount {
                let end = min(start + Self.runCount, embeddingCount)
                CodeMath.addProducts(
                    rows, rowCount: rowCount, rowStride: stride, axes, axisCount: embeddingCount,
                    axisStride: embeddingCount, columns: start..<end, adding: start > 0, into: &coordinates,
                    stride: coordinateCount)
                start = end
            }
        }
        guard coordinateCount > embeddingCount else { return }
        for row in 0..<rowCount {
            for i in embeddingCount..<coordinateCount { coordinates[row * coordinateCount + i] = 0 }
        }
    }
}
