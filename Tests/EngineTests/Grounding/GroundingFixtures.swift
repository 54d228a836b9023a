import Engine
import TestSupport

/// Careers of a knowledge base: a name, titles, and nothing else that matters.
enum Jobs {
    static func career(
        _ id: String, _ name: String, _ aliases: [String] = [], source: String? = nil
    ) -> Career {
        Career(
            id: id, name: name, aliases: aliases, description: "", requiredSkills: [], suitableFor: "",
            requiredEducation: RequiredEducation(level: .none, text: ""), cluster: "",
            abilities: Array(repeating: 5, count: 15), source: source)
    }

    /// Titles that share words, and two that go by several occupations.
    static let few = [
        career("baker", "Bread Baker", ["Pastry Baker", "Oven Operator", "Dough Worker"]),
        career("cook", "Kitchen Cook", ["pastry baker", "Kitchen Helper", "Oven Operator"]),
        career("driver", "Lorry Driver", ["Coach Driver", "Delivery Driver"]),
        career("nurse", "Ward Nurse", ["Night Nurse", "Theatre Nurse", "Nurse für Ältere"]),
        career("teacher", "School Teacher", ["Music Teacher", "Night School Teacher"]),
    ]

    static func titles(leavingOut heldOut: Set<String> = []) -> OccupationTitles {
        OccupationTitles(of: few, leavingOut: heldOut)
    }
}

/// Vectors of words that come from a queue, as those of a model do.
struct QueuedWords: QueuedVectorizer {
    /// The one text that has no direction.
    static let silence = "Silence"

    let base: WordVectorizer
    let isCached: Bool

    init(_ base: WordVectorizer = WordVectorizer(), isCached: Bool = false) {
        self.base = base
        self.isCached = isCached
    }

    var space: TextSpace { base.space }

    func vectors(of texts: [String], role: TextRole) throws -> [[Float]] {
        let vectors = try base.vectors(of: texts, role: role)
        return zip(texts, vectors).map { text, vector in
            text == Self.silence ? [Float](repeating: 0, count: vector.count) : vector
        }
    }

    func vectors(of texts: [String], role: TextRole, isAwaited: Bool) async throws -> [[Float]] {
        try vectors(of: texts, role: role)
    }

    func cachedVectors(of texts: [String], role: TextRole) -> [[Float]]? {
        isCached ? try? vectors(of: texts, role: role) : nil
    }
}

/// A knowledge base of the few jobs, and what reads texts by it.
struct GroundedWords {
    static let rule = Grounding.Rule(neighbours: 4, temperature: 0.1)

    let words: QueuedWords
    let base: KnowledgeBase
    let grounding: Grounding

    init(
        titles: OccupationTitles = Jobs.titles(), rule: Grounding.Rule = GroundedWords.rule,
        words: QueuedWords = QueuedWords()
    ) async throws {
        let made = try await KnowledgeBase.make(titles, rule: rule, encoder: EncodingQueue(words))
        self.words = words
        base = made.base
        grounding = made.grounding
    }

    func vectorizer(weight: Double = 0.6) throws -> GroundedVectorizer {
        try GroundedVectorizer(words, base: base, grounding: grounding, weight: weight)
    }
}
