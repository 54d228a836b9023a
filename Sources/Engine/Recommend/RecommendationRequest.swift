package import VectorIndex

/// What a recommendation is asked from. Any of it may be left out, but not all.
package struct RecommendationRequest: Sendable {
    package var answers: AnswerSheet?
    package var text: String?
    /// Things said one by one, each a part of its own that explanations may quote.
    package var remarks: [Remark]
    package var skills: [String]
    /// 15 numbers from 0 to 10, nil for what nothing is said of; takes the place of what the answers say of abilities.
    package var abilities: [Double?]?
    package var topN: Int
    /// Weight of the texts against the abilities; nil for the default.
    package var alpha: Float?
    /// Whether `maxPerCluster` caps the careers of a cluster.
    package var diversity: Bool
    package var maxPerCluster: Int
    /// Weight of relevance against novelty, 0…1, where the list is chosen by maximal marginal relevance; nil where not.
    package var marginalRelevance: Float?
    package var filter: Filter?
    /// Ids of careers to leave out.
    package var excluded: [String]
    package var liked: [String]
    package var disliked: [String]
    package var examples: ExampleStrategy
    /// Careers of the list to pass over: the next page of `topN` begins after them.
    package var skip: Int
    /// The generation that an earlier page was taken from; nil for the current one.
    package var generation: UInt64?
    /// What the person did with careers before, oldest first; empty where they want no part of it.
    package var history: [HistoryEntry]
    /// Whether careers that are very likely, but not proven, to be the best are good enough. Counts where one query is
    /// asked of a catalogue large enough to have codes; the reply tells whether its list is exact.
    package var isApproximate: Bool

    package static let defaultAlpha: Float = 0.7
    package static let defaultTopN = 5
    package static let maximumTopN = 100
    package static let maximumSkip = 10_000
    package static let defaultMarginalRelevance: Float = 0.7

    package init(
        answers: AnswerSheet? = nil, text: String? = nil, remarks: [Remark] = [], skills: [String] = [],
        abilities: [Double?]? = nil,
        topN: Int = defaultTopN, alpha: Float? = nil, diversity: Bool = true, maxPerCluster: Int = 1,
        marginalRelevance: Float? = nil, filter: Filter? = nil, excluded: [String] = [], liked: [String] = [],
        disliked: [String] = [], examples: ExampleStrategy = .averageVector, skip: Int = 0, generation: UInt64? = nil,
        history: [HistoryEntry] = [], isApproximate: Bool = false
    ) {
        self.answers = answers
        self.text = text
        self.remarks = remarks
        self.skills = skills
        self.abilities = abilities
        self.topN = topN
        self.alpha = alpha
        self.diversity = diversity
        self.maxPerCluster = maxPerCluster
        self.marginalRelevance = marginalRelevance
        self.filter = filter
        self.excluded = excluded
        self.liked = liked
        self.disliked = disliked
        self.examples = examples
        self.skip = skip
        self.generation = generation
        self.history = history
        self.isApproximate = isApproximate
    }
}

/// One of several things that somebody said in their own words.
package struct Remark: Sendable, Hashable {
    package let text: String
    /// What explanations call it by, between quotation marks; nil where they shall not.
    package let quote: String?
    /// Beside the 1 of a whole text.
    package let weight: Float

    package init(_ text: String, quote: String?, weight: Float = 1) {
        self.text = text
        self.quote = quote
        self.weight = weight
    }
}

/// How careers named as liked and disliked are searched by.
package enum ExampleStrategy: String, Sendable, CaseIterable {
    /// One query: what was said, plus what is particular about each liked career, less half of each disliked one's.
    case averageVector = "average_vector"
    /// A query for each liked career, of which each item takes its best score; items that are nearer to a disliked
    /// career than to every liked one are left out. Keeps two different likes apart, where their mean lies between.
    /// With marginal relevance, which knows one query, the average vector takes its place.
    case bestScore = "best_score"
}

/// Something that a person did with a career, as far as it bears on later recommendations.
package struct HistoryEntry: Sendable, Hashable {
    package enum Kind: String, Sendable, Codable {
        case saved, chosen, dismissed
    }

    package let kind: Kind
    package let career: String

    package init(_ kind: Kind, _ career: String) {
        self.kind = kind
        self.career = career
    }
}

/// Why a request cannot be answered.
package enum RecommendationError: Error, Sendable, Equatable {
    /// Nothing that ranks careers was said: no answers, text, skills or abilities, or they cancel out.
    case nothingToGoOn
    /// Disliked careers alone, where each liked one is a query of its own: there is nothing to draw near.
    case dislikesAlone
    /// All that was said is liked and disliked careers that are not served.
    case absentExamplesAlone([PassedOver])
    /// Only text was given, and there is no model to read it.
    case textNeedsModel(Degradation)
    /// Only text was given, and the model outside that reads it gave no vectors. `Recommender` answers with an empty list.
    case textUnavailable(Degradation)
    case abilityCount(Int)
    case abilityOutOfRange(position: Int, value: Double)
    case alphaOutOfRange(Float)
    case topNOutOfRange(Int)
    case maxPerClusterOutOfRange(Int)
    case marginalRelevanceOutOfRange(Float)
    case skipOutOfRange(Int)
    /// The generation that a page was asked of is no longer kept.
    case generationGone(UInt64, current: UInt64)
    case unknownCareers(field: String, ids: [String])
    case likedAndDisliked([String])
    case filter(IndexError)
}
