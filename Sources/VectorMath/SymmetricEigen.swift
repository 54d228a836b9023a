internal import COpenBLAS

/// Eigenvalues and eigenvectors of a real symmetric matrix, by LAPACK.
package enum SymmetricEigen {
    /// - Parameter matrix: (size, size); its upper triangle (row-major) is read.
    /// - Returns: the eigenvalues, ascending, and the eigenvectors as rows of (size, size) in the same order; nil where
    ///   LAPACK's iteration does not converge or a value is not finite.
    /// - Complexity: O(size³).
    package static func decompose(
        _ matrix: [Double], size: Int
    ) -> (values: [Double], vectors: [Double])? {
        precondition(size > 0 && matrix.count == size * size, "\(matrix.count) numbers are no square of \(size)")
        // LAPACK may not return where it sees no numbers.
        guard matrix.allSatisfy(\.isFinite) else { return nil }
        var vectors = matrix
        var values = [Double](repeating: 0, count: size)
        // Row-major upper is column-major lower, and eigenvectors in columns are then rows of ours.
        // SAFETY: LAPACK reads and writes size² and size numbers: the arrays' sizes.
        let status = unsafe LAPACKE_dsyevd(
            LAPACK_COL_MAJOR, CChar(UInt8(ascii: "V")), CChar(UInt8(ascii: "L")), Int32(size), &vectors, Int32(size),
            &values)
        return status == 0 ? (values, vectors) : nil
    }
}
