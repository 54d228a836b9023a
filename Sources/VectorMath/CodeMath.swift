internal import COpenBLAS

/// Products that mapping rows onto principal axes is made of.
package enum CodeMath {
    /// `gram` (columns, columns) = XᵀX of the first `columns` floats of each row of X (rowCount, stride).
    package static func gram(
        of rows: Span<Float>, rowCount: Int, stride: Int, columns: Int, into gram: inout MutableSpan<Float>
    ) {
        precondition(rows.count == rowCount * stride && columns <= stride && gram.count == columns * columns)
        guard rowCount > 0 else { return }
        // SAFETY: sgemm reads rowCount rows and writes columns² floats, as checked above.
        unsafe rows.withUnsafeBufferPointer { rows in
            unsafe gram.withUnsafeMutableBufferPointer { gram in
                unsafe cblas_sgemm(
                    CblasRowMajor, CblasTrans, CblasNoTrans, blasint(columns), blasint(columns), blasint(rowCount), 1,
                    rows.baseAddress, blasint(stride), rows.baseAddress, blasint(stride), 0, gram.baseAddress,
                    blasint(columns))
            }
        }
    }

    /// `output[r, a] = Σ rows[r, c] · axes[a, c]` over the columns c, added to what is there if `adding`.
    package static func addProducts(
        _ rows: Span<Float>, rowCount: Int, rowStride: Int, _ axes: Span<Float>, axisCount: Int, axisStride: Int,
        columns: Range<Int>, adding: Bool, into output: inout MutableSpan<Float>, stride: Int
    ) {
        guard rowCount > 0, axisCount > 0, !columns.isEmpty else { return }
        precondition(rows.count >= (rowCount - 1) * rowStride + columns.upperBound && columns.upperBound <= rowStride)
        precondition(axes.count >= (axisCount - 1) * axisStride + columns.upperBound)
        precondition(output.count >= (rowCount - 1) * stride + axisCount)
        // SAFETY: sgemm reads and writes within the three matrices whose sizes are checked above.
        unsafe rows.withUnsafeBufferPointer { rows in
            unsafe axes.withUnsafeBufferPointer { axes in
                unsafe output.withUnsafeMutableBufferPointer { output in
                    guard let x = rows.baseAddress, let a = axes.baseAddress else { return }
                    unsafe cblas_sgemm(
                        CblasRowMajor, CblasNoTrans, CblasTrans, blasint(rowCount), blasint(axisCount),
                        blasint(columns.count), 1, x + columns.lowerBound, blasint(rowStride), a + columns.lowerBound,
                        blasint(axisStride), adding ? 1 : 0, output.baseAddress, blasint(stride))
                }
            }
        }
    }

    /// For a square matrix R of axes in rows: at least the spectral norm of RᵀR − I, and the Frobenius norm of R.
    package static func orthogonalityDefect(_ axes: Span<Float>, size: Int) -> (defect: Double, norm: Double) {
        precondition(axes.count == size * size)
        var wide = [Double](repeating: 0, count: size * size)
        var norm = 0.0
        for i in axes.indices {
            wide[i] = Double(axes[i])
            norm += wide[i] * wide[i]
        }
        var product = [Double](repeating: 0, count: size * size)
        let n = blasint(size)
        // SAFETY: BLAS reads and writes size² numbers: the arrays' sizes.
        unsafe cblas_dgemm(
            CblasRowMajor, CblasTrans, CblasNoTrans, n, n, n, 1, wide, n, wide, n, 0, &product, n)
        var squares = 0.0
        for i in 0..<size {
            for j in 0..<size {
                let off = product[i * size + j] - (i == j ? 1 : 0)
                squares += off * off
            }
        }
        return (squares.squareRoot() + 1e-10, norm.squareRoot() * (1 + 1e-9))
    }
}
