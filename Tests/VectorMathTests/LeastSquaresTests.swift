import TestSupport
import Testing
import VectorMath

@Suite struct `Ridge regression` {
    struct Problem {
        var features: [Double]
        var targets: [Double]
        var weights: [Double]?
        var prior: [Double]
        var penalty: [Double]

        init(seed: UInt64, rows: Int, columns: Int, weighted: Bool) {
            var random = SeededGenerator(seed: seed)
            features = (0..<rows * columns).map { _ in random.nextGaussian() }
            targets = (0..<rows).map { _ in random.nextGaussian() * 3 }
            weights = weighted ? (0..<rows).map { _ in Double.random(in: 0...2, using: &random) } : nil
            prior = (0..<columns).map { _ in random.nextGaussian() }
            penalty = (0..<columns).map { _ in Double.random(in: 0.01...1, using: &random) }
        }

        func solve() throws(LeastSquaresError) -> [Double] {
            try LeastSquares.ridge(
                features: features, targets: targets, weights: weights, prior: prior, penalty: penalty)
        }

        /// The normal equations as they are defined, by Gaussian elimination with pivoting.
        func solveNaively() -> [Double] {
            let d = prior.count
            var matrix = (0..<d).map { j in (0..<d).map { j == $0 ? penalty[j] : 0 } + [penalty[j] * prior[j]] }
            for i in targets.indices {
                for j in 0..<d {
                    let factor = (weights?[i] ?? 1) * features[i * d + j]
                    for k in 0..<d { matrix[j][k] += factor * features[i * d + k] }
                    matrix[j][d] += factor * targets[i]
                }
            }
            for column in 0..<d {
                let pivot = (column..<d).max { abs(matrix[$0][column]) < abs(matrix[$1][column]) }!
                matrix.swapAt(column, pivot)
                for row in 0..<d where row != column {
                    let factor = matrix[row][column] / matrix[column][column]
                    for k in column...d { matrix[row][k] -= factor * matrix[column][k] }
                }
            }
            return (0..<d).map { matrix[$0][d] / matrix[$0][$0] }
        }
    }

    @Test(arguments: [(0, 3), (1, 1), (2, 5), (7, 7), (40, 3), (200, 15), (500, 16)])
    func `equals Gaussian elimination on the normal equations`(rows: Int, columns: Int) throws {
        for weighted in [false, true] {
            let problem = Problem(seed: UInt64(rows * 100 + columns), rows: rows, columns: columns, weighted: weighted)
            let found = try problem.solve()
            for (a, b) in zip(found, problem.solveNaively()) {
                #expect(abs(a - b) <= 1e-9 * max(1, abs(b)), "\(rows) × \(columns), weighted \(weighted)")
            }
        }
    }

    @Test func `a huge penalty holds a coefficient at its prior, and no other`() throws {
        var problem = Problem(seed: 1, rows: 50, columns: 4, weighted: true)
        problem.penalty = [1e200, 0, 1e-3, 1e12]
        let found = try problem.solve()
        #expect(found[0] == problem.prior[0] && abs(found[3] - problem.prior[3]) < 1e-8)
        #expect(abs(found[1] - problem.prior[1]) > 1e-3 && abs(found[2] - problem.prior[2]) > 1e-3)
    }

    @Test func `without examples the prior is the answer; without coefficients there is none`() throws {
        #expect(
            try LeastSquares.ridge(features: [], targets: [], weights: [], prior: [1, 2], penalty: [1, 0.5]) == [1, 2])
        #expect(try LeastSquares.ridge(features: [], targets: [3], weights: nil, prior: [], penalty: []) == [])
    }

    @Test func `values that are not finite are refused by name`() {
        for bad in [Double.nan, .infinity, -.infinity] {
            var problem = Problem(seed: 2, rows: 5, columns: 2, weighted: true)
            problem.features[3] = bad
            #expect(throws: LeastSquaresError.notFinite(what: "the matrix of features", position: 3)) {
                try problem.solve()
            }
            problem = Problem(seed: 2, rows: 5, columns: 2, weighted: true)
            problem.targets[4] = bad
            #expect(throws: LeastSquaresError.notFinite(what: "the targets", position: 4)) { try problem.solve() }
            problem = Problem(seed: 2, rows: 5, columns: 2, weighted: true)
            problem.prior[1] = bad
            #expect(throws: LeastSquaresError.notFinite(what: "the prior", position: 1)) { try problem.solve() }
            problem = Problem(seed: 2, rows: 5, columns: 2, weighted: true)
            problem.penalty[0] = bad
            #expect(throws: LeastSquaresError.notFinite(what: "the penalty", position: 0)) { try problem.solve() }
            problem = Problem(seed: 2, rows: 5, columns: 2, weighted: true)
            problem.weights?[2] = bad
            #expect(throws: LeastSquaresError.notFinite(what: "the weights", position: 2)) { try problem.solve() }
        }
    }

    @Test func `shapes that disagree and numbers below zero are refused by name`() {
        var problem = Problem(seed: 3, rows: 5, columns: 2, weighted: true)
        problem.features.removeLast()
        #expect(throws: LeastSquaresError.wrongShape(what: "the matrix of features", expected: 10, found: 9)) {
            try problem.solve()
        }
        problem = Problem(seed: 3, rows: 5, columns: 2, weighted: true)
        problem.weights = [1]
        #expect(throws: LeastSquaresError.wrongShape(what: "the weights", expected: 5, found: 1)) {
            try problem.solve()
        }
        problem = Problem(seed: 3, rows: 5, columns: 2, weighted: true)
        problem.penalty = [1]
        #expect(throws: LeastSquaresError.wrongShape(what: "the penalty", expected: 2, found: 1)) {
            try problem.solve()
        }
        problem = Problem(seed: 3, rows: 5, columns: 2, weighted: true)
        problem.penalty = [1, -1]
        #expect(throws: LeastSquaresError.negative(what: "the penalty", position: 1)) { try problem.solve() }
        problem = Problem(seed: 3, rows: 5, columns: 2, weighted: true)
        problem.weights?[3] = -0.5
        #expect(throws: LeastSquaresError.negative(what: "the weights", position: 3)) { try problem.solve() }
    }

    @Test func `a problem without one answer is refused, also where rounding hides it`() {
        // Column 2 is three times column 1, up to rounding.
        for scale in [1.0, 1e-8, 1e8] {
            let column = (1...20).map { Double($0) * 0.1 * scale }
            let features = column.flatMap { [$0, $0 * 3] }
            #expect(throws: LeastSquaresError.undetermined) {
                try LeastSquares.ridge(
                    features: features, targets: Array(repeating: 1, count: 20), weights: nil, prior: [0, 0],
                    penalty: [0, 0])
            }
        }
        #expect(throws: LeastSquaresError.undetermined) {
            try LeastSquares.ridge(features: [], targets: [], weights: nil, prior: [0], penalty: [0])
        }
        #expect(throws: LeastSquaresError.overflow) {
            try LeastSquares.ridge(features: [1e200], targets: [1], weights: nil, prior: [0], penalty: [1])
        }
        #expect(throws: LeastSquaresError.overflow) {
            try LeastSquares.ridge(
                features: [1e100, 1], targets: [1e300, 1], weights: nil, prior: [0], penalty: [1])
        }
    }
}
