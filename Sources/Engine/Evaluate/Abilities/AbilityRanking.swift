/// Careers ranked by how alike their abilities are, and by nothing else.
package struct AbilityRanking: Sendable {
    private let careers: [Career]
    /// (careers, 15), of unit length.
    private let vectors: [[Float]]

    /// - Parameter careers: in ascending order of id.
    package init(_ careers: [Career], frame: AbilityFrame) {
        self.careers = careers
        vectors = careers.map { frame.unitVector($0.abilities) }
    }

    /// The cosine of two careers' abilities as the frame compares them.
    package func cosine(_ a: Int, _ b: Int) -> Float {
        zip(vectors[a], vectors[b]).reduce(Float(0)) { $0 + $1.0 * $1.1 }
    }

    /// The places of all other careers, nearest first, equal cosines by ascending id.
    package func nearest(to place: Int) -> [Int] {
        let cosines = careers.indices.map { cosine(place, $0) }
        return careers.indices.filter { $0 != place }
            .sorted { (-cosines[$0], $0) < (-cosines[$1], $1) }
    }

    /// How well the nearest of some careers are those that they are related to.
    ///
    /// - Parameter places: of the careers that are asked for; all others are ranked for each.
    func run(_ places: [Int], _ related: RelatedCareers) -> RetrievalRun {
        var results: [RetrievalRun.QueryResult] = []
        for place in places {
            let id = careers[place].id
            guard related.isAsked(id) else { continue }
            let ranking = nearest(to: place).map { careers[$0].id }
            if let metrics = RetrievalMetrics(ranking: ranking, grades: related.judgements.grades(of: id)) {
                results.append(RetrievalRun.QueryResult(query: id, metrics: metrics))
            }
        }
        return RetrievalRun(results: results, unjudged: places.count - results.count, documents: careers.count)
    }
}
