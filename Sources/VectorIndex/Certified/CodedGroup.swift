internal import VectorMath

/// A group of queries as it meets the codes of one segment.
struct CodedGroup: Sendable {
    let batch: CodeBatch
    /// One for each query: its margins, and the planes for rows that are followed one by one.
    let queries: [CodedQuery]
    /// By number of planes read, less one.
    private let weights: [CodeBatch.Weights]
    let planes: Int

    init(_ requests: [SearchRequest], segment: Segment, codes: RowCodes, layout: RowLayout) {
        let queries = requests.map {
            CodedQuery(
                $0.query, coordinates: codes.axes.coordinates(of: $0.query.row), codes: codes, layout: layout,
                greatestRowNorm: segment.greatestNorm, isApproximate: $0.conditions.isApproximate)
        }
        let batch = CodeBatch(
            coordinates: queries.map(\.coordinates), dimensions: codes.planes.map(\.coordinates.count),
            abilities: queries.map(\.abilities), abilityWidth: codes.abilityWidth)
        let filler = [Float](repeating: 0, count: batch.paddedCount - batch.count)
        weights = codes.planes.indices.map { last in
            CodeBatch.Weights(
                residuals: (0...last).map { p in queries.map { $0.planes[p].residualWeight } + filler },
                tails: queries.map { $0.planes[last].tailWeight } + filler,
                // What the integers of 8 bits leave out of the query meets codes at most a tenth longer than their row.
                margins: queries.indices.map { q in
                    let missing = (0...last).reduce(0) { $0 + batch.residuals[$1][q] }
                    return Float(missing * 1.1 * codes.greatestEmbeddingNorm).nextUp
                } + filler)
        }
        self.queries = queries
        self.batch = batch
        planes = codes.planes.count
    }

    func weights(planes count: Int) -> CodeBatch.Weights { weights[count - 1] }

    /// What a partial sum of so many planes must reach for a bound to reach the threshold.
    func need(_ threshold: Float, query: Int, planes count: Int) -> Float {
        (threshold - queries[query].planes[count - 1].margin).nextDown
    }
}
