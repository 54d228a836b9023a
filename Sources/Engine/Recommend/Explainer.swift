internal import VectorIndex

/// Takes scores apart and says what they are made of.
struct Explainer: Sendable {
    let query: ResolvedQuery
    let generation: CareerGeneration
    /// Whether the person rated abilities themselves.
    let isRated: Bool
    let named: NamedSkills
    private let limits: BandLimits
    private let textQueryRow: [Float]
    private let abilityQueryRow: [Float]

    init(query: ResolvedQuery, generation: CareerGeneration, isRated: Bool, named: NamedSkills) {
        self.query = query
        self.generation = generation
        self.isRated = isRated
        self.named = named
        limits = generation.bands.limits(alpha: query.alpha, hasAnswers: query.hasAnswers)
        let layout = generation.index.layout
        let text = generation.space.flatMap { space in query.text?.row(in: space) } ?? []
        textQueryRow = text + [Float](repeating: 0, count: layout.rowCount - text.count)
        abilityQueryRow =
            [Float](repeating: 0, count: layout.embeddingCount) + query.abilityVector
            + [Float](repeating: 0, count: layout.rowCount - layout.embeddingCount - Ability.count)
    }

    func recommendation(_ hit: SearchHit, rank: Int) -> Recommendation? {
        guard let career = generation.careers[hit.id.text] else { return nil }
        let index = generation.index
        let row = index.row(at: hit.slot)
        let score = (1 + hit.score) / 2
        let lambda = generation.calibration.lambda
        let embedding = query.usesText ? (1 + index.innerProduct(textQueryRow, at: hit.slot)) / 2 : nil
        let ability = query.usesAbilities ? (1 + lambda * index.innerProduct(abilityQueryRow, at: hit.slot)) / 2 : nil
        let answers = answerEffects(row: row)
        let abilities = abilityEffects(row: row, career: career)
        let shown = Percent(score: score, embedding: embedding, ability: ability, alpha: query.alpha)
        let effects = answers.reduce(0) { $0 + $1.points } + abilities.reduce(0) { $0 + $1.points }
        var band = limits.band(of: score)
        if query.hasAnswers { band = band.atMost(.ceiling(answers: query.answerCount)) }
        let skills = named.matched(of: career)
        let views = viewCosines(row: row)
        // That somebody saved this very career is in the numbers, and no reason for it.
        let telling = answers.filter { effect in
            if case .history(let id, _, _) = effect.origin { id != career.id } else { true }
        }
        let sentences = Sentences(
            band: band, answers: telling, abilities: abilities, skills: skills, views: views,
            isRated: isRated)
        return Recommendation(
            career: career, rank: rank, score: score, embeddingSimilarity: embedding, abilitySimilarity: ability,
            band: band,
            explanation: Explanation(
                summary: sentences.summary, speaksFor: sentences.speaksFor, speaksAgainst: sentences.speaksAgainst,
                baseline: Self.hundredths(shown.score - effects), answers: answers, abilities: abilities,
                skills: skills, views: views, rankBeforeCap: hit.rankBeforeCap ?? rank,
                rankAfterCap: rank))
    }

    /// What each part of the query brings this career, beyond what it brings an average career.
    ///
    /// Exact, since a cosine with a sum is the sum of the inner products with its terms.
    private func answerEffects(row: [Float]) -> [Explanation.AnswerEffect] {
        guard query.usesText, let space = generation.space, let text = query.text else { return [] }
        var points = [Double](repeating: 0, count: query.parts.count)
        for (v, view) in space.views.enumerated() {
            let start = v * space.dimension
            let scale = Double(view.weight.squareRoot()) * Double(query.alpha) * 50
            for share in text.shares[v] {
                var sum = 0.0
                for i in share.vector.indices {
                    sum += Double(share.vector[i]) * Double(row[start + i] - generation.meanRow[start + i])
                }
                points[share.part] += sum * scale
            }
        }
        return zip(query.parts, points).map { .init(origin: $0.origin, points: Self.hundredths($1)) }
    }

    private func abilityEffects(row: [Float], career: Career) -> [Explanation.AbilityEffect] {
        guard query.usesAbilities, let profile = query.profile else { return [] }
        let start = generation.index.layout.embeddingCount
        let scale = Double(1 - query.alpha) * Double(generation.calibration.lambda) * 50
        return Ability.allCases.enumerated().map { k, ability in
            let difference = Double(row[start + k] - generation.meanRow[start + k])
            return .init(
                ability: ability, you: query.isSpokenOf[k] ? profile[k] : nil, career: career.abilities[k],
                average: generation.frame.mean[k],
                points: Self.hundredths(Double(query.abilityVector[k]) * difference * scale))
        }
    }

    private func viewCosines(row: [Float]) -> [Explanation.ViewCosine] {
        guard query.usesText, let space = generation.space, let text = query.text else { return [] }
        return space.views.enumerated().map { v, view in
            let start = v * space.dimension
            let scale = 1 / Double(view.weight.squareRoot())
            var (cosine, average) = (0.0, 0.0)
            for (i, value) in text.vectors[v].enumerated() {
                cosine += Double(value) * Double(row[start + i]) * scale
                average += Double(value) * Double(generation.meanRow[start + i]) * scale
            }
            return .init(name: view.name, weight: view.weight, cosine: Float(cosine), average: Float(average))
        }
    }

    /// To two decimals, and never −0.
    private static func hundredths(_ value: Double) -> Double { (value * 100).rounded() / 100 + 0 }
}

/// The skills that a person named, in a list or in their own words, read once for all careers of a list.
struct NamedSkills: Sendable {
    private let listed: Set<String>
    private let listedWords: [WordSequence]
    private let written: WordSequence

    init(_ request: RecommendationRequest) {
        listed = Set(request.skills.map { $0.lowercased() })
        listedWords = listed.map { WordSequence($0) }
        var texts = request.text.map { [$0] } ?? []
        for case .text(let text) in (request.answers?.answers ?? []).map(\.given) { texts.append(text) }
        written = WordSequence(texts.joined(separator: "\n"))
    }

    /// Skills of the career that the person named.
    func matched(of career: Career) -> [String] {
        career.requiredSkills.filter { skill in
            if listed.contains(skill.lowercased()) { return true }
            let words = WordSequence(skill)
            return written.contains(words) || listedWords.contains { $0.contains(words) || words.contains($0) }
        }
    }
}

/// Words in order, lower-cased, for finding one phrase in another: “java” is not in “javascript”.
struct WordSequence: Sendable {
    private let words: [String]

    init(_ text: String) {
        words = text.lowercased().split { !($0.isLetter || $0.isNumber || $0 == "+" || $0 == "#" || $0 == ".") }
            .map { word in word.hasSuffix(".") ? String(word.dropLast()) : String(word) }
    }

    func contains(_ phrase: WordSequence) -> Bool {
        guard !phrase.words.isEmpty, phrase.words.count <= words.count else { return false }
        return (0...words.count - phrase.words.count).contains { start in
            words[start..<start + phrase.words.count].elementsEqual(phrase.words)
        }
    }
}
