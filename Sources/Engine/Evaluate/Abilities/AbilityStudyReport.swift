internal import Foundation

/// What the 15 abilities alone say of which occupations are related, and whether learned weights say it better.
package struct AbilityStudyReport: Sendable, Codable, Equatable {
    /// Careers that were asked for or ranked.
    package let careers: Int
    /// Pairs of them that are related.
    package let relatedPairs: Int
    /// Over all careers; each with the weights that were learned on the half that it is not in.
    package let rankings: AbilityRankingReport
    /// Learned on the first half and reported on the second, then the reverse.
    package let trials: [AbilityTrial]
    /// What all careers teach: the weights to use, if the trials say that such weights help.
    package let learned: LearnedAbilityWeights
    /// Whether learned weights helped in both directions.
    package let helps: Bool
    /// Why they do or do not, in words.
    package let reason: String
    /// By the centred and the plain cosine; empty where the careers' interests are not known.
    package let interests: [InterestAgreement]

    enum CodingKeys: String, CodingKey {
        case careers, rankings, trials, learned, helps, reason, interests
        case relatedPairs = "related_pairs"
    }

    /// - Throws: `AbilityStudyError.tooFew`, `RetrievalError`.
    /// - Complexity: O(n² · log n) for n careers, some 140 regressions, and the resamples.
    package static func measure(
        _ related: RelatedCareers, resamples: Int = Bootstrap.defaultResamples, seed: UInt64 = Bootstrap.defaultSeed
    ) throws -> AbilityStudyReport {
        let frame = AbilityFrame(profiles: related.profiles, comparison: .centred)
        var trials: [AbilityTrial] = []
        var runs: [AbilityRuns] = []
        for half in CareerHalf.allCases {
            let asked = related.places(in: half.other)
            guard asked.contains(where: { related.isAsked(related.careers[$0].id) }) else {
                throw AbilityStudyError.tooFew(careers: related.careers.count)
            }
            let learned = LearnedAbilityWeights(related.places(in: half), of: related, frame: frame, seed: seed)
            let run = AbilityRuns(asked, of: related, weights: learned.weights)
            let rankings = try AbilityRankingReport(run, resamples: resamples, seed: seed)
            runs.append(run)
            trials.append(
                AbilityTrial(learnedOn: half, reportedOn: half.other, learned: learned, rankings: rankings))
        }
        let relatedPairs = related.careers.reduce(0) { sum, career in
            sum + related.judgements.grades(of: career.id).values.count(where: { $0 > 0 })
        }
        let helps = trials.allSatisfy(\.helps)
        let findings = trials.map { "those of the \($0.learnedOn.rawValue) half, \($0.finding)" }
        let verdict = helps ? "learned weights help" : "learned weights do not help in both directions"
        return AbilityStudyReport(
            careers: related.careers.count, relatedPairs: relatedPairs,
            rankings: try AbilityRankingReport(AbilityRuns(joining: runs), resamples: resamples, seed: seed),
            trials: trials,
            learned: LearnedAbilityWeights(
                Array(related.careers.indices), of: related, frame: frame, seed: seed),
            helps: helps, reason: "\(verdict): \(findings.joined(separator: "; "))",
            interests: [AbilityComparison.centred, .plain].compactMap { comparison in
                InterestAgreement(
                    related.careers, frame: AbilityFrame(profiles: related.profiles, comparison: comparison),
                    resamples: resamples, seed: seed)
            })
    }
}

extension AbilityStudyReport {
    /// The report as tables.
    package var markdown: String {
        var parts = [
            "### All \(careers) occupations, \(relatedPairs) related pairs; weights learned on the other half",
            rankings.markdown,
        ]
        for trial in trials {
            parts.append(
                "### Learned on the \(trial.learnedOn.rawValue) half (\(Self.words(trial.learned))), "
                    + "reported on the \(trial.reportedOn.rawValue)")
            parts.append(trial.rankings.markdown)
        }
        parts.append("### Weights")
        parts.append(weightTable)
        parts.append(reason.prefix(1).uppercased() + reason.dropFirst() + ".")
        if !interests.isEmpty {
            parts.append("### Interests")
            parts.append(InterestAgreement.markdown(interests))
        }
        return parts.joined(separator: "\n\n")
    }

    private static func words(_ learned: LearnedAbilityWeights) -> String {
        "\(learned.relatedPairs) related of \(learned.pairs) pairs, "
            + (learned.penalty.map { "penalty \($0)" } ?? "nothing learned")
    }

    /// The weights of each half and of all, the greatest of all first.
    private var weightTable: String {
        let columns = trials.map(\.learned.weights) + [learned.weights]
        let common = learned.weights ?? .equal
        let ordered = Ability.allCases.sorted { (-common[$0], $0.position) < (-common[$1], $1.position) }
        func cell(_ weights: AbilityWeights?, _ ability: Ability) -> String {
            weights.map { String(format: "%.2f", $0[ability]) } ?? "–"
        }
        let header = ["weight learned on"] + trials.map { "the \($0.learnedOn.rawValue) half" } + ["all"]
        return MarkdownTable(
            header: header, rows: ordered.map { ability in [ability.words] + columns.map { cell($0, ability) } }
        ).text
    }
}
