internal import Foundation

/// A measure of how well a ranking answers a query, 0…1; its name is its key in JSON.
package enum RetrievalMeasure: String, CaseIterable, Sendable, Codable, CodingKeyRepresentable {
    case averagePrecision = "map"
    case reciprocalRank = "mrr"
    case success1 = "success_at_1"
    case success5 = "success_at_5"
    case success10 = "success_at_10"
    case recall1 = "recall_at_1"
    case recall5 = "recall_at_5"
    case recall10 = "recall_at_10"
    case gain10 = "ndcg_at_10"

    /// How it is called in tables.
    package var label: String {
        switch self {
        case .averagePrecision: "MAP"
        case .reciprocalRank: "MRR"
        case .success1: "success@1"
        case .success5: "success@5"
        case .success10: "success@10"
        case .recall1: "recall@1"
        case .recall5: "recall@5"
        case .recall10: "recall@10"
        case .gain10: "nDCG@10"
        }
    }

    /// Its place in `allCases`.
    var position: Int { Self.positions[self] ?? 0 }

    private static let positions = Dictionary(uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })
}

/// How well one ranking answers one query (docs/evaluation.md has the formulas).
package struct RetrievalMetrics: Sendable, Equatable {
    /// In the order of `RetrievalMeasure.allCases`.
    let values: [Double]

    package subscript(_ measure: RetrievalMeasure) -> Double { values[measure.position] }

    /// - Parameters:
    ///   - ranking: document ids, best first; a document named again counts at its first place alone. Relevant
    ///     documents that it leaves out count as never found.
    ///   - grades: of the judged documents; above 0 is relevant.
    /// - Returns: Nil where no document is relevant: nothing could be found.
    package init?(ranking: [String], grades: [String: Int]) {
        let relevant = grades.values.filter { $0 > 0 }
        guard !relevant.isEmpty else { return nil }
        var found: [(rank: Int, grade: Int)] = []
        var seen: Set<String> = []
        var repeated = 0
        // Ranks are counted without repetitions, which needs every id to be remembered.
        for (position, id) in ranking.enumerated() {
            guard seen.insert(id).inserted else {
                repeated += 1
                continue
            }
            if let grade = grades[id], grade > 0 { found.append((position + 1 - repeated, grade)) }
        }
        let total = Double(relevant.count)
        func hits(_ depth: Int) -> Double { Double(found.prefix { $0.rank <= depth }.count) }
        func discounted(_ graded: some Sequence<(rank: Int, grade: Int)>) -> Double {
            graded.reduce(0) { $0 + Double($1.grade) / log2(Double($1.rank + 1)) }
        }
        let precisions = found.enumerated().reduce(0) { $0 + Double($1.offset + 1) / Double($1.element.rank) }
        let ideal = relevant.sorted(by: >).prefix(10).enumerated().map { (rank: $0 + 1, grade: $1) }
        values = RetrievalMeasure.allCases.map { measure in
            switch measure {
            case .averagePrecision: precisions / total
            case .reciprocalRank: found.first.map { 1 / Double($0.rank) } ?? 0
            case .success1: min(hits(1), 1)
            case .success5: min(hits(5), 1)
            case .success10: min(hits(10), 1)
            case .recall1: hits(1) / total
            case .recall5: hits(5) / total
            case .recall10: hits(10) / total
            case .gain10: discounted(found.prefix { $0.rank <= 10 }) / discounted(ideal)
            }
        }
    }
}
