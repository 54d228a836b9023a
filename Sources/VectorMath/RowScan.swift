internal import CKernels
internal import COpenBLAS

/// Scores of rows against queries: the canonical inner product, and its BLAS first pass for batches.
package enum RowScan {
    /// Rows have a multiple of this many floats: one cache line, one AVX-512 register.
    package static var dimensionGranularity: Int { 16 }

    /// Canonical inner products of one query with consecutive rows: `scores[r] = query · rows[r]`.
    ///
    /// The order of summation is fixed (see `pl_scan.h`), so the result is the same to the last bit on every
    /// CPU and however the rows are split into calls.
    ///
    /// - Parameters:
    ///   - query: (dimension), a multiple of 16 floats.
    ///   - rows: (count, dimension), row-major.
    ///   - scores: (count).
    /// - Complexity: O(count · dimension), one read of the rows.
    package static func canonicalScores(
        query: Span<Float>, rows: Span<Float>, into scores: inout MutableSpan<Float>,
        using instructions: InstructionSet = .best
    ) {
        let count = scores.count
        precondition(query.count > 0 && query.count % dimensionGranularity == 0, "the query has \(query.count) floats")
        precondition(rows.count == count * query.count, "\(rows.count) floats are not \(count) rows of \(query.count)")
        precondition(instructions.isAvailable, "this CPU cannot run \(instructions)")
        // SAFETY: the kernel reads `dimension` and `count · dimension` floats and writes `count`, as checked above.
        unsafe query.withUnsafeBufferPointer { query in
            unsafe rows.withUnsafeBufferPointer { rows in
                unsafe scores.withUnsafeMutableBufferPointer { scores in
                    guard let q = query.baseAddress, let x = rows.baseAddress, let out = scores.baseAddress else {
                        return
                    }
                    unsafe pl_scan_rows(instructions.code, q, x, query.count, count, out)
                }
            }
        }
    }

    /// The canonical inner product of one query and one row, both (dimension).
    package static func canonicalScore(query: Span<Float>, row: Span<Float>) -> Float {
        precondition(query.count == row.count && query.count % dimensionGranularity == 0)
        var score: Float = 0
        // SAFETY: the kernel reads `query.count` floats of both, and writes one.
        unsafe query.withUnsafeBufferPointer { query in
            unsafe row.withUnsafeBufferPointer { row in
                guard let q = query.baseAddress, let x = row.baseAddress else { return }
                unsafe pl_scan_rows(Int32(PL_ISA_BEST), q, x, query.count, 1, &score)
            }
        }
        return score
    }

    /// Canonical inner products of one query with some rows: `scores[i] = query · rows[which[i]]`.
    ///
    /// - Parameters:
    ///   - rows: (rows, dimension), all of them.
    ///   - scores: as many as `which`.
    package static func canonicalScores(
        query: Span<Float>, of which: Span<UInt32>, rows: Span<Float>, into scores: inout MutableSpan<Float>
    ) {
        let count = scores.count
        precondition(query.count > 0 && query.count % dimensionGranularity == 0, "the query has \(query.count) floats")
        precondition(which.count == count)
        let rowCount = rows.count / query.count
        for i in which.indices { precondition(which[i] < rowCount, "row \(which[i]) is not among \(rowCount)") }
        // SAFETY: the kernel reads the query, the rows named, checked above, and writes `count` scores.
        unsafe query.withUnsafeBufferPointer { query in
            unsafe rows.withUnsafeBufferPointer { rows in
                unsafe which.withUnsafeBufferPointer { which in
                    unsafe scores.withUnsafeMutableBufferPointer { scores in
                        guard let q = query.baseAddress, let x = rows.baseAddress, let w = which.baseAddress,
                            let out = scores.baseAddress
                        else { return }
                        unsafe pl_scan_rows_of(Int32(PL_ISA_BEST), q, x, query.count, w, count, out)
                    }
                }
            }
        }
    }

    /// First-pass inner products of several queries with consecutive rows by `sgemm`:
    /// `products[q, r] ≈ queries[q] · rows[r]`, within `firstPassError` of the canonical value.
    ///
    /// - Parameters:
    ///   - queries: (queryCount, dimension), row-major.
    ///   - rows: (rowCount, dimension), row-major.
    ///   - products: at least (queryCount, rowCount), row-major.
    package static func firstPassProducts(
        queries: Span<Float>, queryCount: Int, rows: Span<Float>, rowCount: Int, dimension: Int,
        into products: inout MutableSpan<Float>
    ) {
        precondition(queries.count == queryCount * dimension && rows.count == rowCount * dimension)
        precondition(products.count >= queryCount * rowCount)
        guard queryCount > 0, rowCount > 0 else { return }
        // SAFETY: sgemm reads and writes exactly the three matrices whose sizes are checked above.
        unsafe queries.withUnsafeBufferPointer { queries in
            unsafe rows.withUnsafeBufferPointer { rows in
                unsafe products.withUnsafeMutableBufferPointer { products in
                    unsafe cblas_sgemm(
                        CblasRowMajor, CblasNoTrans, CblasTrans, blasint(queryCount), blasint(rowCount),
                        blasint(dimension), 1, queries.baseAddress, blasint(dimension), rows.baseAddress,
                        blasint(dimension), 0, products.baseAddress, blasint(rowCount))
                }
            }
        }
    }

    /// An upper bound on |first pass − canonical| for vectors of `dimension` floats.
    ///
    /// Any order of summation of an n-term inner product, fused or not, lies within γₙ·Σ|qᵢ||xᵢ| ≤ γₙ·‖q‖·‖x‖ of
    /// the exact value, γₙ = n·u/(1 − n·u) with u = 2⁻²⁴ (Higham, Accuracy and Stability of Numerical
    /// Algorithms, 2nd ed., §3.1). Both values do, hence twice that; the last term covers underflow.
    package static func firstPassError(dimension: Int, queryNorm: Double, rowNorm: Double) -> Float {
        let nu = Double(dimension) * 0x1p-24
        let bound = 2 * nu / (1 - nu) * queryNorm * rowNorm + Double(dimension) * 0x1p-148
        return Float(bound).nextUp
    }

    /// Writes the ascending indices whose score is at least `threshold` to `selected`; returns how many.
    ///
    /// - Parameter selected: at least as long as `scores`.
    package static func select(
        scores: Span<Float>, atLeast threshold: Float, into selected: inout MutableSpan<UInt32>,
        using instructions: InstructionSet = .best
    ) -> Int {
        precondition(selected.count >= scores.count, "room for \(selected.count) of \(scores.count) indices")
        precondition(instructions.isAvailable, "this CPU cannot run \(instructions)")
        let count = scores.count
        // SAFETY: the kernel reads `count` scores and writes at most `count` indices.
        return unsafe scores.withUnsafeBufferPointer { scores in
            unsafe selected.withUnsafeMutableBufferPointer { selected in
                guard let s = scores.baseAddress, let out = selected.baseAddress else { return 0 }
                return unsafe pl_select_at_least(instructions.code, s, count, threshold, out)
            }
        }
    }

    /// Euclidean norm, accumulated in double.
    package static func norm(_ vector: Span<Float>) -> Double {
        var sum = 0.0
        for i in vector.indices { sum += Double(vector[i]) * Double(vector[i]) }
        return sum.squareRoot()
    }
}
