internal import VectorIndex

/// How well one way of searching answers each query of a collection.
package struct RetrievalRun: Sendable {
    package struct QueryResult: Sendable, Equatable {
        package let query: String
        package let metrics: RetrievalMetrics
        /// The first documents of the ranking.
        package let first: [String]

        package init(query: String, metrics: RetrievalMetrics, first: [String] = []) {
            self.query = query
            self.metrics = metrics
            self.first = first
        }
    }

    /// Of every query that has a relevant document, in the collection's order.
    package let results: [QueryResult]
    /// Queries without a relevant document, which say nothing and are left out of every mean.
    package let unjudged: Int
    package let documents: Int

    package init(results: [QueryResult], unjudged: Int, documents: Int) {
        self.results = results
        self.unjudged = unjudged
        self.documents = documents
    }

    package static let defaultBatch = 64
    /// Documents of a ranking that are kept to be shown.
    private static let shown = 3

    /// Ranks the documents for every judged query and measures the rankings.
    ///
    /// - Parameters:
    ///   - leavingOut: for each query documents that its ranking must not count.
    ///   - batch: queries to rank at a time.
    ///   - rank: for some queries, in their order, the document ids best first, equal scores by ascending id
    ///     (`ranking(of:)`): all of them, or as deep as the search went.
    /// - Throws: `RetrievalError.nothingJudged`, or what `rank` throws.
    package static func measure(
        _ collection: RetrievalCollection, _ judgements: RetrievalJudgements,
        leavingOut: [String: Set<String>] = [:], batch: Int = defaultBatch,
        rank: (ArraySlice<RetrievalText>) async throws -> [[String]]
    ) async throws -> RetrievalRun {
        precondition(batch > 0)
        let judged = collection.queries.filter { query in judgements.grades(of: query.id).values.contains { $0 > 0 } }
        guard !judged.isEmpty else { throw RetrievalError.nothingJudged }
        var results: [QueryResult] = []
        for start in stride(from: 0, to: judged.count, by: batch) {
            try Task.checkCancellation()
            let queries = judged[start..<min(start + batch, judged.count)]
            let rankings = try await rank(queries)
            precondition(rankings.count == queries.count, "a ranking is missing")
            for (query, ranking) in zip(queries, rankings) {
                let own = leavingOut[query.id] ?? []
                let kept = own.isEmpty ? ranking : ranking.filter { !own.contains($0) }
                guard let metrics = RetrievalMetrics(ranking: kept, grades: judgements.grades(of: query.id)) else {
                    continue
                }
                results.append(QueryResult(query: query.id, metrics: metrics, first: Array(kept.prefix(Self.shown))))
            }
        }
        return RetrievalRun(
            results: results, unjudged: collection.queries.count - judged.count, documents: collection.documents.count)
    }

    /// The queries that are answered worst by a measure, the worst first; equal ones by id.
    package func worst(_ count: Int, by measure: RetrievalMeasure) -> [QueryResult] {
        Array(results.sorted { ($0.metrics[measure], $0.query) < ($1.metrics[measure], $1.query) }.prefix(count))
    }

    /// The ids by descending score, equal scores by ascending id: the engine's order.
    package static func ranking(of scores: [(id: String, score: Float)]) -> [String] {
        scores.map { Rank(score: $0.score, id: ItemID($0.id)) }.sorted().map(\.id.text)
    }
}
