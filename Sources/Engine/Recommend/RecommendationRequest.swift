package import VectorIndex

/// What a recommendation is asked from. Any of it may be left out, but not all.
package struct RecommendationRequest: Sendable {
    package var answers: AnswerSheet?
    package var text: String?
    package var skills: [String]
    /// 15 numbers from 0 to 10; takes the place of what the answers say of abilities.
    package var abilities: [Double]?
    package var topN: Int
    /// Weight of the texts against the abilities; nil for the default.
    package var alpha: Float?
    package var diversity: Bool
    package var maxPerCluster: Int
    package var filter: Filter?
    /// Ids of careers to leave out.
    package var excluded: [String]
    package var liked: [String]
    package var disliked: [String]

    package static let defaultAlpha: Float = 0.7
    package static let defaultTopN = 5
    package static let maximumTopN = 100

    package init(
        answers: AnswerSheet? = nil, text: String? = nil, skills: [String] = [], abilities: [Double]? = nil,
        topN: Int = defaultTopN, alpha: Float? = nil, diversity: Bool = true, maxPerCluster: Int = 1,
        filter: Filter? = nil, excluded: [String] = [], liked: [String] = [], disliked: [String] = []
    ) {
        self.answers = answers
        self.text = text
        self.skills = skills
        self.abilities = abilities
        self.topN = topN
        self.alpha = alpha
        self.diversity = diversity
        self.maxPerCluster = maxPerCluster
        self.filter = filter
        self.excluded = excluded
        self.liked = liked
        self.disliked = disliked
    }
}

/// Why a request cannot be answered.
package enum RecommendationError: Error, Sendable, Equatable {
    /// Nothing that ranks careers was said: no answers, text, skills or abilities, or they cancel out.
    case nothingToGoOn
    /// Only text was given, and there is no model to read it.
    case textNeedsModel(Degradation)
    case abilityCount(Int)
    case abilityOutOfRange(position: Int, value: Double)
    case alphaOutOfRange(Float)
    case topNOutOfRange(Int)
    case maxPerClusterOutOfRange(Int)
    case unknownCareers(field: String, ids: [String])
    case likedAndDisliked([String])
    case filter(IndexError)
}
