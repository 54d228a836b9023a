internal import VectorMath

/// Regressions of what was wanted on what abilities and texts said.
enum AbilityWeightFit {
    /// target ≈ intercept + text · offset + ability · Σ wₖ·xₖ for given weights w.
    struct Mix: Sendable {
        let intercept: Double
        let text: Double
        let ability: Double
        let weights: AbilityWeights

        func prediction(_ sample: AbilityWeightSample) -> Double {
            intercept + text * sample.offset + ability * Self.sum(sample, weights)
        }

        static func sum(_ sample: AbilityWeightSample, _ weights: AbilityWeights) -> Double {
            zip(sample.features, weights.values).reduce(0) { $0 + $1.0 * $1.1 }
        }
    }

    /// Keeps the normal equations definite where a column is constant; far below anything that moves a figure.
    private static let definite = 1e-8

    /// How the texts and the weighted abilities mix best: ordinary least squares with three unknowns.
    static func mix(
        _ samples: [AbilityWeightSample], weights: AbilityWeights
    ) throws(LeastSquaresError) -> Mix {
        let total = samples.reduce(0) { $0 + $1.weight }
        let x = try LeastSquares.ridge(
            features: samples.flatMap { [1, $0.offset, Mix.sum($0, weights)] }, targets: samples.map(\.target),
            weights: samples.map(\.weight), prior: [0, 0, 0],
            penalty: Array(repeating: max(total, 1) * definite, count: 3))
        return Mix(intercept: x[0], text: x[1], ability: x[2], weights: weights)
    }

    /// The intercept, the texts' coefficient and one for each ability (17), ridge regression towards `mix`: a
    /// coefficient leaves the common one as far as the samples insist.
    ///
    /// - Parameter penalty: relative to what the samples weigh, so that one grid serves any number of them.
    static func coefficients(
        _ samples: [AbilityWeightSample], towards mix: Mix, penalty: Double
    ) throws(LeastSquaresError) -> [Double] {
        let total = max(samples.reduce(0) { $0 + $1.weight }, 1)
        let square = samples.reduce(0) { sum, sample in
            sum + sample.weight * sample.features.reduce(0) { $0 + $1 * $1 }
        }
        let scale = max(square / Double(Ability.count), total * definite)
        return try LeastSquares.ridge(
            features: samples.flatMap { [1, $0.offset] + $0.features }, targets: samples.map(\.target),
            weights: samples.map(\.weight),
            prior: [mix.intercept, mix.text] + Array(repeating: mix.ability, count: Ability.count),
            penalty: [total * definite, total * definite]
                + Array(repeating: penalty * scale, count: Ability.count))
    }

    /// Penalties that are tried.
    static let penalties = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10]

    /// The penalty with the least squared error over folds of whole groups; of equals the greater, which trusts the
    /// samples less.
    static func penalty(_ samples: [AbilityWeightSample]) throws(LeastSquaresError) -> Double {
        var errors = [Double](repeating: 0, count: penalties.count)
        for fold in 0..<AbilityWeightSplit.folds {
            let held = samples.filter { AbilityWeightSplit.fold($0.group) == fold }
            let rest = samples.filter { AbilityWeightSplit.fold($0.group) != fold }
            if held.isEmpty || rest.isEmpty { continue }
            let mix = try mix(rest, weights: .equal)
            for (i, penalty) in penalties.enumerated() {
                let x = try coefficients(rest, towards: mix, penalty: penalty)
                for sample in held {
                    let ability = zip(sample.features, x[2...]).reduce(0) { $0 + $1.0 * $1.1 }
                    let error = x[0] + x[1] * sample.offset + ability - sample.target
                    errors[i] += sample.weight * error * error
                }
            }
        }
        let best = errors.indices.min { (errors[$0], -penalties[$0]) < (errors[$1], -penalties[$1]) } ?? 0
        return penalties[best]
    }
}
