package import Store

/// What was recommended, and how it came about. Scores are kept as computed; `Percent` rounds them for people.
package struct RecommendationReply: Sendable {
    package let recommendations: [Recommendation]
    /// The α that was used.
    package let alpha: Float
    package let lambda: Float
    /// Whether the list is proven to be the best one; where it is not, a career may be missing from it.
    package let exact: Bool
    package let complete: Bool
    package let degradation: Degradation?
    package let generation: UInt64
    package let matched: Int
    package let scanned: Int
    /// Careers scored in float32; bounds ruled the other scanned ones out.
    package let rescored: Int
    /// Careers that matched and were left out as nearer to a disliked one than to any liked one.
    package let setAside: Int
    /// Careers of the list before this page.
    package let skip: Int
    /// Who described the recommended careers, and how they ask to be named.
    package let sources: [CareerSource]
    /// The abilities that were compared, 15 numbers from 0 to 10; nil where none were.
    package let profile: [Double]?
    /// The occupations that what somebody wrote reads like, the greatest share first; none without a knowledge base.
    package internal(set) var readsLike: [ReadsLike] = []
    /// What the person did before that counted; nil where nothing did.
    package let personalisation: Personalisation?
    /// Careers that the request names as liked or disliked and that did not count.
    package let passedOver: [PassedOver]
    package internal(set) var timing = Timing()

    package struct Timing: Sendable {
        package var embed: Duration = .zero
        package var search: Duration = .zero
        package var explain: Duration = .zero
        package var total: Duration = .zero
        /// Texts that were embedded, for this reply and those made together with it; phrases of the quiz are at hand.
        package var texts = 0
    }
}

/// A liked or disliked career that the store has and the generation does not serve.
package struct PassedOver: Sendable, Equatable {
    /// The field of the request that names it.
    package let field: String
    package let career: String
    package let reason: CareerAbsence

    package init(field: String, career: String, reason: CareerAbsence) {
        self.field = field
        self.career = career
        self.reason = reason
    }
}

/// How a person's earlier deeds moved a list.
package struct Personalisation: Sendable, Equatable {
    package struct Cause: Sendable, Equatable {
        package let kind: HistoryEntry.Kind
        package let career: String
        package let name: String
    }

    /// Latest first.
    package let causes: [Cause]
    /// The most that a cosine of a view can change by it: 2·sin(asin(0.25)/2).
    package static let greatestChange = 0.253

    init?(_ parts: [QueryPart]) {
        causes = parts.compactMap { part in
            guard case .history(let career, let name, let kind) = part.origin else { return nil }
            return Cause(kind: kind, career: career, name: name)
        }
        if causes.isEmpty { return nil }
    }
}

/// One recommended career.
package struct Recommendation: Sendable {
    package let career: Career
    /// From 1.
    package let rank: Int
    /// α · embeddingSimilarity + (1 − α) · abilitySimilarity, 0…1.
    package let score: Float
    /// Nil where the texts did not count (α = 0).
    package let embeddingSimilarity: Float?
    /// Nil where the abilities did not count (α = 1).
    package let abilitySimilarity: Float?
    package let band: Band
    package let explanation: Explanation
}

/// Why a career was recommended: data first, sentences made from it.
package struct Explanation: Sendable {
    /// What one thing that somebody said did to the score, in points of 100, against an average career.
    package struct AnswerEffect: Sendable {
        package let origin: QueryPart.Origin
        package let points: Double
    }

    package struct AbilityEffect: Sendable {
        package let ability: Ability
        /// What the person said, 0…10; nil where nothing was said.
        package let you: Double?
        package let career: Double
        package let average: Double
        package let points: Double
    }

    package struct ViewCosine: Sendable {
        package let name: String
        package let weight: Float
        package let cosine: Float
        /// What the query's cosine with an average career is in this view.
        package let average: Float
    }

    package let summary: String
    package let speaksFor: [String]
    package let speaksAgainst: [String]
    /// What an average career would score, in points of 100: baseline + all effects = score.
    package let baseline: Double
    package let answers: [AnswerEffect]
    package let abilities: [AbilityEffect]
    /// Skills that were named and that the career uses.
    package let skills: [String]
    package let views: [ViewCosine]
    /// The occupations that what somebody wrote reads like, whichever career this is.
    package let readsLike: [ReadsLike]
    package let rankBeforeCap: Int
    package let rankAfterCap: Int
}

/// Numbers as people see them: percent with one decimal, such that what is shown adds up.
package struct Percent: Sendable, Equatable {
    package let score: Double
    package let embedding: Double?
    package let ability: Double?
    /// Points that each side brings; their sum is `score` exactly.
    package let embeddingPoints: Double
    package let abilityPoints: Double

    /// Rounds the score to the nearest tenth, and each similarity up or down to a tenth such that
    /// α · embedding + (1 − α) · ability, as shown, comes closest to the score, as shown.
    package init(score: Float, embedding: Float?, ability: Float?, alpha: Float) {
        let shown = Self.rounded(Double(score) * 100)
        let a = Double(alpha)
        self.score = shown
        guard let embedding, let ability else {
            self.embedding = embedding.map { _ in shown }
            self.ability = ability.map { _ in shown }
            embeddingPoints = embedding == nil ? 0 : shown
            abilityPoints = ability == nil ? 0 : shown
            return
        }
        let e = Double(embedding) * 1_000
        let b = Double(ability) * 1_000
        var best = (distance: Double.infinity, e: 0.0, b: 0.0)
        for eTenths in [e.rounded(.down), e.rounded(.up)] {
            for bTenths in [b.rounded(.down), b.rounded(.up)] {
                let distance = abs(a * eTenths + (1 - a) * bTenths - shown * 10)
                // A tie goes to the plainer rounding.
                let strain = (abs(eTenths - e) + abs(bTenths - b)) * 1e-6
                if distance + strain < best.distance { best = (distance + strain, eTenths, bTenths) }
            }
        }
        self.embedding = best.e / 10
        self.ability = best.b / 10
        embeddingPoints = Self.rounded(a * best.e / 10)
        abilityPoints = Self.rounded(shown - embeddingPoints)
    }

    /// To one decimal.
    package static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}
