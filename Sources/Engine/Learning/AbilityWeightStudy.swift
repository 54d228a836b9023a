internal import Foundation
internal import VectorMath

/// Samples split into what is learned from and what checks it.
struct AbilityWeightStudy {
    private let samples: [AbilityWeightSample]
    private let leftOut: Int
    private let groupCount: Int
    private let training: [AbilityWeightSample]
    private let heldOut: [AbilityWeightSample]
    /// For each held-out sample the number of its group.
    private let heldOutGroups: [Int]
    private let heldOutGroupCount: Int

    /// - Parameter samples: usable ones.
    init(_ samples: [AbilityWeightSample], leftOut: Int) {
        self.samples = samples
        self.leftOut = leftOut
        groupCount = Set(samples.map(\.group)).count
        training = samples.filter { !AbilityWeightSplit.isHeldOut($0.group) }
        heldOut = samples.filter { AbilityWeightSplit.isHeldOut($0.group) }
        // Numbered by name: the resampling must not depend on the order of the samples.
        let names = Set(heldOut.map(\.group)).sorted()
        let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        heldOutGroups = heldOut.map { numbers[$0.group] ?? 0 }
        heldOutGroupCount = names.count
    }

    func report(resamples: Int, seed: UInt64) throws(LeastSquaresError) -> AbilityWeightReport {
        if samples.count < AbilityWeightReport.minimumSamples || groupCount < AbilityWeightReport.minimumGroups {
            return nothing(
                "there is too little feedback: \(samples.count) samples of \(groupCount) sessions, where at "
                    + "least \(AbilityWeightReport.minimumSamples) of \(AbilityWeightReport.minimumGroups) are needed")
        }
        if heldOutGroupCount < AbilityWeightReport.minimumHeldOutGroups {
            return nothing(
                "there is too little feedback: \(heldOutGroupCount) sessions are held out to check the weights, "
                    + "where at least \(AbilityWeightReport.minimumHeldOutGroups) are needed")
        }
        for (part, words) in [(training, "to learn from"), (heldOut, "to check the weights")]
        where Set(part.map(\.isPositive)).count < 2 {
            return nothing("the samples \(words) are all wanted or all unwanted, which tells nothing apart")
        }
        let equal = try AbilityWeightFit.mix(training, weights: .equal)
        guard equal.ability > 0 else {
            return nothing("abilities do not speak for what was wanted: all alike, their coefficient is not above 0")
        }
        let penalty = try AbilityWeightFit.penalty(training)
        let coefficients = try AbilityWeightFit.coefficients(training, towards: equal, penalty: penalty)
        guard let weights = AbilityWeights(coefficients: Array(coefficients[2...])) else {
            return nothing("abilities do not speak for what was wanted: their coefficients are not above 0 on average")
        }
        return checked(equal, try AbilityWeightFit.mix(training, weights: weights), penalty, resamples, seed)
    }

    /// Holds the learned weights against equal ones on the samples that neither has seen.
    private func checked(
        _ equal: AbilityWeightFit.Mix, _ learned: AbilityWeightFit.Mix, _ penalty: Double, _ resamples: Int,
        _ seed: UInt64
    ) -> AbilityWeightReport {
        let before = RankingQuality(heldOut, groups: heldOutGroups, score: equal.prediction)
        let after = RankingQuality(heldOut, groups: heldOutGroups, score: learned.prediction)
        func difference(_ times: [Int]) -> Double? {
            guard let a = before.area(times), let b = after.area(times) else { return nil }
            return b - a
        }
        let once = [Int](repeating: 1, count: heldOutGroupCount)
        let interval = Bootstrap.interval(
            count: heldOutGroupCount, resamples: resamples, seed: seed, figure: difference)
        var estimate: Bootstrap.Estimate?
        if let interval, let value = difference(once) {
            estimate = Bootstrap.Estimate(value: value, low: interval.lowerBound, high: interval.upperBound)
        }
        let (adopted, reason) = Self.verdict(estimate)
        return report(
            penalty: penalty, weights: learned.weights,
            equal: .init(auc: before.area(once), meanSquaredError: meanSquaredError(equal)),
            learned: .init(auc: after.area(once), meanSquaredError: meanSquaredError(learned)), difference: estimate,
            isAdopted: adopted, reason: reason)
    }

    private static func verdict(_ difference: Bootstrap.Estimate?) -> (isAdopted: Bool, reason: String) {
        guard let difference else { return (false, "the held-out samples are too alike to check the weights on") }
        let words =
            "\(MarkdownTable.cell(difference.value, signed: true)), 95 % between "
            + "\(MarkdownTable.cell(difference.low, signed: true)) and \(MarkdownTable.cell(difference.high, signed: true))"
        if difference.low > 0 { return (true, "the weights tell held-out feedback apart better (AUC \(words))") }
        if difference.high < 0 { return (false, "the weights tell held-out feedback apart less well (AUC \(words))") }
        return (false, "what the weights change on held-out feedback may be chance (AUC \(words))")
    }

    private func meanSquaredError(_ mix: AbilityWeightFit.Mix) -> Double {
        let sums = heldOut.reduce(into: (error: 0.0, weight: 0.0)) { sums, sample in
            let error = mix.prediction(sample) - sample.target
            sums.error += sample.weight * error * error
            sums.weight += sample.weight
        }
        return sums.error / sums.weight
    }

    /// The report of a study that came to no weights.
    func nothing(_ reason: String) -> AbilityWeightReport {
        report(
            penalty: nil, weights: .equal, equal: nil, learned: nil, difference: nil, isAdopted: false, reason: reason)
    }

    private func report(
        penalty: Double?, weights: AbilityWeights, equal: AbilityWeightReport.Figures?,
        learned: AbilityWeightReport.Figures?, difference: Bootstrap.Estimate?, isAdopted: Bool, reason: String
    ) -> AbilityWeightReport {
        AbilityWeightReport(
            samples: samples.count, groups: groupCount, positives: samples.count(where: \.isPositive), leftOut: leftOut,
            heldOutSamples: heldOut.count, heldOutGroups: heldOutGroupCount, penalty: penalty, weights: weights,
            equalWeights: equal, learnedWeights: learned, aucDifference: difference, isAdopted: isAdopted,
            reason: reason)
    }
}
