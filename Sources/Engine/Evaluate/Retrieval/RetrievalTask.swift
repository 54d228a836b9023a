/// A collection as it is to be answered: what is judged, and what no ranking may count.
package struct RetrievalTask: Sendable {
    package let collection: RetrievalCollection
    package let judgements: RetrievalJudgements
    private let leavingOut: [String: Set<String>]

    /// - Parameter excludesSelf: whether documents that say the same as the query are left out of its ranking and of what
    ///   is judged; otherwise only those are left out, of its ranking, that are not judged relevant.
    package init(_ collection: RetrievalCollection, _ judgements: RetrievalJudgements, excludesSelf: Bool = false) {
        self.collection = collection
        let own = collection.ownDocuments(judgements)
        let equal = excludesSelf ? collection.equalDocuments() : [:]
        self.judgements = judgements.leavingOut(equal)
        leavingOut = own.merging(equal) { $0.union($1) }
    }

    private static let batch = 256

    /// - Throws: `RetrievalError.nothingJudged`, an error of the encoder or of the index.
    package func run(_ search: RetrievalSearch) async throws -> RetrievalRun {
        try await RetrievalRun.measure(
            collection, judgements, leavingOut: leavingOut, batch: Self.batch
        ) { try await search.rank($0) }
    }

    /// The queries that a run answers worst, by average precision, with what they found and what they should have.
    package func failures(of run: RetrievalRun, count: Int) -> [RetrievalFailure] {
        let queries = Dictionary(collection.queries.map { ($0.id, $0.text) }, uniquingKeysWith: { first, _ in first })
        let documents = Dictionary(
            collection.documents.map { ($0.id, $0.text) }, uniquingKeysWith: { first, _ in first })
        return run.worst(count, by: .averagePrecision).map { result in
            RetrievalFailure(
                query: result.query, text: queries[result.query] ?? "",
                averagePrecision: result.metrics[.averagePrecision],
                found: result.first.map { documents[$0] ?? $0 },
                wanted: judgements.grades(of: result.query).filter { $0.value > 0 }.keys.sorted().prefix(3).map {
                    documents[$0] ?? $0
                })
        }
    }
}

/// A query that was answered badly.
package struct RetrievalFailure: Sendable, Encodable {
    package let query: String
    package let text: String
    package let averagePrecision: Double
    /// The first documents of the ranking.
    package let found: [String]
    /// Some of the relevant ones.
    package let wanted: [String]

    enum CodingKeys: String, CodingKey {
        case query, text, found, wanted
        case averagePrecision = "average_precision"
    }

    /// A row for each, long texts cut.
    package static func markdown(_ failures: [RetrievalFailure]) -> String {
        MarkdownTable(
            header: ["query", "average precision", "found first", "relevant"],
            rows: failures.map { failure in
                [
                    cut(failure.text), MarkdownTable.cell(failure.averagePrecision),
                    failure.found.map(cut).joined(separator: "; "), failure.wanted.map(cut).joined(separator: "; "),
                ]
            }
        ).text
    }

    private static func cut(_ text: String) -> String {
        let first = text.split(separator: ". ", maxSplits: 1).first.map(String.init) ?? text
        let short = first.count > 60 ? first.prefix(57) + "…" : first[...]
        return String(short)
    }
}
