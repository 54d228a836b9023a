internal import COpenBLAS

/// What can be wrong with a least-squares problem.
package enum LeastSquaresError: Error, Equatable, CustomStringConvertible {
    case wrongShape(what: String, expected: Int, found: Int)
    case notFinite(what: String, position: Int)
    case negative(what: String, position: Int)
    /// Data and penalties together leave some direction undetermined.
    case undetermined
    /// The numbers are finite, but their products are not.
    case overflow

    package var description: String {
        switch self {
        case .wrongShape(let what, let expected, let found):
            "\(what) has \(found) numbers where the problem has \(expected)"
        case .notFinite(let what, let position): "\(what) has a value at position \(position) that is not finite"
        case .negative(let what, let position): "\(what) has a value at position \(position) that is negative"
        case .undetermined:
            "the examples do not determine every coefficient; give each a penalty above 0, or more examples"
        case .overflow: "the numbers are too large to be squared and added"
        }
    }
}

/// Small dense least-squares problems in double precision, by LAPACK.
package enum LeastSquares {
    /// Ridge regression towards a prior: the x that minimises `Σᵢ wᵢ·(fᵢ·x − yᵢ)² + Σₖ pₖ·(xₖ − priorₖ)²`.
    ///
    /// Solved for the difference to the prior, δ, by Cholesky factorisation of the normal equations
    /// `(FᵀWF + P)·δ = FᵀW·(y − F·prior)`, their matrix scaled to a diagonal of ones, which is within a factor d of the
    /// best scaling there is (van der Sluis, Condition numbers and equilibration of matrices, 1969). The normal
    /// equations square the condition number; with a penalty on every coefficient, as here in use, that is harmless.
    ///
    /// - Parameters:
    ///   - features: (n, d), row-major.
    ///   - targets: (n); n may be 0, which gives the prior.
    ///   - weights: (n), each at least 0; nil for 1 each.
    ///   - prior: (d).
    ///   - penalty: (d), each at least 0.
    /// - Returns: (d).
    /// - Throws: `LeastSquaresError` for shapes that disagree, values that are not finite, weights or penalties below 0,
    ///   a problem without a unique solution, or sums beyond the range of double.
    /// - Complexity: O(n·d² + d³).
    package static func ridge(
        features: [Double], targets: [Double], weights: [Double]?, prior: [Double], penalty: [Double]
    ) throws(LeastSquaresError) -> [Double] {
        let n = targets.count
        let d = prior.count
        let (size, overflow) = n.multipliedReportingOverflow(by: d)
        guard !overflow, features.count == size, Int32(exactly: n) != nil, Int32(exactly: d) != nil else {
            throw .wrongShape(what: "the matrix of features", expected: overflow ? .max : size, found: features.count)
        }
        guard penalty.count == d else { throw .wrongShape(what: "the penalty", expected: d, found: penalty.count) }
        try check(features, "the matrix of features")
        try check(targets, "the targets")
        try check(prior, "the prior")
        try check(penalty, "the penalty", atLeastZero: true)
        if let weights {
            guard weights.count == n else { throw .wrongShape(what: "the weights", expected: n, found: weights.count) }
            try check(weights, "the weights", atLeastZero: true)
        }
        guard d > 0 else { return [] }

        // √w·F (n, d) and √w·(y − F·prior) (n), so that one symmetric product gives FᵀWF.
        var scaled = features
        var residuals = targets
        for i in 0..<n {
            let root = weights.map { $0[i].squareRoot() } ?? 1
            var predicted = 0.0
            for k in 0..<d {
                predicted += features[i * d + k] * prior[k]
                scaled[i * d + k] *= root
            }
            residuals[i] = root * (targets[i] - predicted)
        }
        var matrix = [Double](repeating: 0, count: d * d)
        var right = [Double](repeating: 0, count: d)
        if n > 0 { formNormalEquations(scaled, residuals, rows: n, columns: d, matrix: &matrix, right: &right) }
        for k in 0..<d { matrix[k * d + k] += penalty[k] }

        var scale = [Double](repeating: 0, count: d)
        for k in 0..<d {
            let diagonal = matrix[k * d + k]
            guard diagonal.isFinite else { throw .overflow }
            guard diagonal > 0 else { throw .undetermined }
            scale[k] = 1 / diagonal.squareRoot()
        }
        for j in 0..<d {
            right[j] *= scale[j]
            for k in j..<d { matrix[j * d + k] = matrix[j * d + k] * scale[j] * scale[k] }
        }
        // An infinite product makes a sum infinite or no number; LAPACK must see neither.
        guard matrix.allSatisfy(\.isFinite), right.allSatisfy(\.isFinite) else { throw .overflow }
        try solve(&matrix, &right, size: d)
        let solution = (0..<d).map { prior[$0] + scale[$0] * right[$0] }
        guard solution.allSatisfy(\.isFinite) else { throw .overflow }
        return solution
    }

    /// `matrix` (columns, columns) = upper triangle of FᵀF, `right` (columns) = Fᵀr, for F (rows, columns), r (rows).
    private static func formNormalEquations(
        _ features: [Double], _ residuals: [Double], rows: Int, columns: Int, matrix: inout [Double],
        right: inout [Double]
    ) {
        let n = blasint(rows)
        let d = blasint(columns)
        // SAFETY: BLAS reads rows · columns and rows numbers, writes columns² and columns: the arrays' sizes.
        unsafe cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, d, n, 1, features, d, 0, &matrix, d)
        unsafe cblas_dgemv(CblasRowMajor, CblasTrans, n, d, 1, features, d, residuals, 1, 0, &right, 1)
    }

    /// Solves `matrix · x = right` in place; `matrix` (size, size) has a unit diagonal, and of it the upper triangle
    /// (row-major) is read.
    private static func solve(
        _ matrix: inout [Double], _ right: inout [Double], size: Int
    ) throws(LeastSquaresError) {
        let d = Int32(size)
        // Row-major upper is column-major lower, which LAPACK takes without transposing.
        let lower = CChar(UInt8(ascii: "L"))
        var columnSums = [Double](repeating: 0, count: size)
        for j in 0..<size {
            columnSums[j] += abs(matrix[j * size + j])
            for k in j + 1..<size {
                columnSums[j] += abs(matrix[j * size + k])
                columnSums[k] += abs(matrix[j * size + k])
            }
        }
        // SAFETY: LAPACK reads and writes size² and size numbers: the arrays' sizes.
        guard unsafe LAPACKE_dposv(LAPACK_COL_MAJOR, lower, d, 1, &matrix, d, &right, d) == 0 else {
            throw .undetermined
        }
        // Rounding may carry a singular matrix through the factorisation: its condition number tells.
        var reciprocalCondition = 0.0
        // SAFETY: as above; the factor has taken the matrix's place.
        let status = unsafe LAPACKE_dpocon(
            LAPACK_COL_MAJOR, lower, d, matrix, d, columnSums.max() ?? 0, &reciprocalCondition)
        guard status == 0, reciprocalCondition > Double(size) * .ulpOfOne else { throw .undetermined }
    }

    private static func check(
        _ values: [Double], _ what: String, atLeastZero: Bool = false
    ) throws(LeastSquaresError) {
        for (position, value) in values.enumerated() {
            guard value.isFinite else { throw .notFinite(what: what, position: position) }
            guard !atLeastZero || value >= 0 else { throw .negative(what: what, position: position) }
        }
    }
}
