/// How far careers that are alike in their abilities have the same first interest of Holland's six.
package struct InterestAgreement: Sendable, Codable, Equatable {
    package let comparison: AbilityComparison
    /// Careers whose interests are known.
    package let careers: Int
    /// Mean cosine of two careers of the same first interest; nil where there is no such pair.
    package let sameInterest: Double?
    /// Mean cosine of two careers of different first interests; nil where there is no such pair.
    package let otherInterest: Double?
    /// Share of the careers whose nearest has the same first interest.
    package let success1: Bootstrap.Estimate
    /// Share of the ten nearest that have the same first interest.
    package let precision10: Bootstrap.Estimate
    /// Both shares if the nearest were drawn by chance.
    package let chance: Double

    enum CodingKeys: String, CodingKey {
        case comparison, careers, chance
        case sameInterest = "mean_cosine_same_interest"
        case otherInterest = "mean_cosine_other_interest"
        case success1 = "success_at_1"
        case precision10 = "precision_at_10"
    }

    /// The attribute of careers that lists their interests, the strongest first (docs/onet.md).
    private static let attribute = "interests"

    /// - Parameter careers: in ascending order of id; those without interests are left out.
    /// - Returns: Nil where fewer than two have interests.
    package init?(
        _ careers: [Career], frame: AbilityFrame, resamples: Int = Bootstrap.defaultResamples,
        seed: UInt64 = Bootstrap.defaultSeed
    ) {
        let known = careers.filter { Self.first(of: $0) != nil }
        guard known.count > 1 else { return nil }
        let interests = known.map { Self.first(of: $0) ?? "" }
        let ranking = AbilityRanking(known, frame: frame)
        var same = (sum: 0.0, pairs: 0)
        var other = (sum: 0.0, pairs: 0)
        var shares: [[Double]] = []
        for a in known.indices {
            for b in known.indices where b > a {
                let cosine = Double(ranking.cosine(a, b))
                if interests[a] == interests[b] {
                    same = (same.sum + cosine, same.pairs + 1)
                } else {
                    other = (other.sum + cosine, other.pairs + 1)
                }
            }
            let hits = ranking.nearest(to: a).prefix(10).map { interests[$0] == interests[a] ? 1.0 : 0 }
            shares.append([hits[0], hits.reduce(0, +) / Double(hits.count)])
        }
        let estimates = Bootstrap.means(shares, resamples: resamples, seed: seed)
        comparison = frame.comparison
        self.careers = known.count
        sameInterest = same.pairs > 0 ? same.sum / Double(same.pairs) : nil
        otherInterest = other.pairs > 0 ? other.sum / Double(other.pairs) : nil
        success1 = estimates[0]
        precision10 = estimates[1]
        // Every pair of the same interest is two of the n·(n − 1) draws that could be made.
        chance = Double(same.pairs) / Double(same.pairs + other.pairs)
    }

    private static func first(of career: Career) -> String? {
        guard case .words(let words)? = career.attributes[attribute] else { return nil }
        return words.first
    }

    /// Reports side by side.
    static func markdown(_ reports: [InterestAgreement]) -> String {
        func row(_ name: String, _ cell: (InterestAgreement) -> String) -> [String] { [name] + reports.map(cell) }
        return MarkdownTable(
            header: row("first interest (RIASEC)") { "\($0.comparison.rawValue) cosine" },
            rows: [
                row("occupations") { "\($0.careers)" },
                row("mean cosine, same interest") { MarkdownTable.cell($0.sameInterest) },
                row("mean cosine, other interest") { MarkdownTable.cell($0.otherInterest) },
                row("success@1") { MarkdownTable.cell($0.success1) },
                row("precision@10") { MarkdownTable.cell($0.precision10) },
                row("both by chance") { MarkdownTable.cell($0.chance) },
            ]
        ).text
    }
}
