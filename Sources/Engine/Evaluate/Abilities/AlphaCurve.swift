internal import VectorIndex

/// How well related careers are found by texts and abilities together, for each share α of the texts.
package struct AlphaCurve: Sendable, Codable, Equatable {
    package struct Point: Sendable, Codable, Equatable {
        package let alpha: Double
        /// nDCG@10 over the careers that were asked for.
        package let gain: Bootstrap.Estimate
    }

    /// Careers that were asked for.
    package let queries: Int
    /// λ of the generation, by which ability cosines are scaled.
    package let lambda: Float
    /// Ascending by α, from 0 to 1.
    package let points: [Point]

    /// Steps of α.
    private static let steps = 20

    /// Asks for what is like each career, as the engine scores it: α · cosine of texts + (1 − α) · λ · cosine of abilities.
    ///
    /// - Returns: nil where no judged career has vectors.
    /// - Complexity: O(n² · (dimension + steps · log n)) for n careers.
    package static func measure(_ related: RelatedCareers, in generation: CareerGeneration) -> AlphaCurve? {
        guard generation.space != nil else { return nil }
        let layout = generation.index.layout
        var rows: [(id: String, row: [Float])] = []
        for career in related.careers {
            guard let slot = generation.index.slot(of: ItemID(generation.storedID(career.id))) else { continue }
            rows.append((career.id, generation.index.row(at: slot)))
        }
        let lambda = generation.calibration.lambda
        var gains = [[Double]](repeating: [], count: steps + 1)
        for (place, query) in rows.enumerated() where related.isAsked(query.id) {
            let grades = related.judgements.grades(of: query.id)
            let cosines = rows.map { other in
                (
                    text: product(query.row, other.row, 0..<layout.embeddingCount),
                    ability: product(query.row, other.row, layout.embeddingCount..<layout.rowCount)
                )
            }
            for step in 0...steps {
                let alpha = Float(step) / Float(steps)
                let scores = cosines.map { alpha * $0.text + (1 - alpha) * lambda * $0.ability }
                let ranking = rows.indices.filter { $0 != place }
                    .sorted { (-scores[$0], $0) < (-scores[$1], $1) }.map { rows[$0].id }
                guard let metrics = RetrievalMetrics(ranking: ranking, grades: grades) else { continue }
                gains[step].append(metrics[.gain10])
            }
        }
        guard !gains[0].isEmpty else { return nil }
        // A row a query, so that all shares are resampled together.
        let table = gains[0].indices.map { query in gains.map { $0[query] } }
        let estimates = Bootstrap.means(table)
        return AlphaCurve(
            queries: table.count, lambda: lambda,
            points: estimates.enumerated().map { Point(alpha: Double($0.offset) / Double(steps), gain: $0.element) })
    }

    /// The α that finds most; the smaller one of equals.
    package var best: Point? { points.max { ($0.gain.value, -$0.alpha) < ($1.gain.value, -$1.alpha) } }

    package var markdown: String {
        MarkdownTable(
            header: ["α", "nDCG@10 of related occupations"],
            rows: points.map { [MarkdownTable.cell($0.alpha), MarkdownTable.cell($0.gain)] }
        ).text
    }

    private static func product(_ a: [Float], _ b: [Float], _ range: Range<Int>) -> Float {
        var sum: Float = 0
        for i in range { sum += a[i] * b[i] }
        return sum
    }
}
