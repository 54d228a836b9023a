internal import Foundation
internal import VectorMath

/// What feedback says of how much each ability counts, and whether to believe it.
package struct AbilityWeightReport: Sendable, Codable, Equatable {
    /// How well one set of weights tells the held-out samples apart.
    package struct Figures: Sendable, Codable, Equatable {
        /// Area under the ROC curve; nil where the held-out part has only one kind of sample.
        package let auc: Double?
        /// Mean squared error of the regression, by the samples' weights.
        package let meanSquaredError: Double

        enum CodingKeys: String, CodingKey {
            case auc
            case meanSquaredError = "mean_squared_error"
        }
    }

    package let samples: Int
    package let groups: Int
    /// Samples of careers that were wanted.
    package let positives: Int
    /// Samples with numbers that cannot be, which were not used.
    package let leftOut: Int
    package let heldOutSamples: Int
    package let heldOutGroups: Int
    /// Of the regression, relative to the samples; nil where it came to none.
    package let penalty: Double?
    /// What was learned from the part that was not held out; equal where nothing could be.
    package let weights: AbilityWeights
    /// Nil where nothing was learned.
    package let equalWeights: Figures?
    package let learnedWeights: Figures?
    /// How much more area the learned weights have, with the 95 % interval over held-out groups.
    package let aucDifference: Bootstrap.Estimate?
    /// Whether the learned weights are to be used.
    package let isAdopted: Bool
    /// Why they are or are not, in words.
    package let reason: String

    enum CodingKeys: String, CodingKey {
        case samples, groups, positives, penalty, weights, reason
        case leftOut = "left_out"
        case heldOutSamples = "held_out_samples"
        case heldOutGroups = "held_out_groups"
        case equalWeights = "equal_weights"
        case learnedWeights = "learned_weights"
        case aucDifference = "auc_difference"
        case isAdopted = "is_adopted"
    }

    /// Fewer samples or groups than these are not learned from.
    package static let minimumSamples = 200
    package static let minimumGroups = 30
    /// A bootstrap over fewer groups than this gives intervals that are too narrow.
    package static let minimumHeldOutGroups = 8

    /// The report as tables.
    package var markdown: String {
        var text = MarkdownTable(
            header: ["feedback", ""],
            rows: [
                ["samples", "\(samples), \(positives) of them wanted"],
                ["sessions", "\(groups)"],
                ["samples left out as damaged", "\(leftOut)"],
                ["held out", "\(heldOutSamples) of \(heldOutGroups) sessions"],
                ["AUC, all abilities alike", MarkdownTable.cell(equalWeights?.auc)],
                ["AUC, learned weights", MarkdownTable.cell(learnedWeights?.auc)],
                ["difference (95 %)", MarkdownTable.cell(aucDifference, signed: true)],
                ["mean squared error, all alike", MarkdownTable.cell(equalWeights?.meanSquaredError)],
                ["mean squared error, learned", MarkdownTable.cell(learnedWeights?.meanSquaredError)],
                ["penalty", penalty.map { "\($0)" } ?? "–"],
                ["adopted", isAdopted ? "yes" : "no"],
            ]
        ).text
        text += "\n\n" + reason.prefix(1).uppercased() + reason.dropFirst() + ".\n"
        guard learnedWeights != nil else { return text }
        let ordered = Ability.allCases.sorted { (-weights[$0], $0.position) < (-weights[$1], $1.position) }
        text +=
            "\n"
            + MarkdownTable(
                header: ["ability", "weight"],
                rows: ordered.map { [$0.words, String(format: "%.2f", weights[$0])] }
            ).text
        return text
    }
}

extension AbilityWeightReport {
    /// Learns the weights from four fifths of the groups and checks them on the rest.
    ///
    /// What is reported and adopted are the weights that were checked: they are not fitted again to all samples.
    /// - Complexity: some 50 regressions over the samples with 17 unknowns, and 2,000 passes over the held-out ones.
    package static func learn(
        _ given: [AbilityWeightSample], resamples: Int = Bootstrap.defaultResamples,
        seed: UInt64 = Bootstrap.defaultSeed
    ) -> AbilityWeightReport {
        let samples = given.filter(\.isUsable)
        let study = AbilityWeightStudy(samples, leftOut: given.count - samples.count)
        do {
            return try study.report(resamples: resamples, seed: seed)
        } catch {
            return study.nothing("the regression has no solution (\(error))")
        }
    }
}
