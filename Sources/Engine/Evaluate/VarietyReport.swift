/// How evenly careers are recommended over random sheets of answers.
package struct VarietyReport: Sendable, Codable, Equatable {
    /// How the ranking moves with α: how many of the default α's five careers another α gives too.
    package struct Sensitivity: Sendable, Codable, Equatable {
        package let alpha: Float
        /// Mean share of the list in common, 0…1.
        package let overlap: Double
    }

    package let comparison: AbilityComparison
    package let sheets: Int
    package let careers: Int
    /// Careers that are in at least one list, as a share of all.
    package let coverage: Double
    /// Share of the lists that the most frequent career is in.
    package let greatestShare: Double
    package let mostFrequent: String
    /// Least and greatest share of the lists that have a career of a cluster.
    package let clusterShares: ClosedRange<Double>
    package let lambda: Float
    package let textMean: Double
    package let textSpread: Double
    package let abilityMean: Double
    package let abilitySpread: Double
    /// Share of the lists that change when the abilities are left out (α = 1).
    package let listsChangedByAbilities: Double
    package let sensitivity: [Sensitivity]
    /// How unevenly careers are recommended: Gini's coefficient over all careers, those never recommended included.
    package let gini: Double
    /// The same of as many random lists: what chance alone leaves uneven.
    package let randomGini: Double
    /// Mean cosine of texts over the pairs of a list; nil where there is no model.
    package let intraListText: Double?
    /// Mean cosine of abilities over the pairs of a list, compared as `comparison` says; nil where no list has a pair.
    package let intraListAbilities: Double?
    /// The same of random lists as long, with one career of a cluster too.
    package let randomListText: Double?
    package let randomListAbilities: Double?

    enum CodingKeys: String, CodingKey {
        case comparison, sheets, careers, coverage, lambda, sensitivity, gini
        case greatestShare = "greatest_share"
        case mostFrequent = "most_frequent"
        case clusterShares = "cluster_shares"
        case textMean = "text_mean"
        case textSpread = "text_spread"
        case abilityMean = "ability_mean"
        case abilitySpread = "ability_spread"
        case listsChangedByAbilities = "lists_changed_by_abilities"
        case randomGini = "random_list_gini"
        case intraListText = "intra_list_text"
        case intraListAbilities = "intra_list_abilities"
        case randomListText = "random_list_text"
        case randomListAbilities = "random_list_abilities"
    }

    package static let defaultSeed: UInt64 = 1

    /// Recommends for `sheets` random sheets (free texts left out), five careers each, one of a cluster.
    ///
    /// - Parameter alphas: to hold against the default α.
    package static func measure(
        _ recommender: Recommender, quiz: Quiz, sheets: Int, seed: UInt64 = defaultSeed,
        alphas: [Float] = [0, 0.3, 0.5, 0.6, 0.8, 0.9, 1]
    ) async throws -> VarietyReport {
        let generation = recommender.current
        var random = SplitMix64(seed: seed)
        var counts: [String: Int] = [:]
        var clusterCounts: [String: Int] = [:]
        var overlaps = [Double](repeating: 0, count: alphas.count)
        var changed = 0
        let likeness = ListLikeness(generation)
        var alike = LikenessMeans()
        var yardstick = RandomLists(generation, seed: seed)
        for _ in 0..<sheets {
            let sheet = try AnswerSheet(quiz.randomAnswers(using: &random), to: quiz)
            let list = try await ids(recommender, sheet, alpha: nil)
            alike.add(likeness.cosines(list))
            yardstick.draw(list.count, likeness)
            for id in list {
                counts[id, default: 0] += 1
                if let cluster = generation.careers[id]?.cluster { clusterCounts[cluster, default: 0] += 1 }
            }
            for (i, alpha) in alphas.enumerated() {
                let other = try await ids(recommender, sheet, alpha: alpha)
                overlaps[i] += Double(Set(other).intersection(list).count) / Double(max(list.count, 1))
                if alpha == 1, other != list { changed += 1 }
            }
        }
        let most = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }
        let shares = generation.clusters.map { Double(clusterCounts[$0, default: 0]) / Double(sheets) }
        let calibration = generation.calibration
        return VarietyReport(
            comparison: generation.frame.comparison, sheets: sheets, careers: generation.careers.count,
            coverage: Double(counts.count) / Double(generation.careers.count),
            greatestShare: Double(most?.value ?? 0) / Double(sheets), mostFrequent: most?.key ?? "",
            clusterShares: (shares.min() ?? 0)...(shares.max() ?? 0), lambda: calibration.lambda,
            textMean: calibration.textMean, textSpread: calibration.textSpread, abilityMean: calibration.abilityMean,
            abilitySpread: calibration.abilitySpread, listsChangedByAbilities: Double(changed) / Double(sheets),
            sensitivity: zip(alphas, overlaps).map { Sensitivity(alpha: $0, overlap: $1 / Double(sheets)) },
            gini: Gini.coefficient(of: generation.orderedCareers.map { counts[$0.id, default: 0] }),
            randomGini: Gini.coefficient(of: yardstick.counts), intraListText: alike.textMean,
            intraListAbilities: alike.abilityMean, randomListText: yardstick.alike.textMean,
            randomListAbilities: yardstick.alike.abilityMean)
    }

    private static func ids(_ recommender: Recommender, _ sheet: AnswerSheet, alpha: Float?) async throws -> [String] {
        try await recommender.recommend(RecommendationRequest(answers: sheet, alpha: alpha)).recommendations
            .map(\.career.id)
    }
}
