/// How well each way of comparing abilities alone finds related careers, over the same careers asked for.
package struct AbilityRankingReport: Sendable, Codable, Equatable {
    package let reports: [RetrievalReport]
    /// Every other way over the centred cosine, which is the engine's.
    package let comparisons: [RetrievalComparison]

    private static let centredName = "centred cosine"
    private static let plainName = "plain cosine"
    private static let learnedName = "centred, learned weights"

    /// - Throws: `RetrievalError` for runs without queries.
    init(_ given: AbilityRuns, resamples: Int, seed: UInt64) throws(RetrievalError) {
        var runs = [(Self.centredName, given.centred), (Self.plainName, given.plain)]
        if let learned = given.learned { runs.append((Self.learnedName, learned)) }
        var reports: [RetrievalReport] = []
        var comparisons: [RetrievalComparison] = []
        for (name, run) in runs {
            reports.append(
                try RetrievalReport(run, name: name, space: "abilities", resamples: resamples, seed: seed))
            if name == Self.centredName { continue }
            comparisons.append(
                try RetrievalComparison(
                    of: run, named: name, over: given.centred, named: Self.centredName, resamples: resamples,
                    seed: seed))
        }
        self.reports = reports
        self.comparisons = comparisons
    }

    /// How much nDCG@10 the learned weights add to the centred cosine; nil where there are none.
    package var gain: Bootstrap.Estimate? {
        comparisons.first { $0.other == Self.learnedName }?.differences[.gain10]
    }

    /// Two tables: the measures, and the differences.
    package var markdown: String {
        let differences = MarkdownTable(
            header: ["difference to \(Self.centredName) (95 %)"] + comparisons.map(\.other),
            rows: RetrievalMeasure.allCases.map { measure in
                [measure.label]
                    + comparisons.map { MarkdownTable.cell($0.differences[measure], signed: true) }
            })
        return RetrievalReport.markdown(reports) + "\n\n" + differences.text
    }
}

/// Weights learned on one half of the careers and held against equal ones on the other.
package struct AbilityTrial: Sendable, Codable, Equatable {
    package let learnedOn: CareerHalf
    package let reportedOn: CareerHalf
    package let learned: LearnedAbilityWeights
    /// Careers of `reportedOn` are asked for; careers of both halves are ranked.
    package let rankings: AbilityRankingReport

    enum CodingKeys: String, CodingKey {
        case learned, rankings
        case learnedOn = "learned_on"
        case reportedOn = "reported_on"
    }

    /// Whether the learned weights find related careers better than equal ones do, beyond chance.
    package var helps: Bool { (rankings.gain?.low ?? 0) > 0 }

    /// What came of it, in words.
    var finding: String {
        guard let gain = rankings.gain else { return learned.reason ?? "nothing was learned" }
        let verdict =
            if gain.low > 0 { "better" } else if gain.high < 0 { "less well" } else { "no better beyond chance" }
        return "\(verdict) on the \(reportedOn.rawValue) half (nDCG@10 "
            + "\(MarkdownTable.cell(gain.value, signed: true)), 95 % between "
            + "\(MarkdownTable.cell(gain.low, signed: true)) and \(MarkdownTable.cell(gain.high, signed: true)))"
    }
}
