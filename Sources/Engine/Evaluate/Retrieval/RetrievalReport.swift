internal import Foundation

/// What an evaluation of retrieval found: every measure's mean over the queries, with its 95 % interval.
package struct RetrievalReport: Sendable, Codable, Equatable {
    /// What was searched and how, in words.
    package let name: String
    /// The embedding space that was searched in.
    package let space: String
    /// Queries that the means are taken over.
    package let queries: Int
    package let queriesWithoutRelevant: Int
    package let documents: Int
    package let measures: [RetrievalMeasure: Bootstrap.Estimate]
    package let resamples: Int
    package let seed: UInt64

    enum CodingKeys: String, CodingKey {
        case name, space, queries, documents, measures, resamples, seed
        case queriesWithoutRelevant = "queries_without_relevant"
    }

    /// - Throws: `RetrievalError.nothingJudged` for a run without queries.
    package init(
        _ run: RetrievalRun, name: String, space: String, resamples: Int = Bootstrap.defaultResamples,
        seed: UInt64 = Bootstrap.defaultSeed
    ) throws(RetrievalError) {
        guard !run.results.isEmpty else { throw .nothingJudged }
        self.name = name
        self.space = space
        queries = run.results.count
        queriesWithoutRelevant = run.unjudged
        documents = run.documents
        let estimates = Bootstrap.means(run.results.map(\.metrics.values), resamples: resamples, seed: seed)
        measures = Dictionary(uniqueKeysWithValues: zip(RetrievalMeasure.allCases, estimates))
        self.resamples = resamples
        self.seed = seed
    }

    /// A measure's mean.
    package subscript(_ measure: RetrievalMeasure) -> Double { measures[measure]?.value ?? 0 }

    /// Reports side by side, a row for each measure.
    package static func markdown(_ reports: [RetrievalReport]) -> String {
        let table = MarkdownTable(
            header: ["measure"] + reports.map(\.name),
            rows: [
                ["queries"] + reports.map { "\($0.queries)" },
                ["queries without a relevant document"] + reports.map { "\($0.queriesWithoutRelevant)" },
                ["documents"] + reports.map { "\($0.documents)" },
            ]
                + RetrievalMeasure.allCases.map { measure in
                    [measure.label] + reports.map { MarkdownTable.cell($0.measures[measure]) }
                })
        return table.text
    }

    /// The report as a table.
    package var markdown: String { Self.markdown([self]) }
}

/// How two ways of searching differ over the same queries: what `other` has more than `baseline`.
///
/// Paired: queries differ far more from one another than two ways of answering one query do, so the interval is that
/// of the queries' differences, not the difference of two intervals.
package struct RetrievalComparison: Sendable, Codable, Equatable {
    package let baseline: String
    package let other: String
    /// Queries that both runs have.
    package let queries: Int
    package let differences: [RetrievalMeasure: Bootstrap.Estimate]
    /// Of the paired randomisation test.
    package let p: [RetrievalMeasure: Double]
    package let resamples: Int
    package let seed: UInt64

    /// - Throws: `RetrievalError.nothingInCommon`.
    package init(
        of other: RetrievalRun, named otherName: String, over baseline: RetrievalRun, named baselineName: String,
        resamples: Int = Bootstrap.defaultResamples, seed: UInt64 = Bootstrap.defaultSeed
    ) throws(RetrievalError) {
        let before = Dictionary(
            baseline.results.map { ($0.query, $0.metrics) }, uniquingKeysWith: { first, _ in first })
        let rows = other.results.compactMap { result in
            before[result.query].map { zip(result.metrics.values, $0.values).map { $0 - $1 } }
        }
        guard !rows.isEmpty else { throw .nothingInCommon }
        self.baseline = baselineName
        self.other = otherName
        queries = rows.count
        let estimates = Bootstrap.means(rows, resamples: resamples, seed: seed)
        differences = Dictionary(uniqueKeysWithValues: zip(RetrievalMeasure.allCases, estimates))
        p = Dictionary(uniqueKeysWithValues: zip(RetrievalMeasure.allCases, PairedTest.p(rows, seed: seed)))
        self.resamples = resamples
        self.seed = seed
    }

    /// The comparison as a table.
    package var markdown: String {
        MarkdownTable(
            header: ["\(other) over \(baseline)", "difference (95 %)", "p"],
            rows: RetrievalMeasure.allCases.map {
                [$0.label, MarkdownTable.cell(differences[$0], signed: true), Self.cell(p: p[$0])]
            }
        ).text
    }

    private static func cell(p: Double?) -> String {
        guard let p, p < 0.001 else { return MarkdownTable.cell(p) }
        return "< 0.001"
    }
}
