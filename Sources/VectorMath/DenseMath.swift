import COpenBLAS

// Dense float32 products through OpenBLAS.

/// Operations on float32 matrices: products by BLAS here, the element-wise kernels in extensions.
package enum DenseMath {
    /// Sets how many threads OpenBLAS may use for one product; meant to be called once, at the start.
    ///
    /// OpenBLAS keeps one pool for the whole process. Without a call it takes one thread per core.
    package static func setThreadCount(_ count: Int) {
        precondition(count > 0, "OpenBLAS needs at least one thread")
        openblas_set_num_threads(Int32(clamping: count))
    }

    /// Threads that OpenBLAS may use for one product.
    package static var threadCount: Int { Int(openblas_get_num_threads()) }

    /// `output = scale · a · b`, or `scale · a · bᵀ` if `transposingB`.
    ///
    /// - Parameters:
    ///   - a: (rows × inner).
    ///   - b: (inner × columns), or (columns × inner) if it is to be transposed.
    ///   - output: (rows × columns), its rows `outputStride` apart (contiguous by default).
    /// - Complexity: O(rows · inner · columns).
    package static func multiply(
        _ a: DenseMatrixView, _ b: DenseMatrixView, transposingB: Bool = false, scale: Float = 1,
        into output: inout MutableSpan<Float>, outputStride: Int? = nil
    ) {
        let columns = transposingB ? b.rows : b.columns
        let outputStride = outputStride ?? columns
        precondition(a.columns == (transposingB ? b.columns : b.rows), "the inner dimensions of a product must agree")
        precondition(
            outputStride >= columns && (a.rows - 1) * outputStride + columns <= output.count,
            "the output of a product must hold it")
        // SAFETY: the views and the precondition above hold every element that BLAS reads or writes.
        unsafe cblas_sgemm(
            CblasRowMajor, CblasNoTrans, transposingB ? CblasTrans : CblasNoTrans,
            blasint(a.rows), blasint(columns), blasint(a.columns),
            scale, a.elements.unsafeBase, blasint(a.stride), b.elements.unsafeBase, blasint(b.stride),
            0, output.unsafeBase, blasint(outputStride))
    }
}
