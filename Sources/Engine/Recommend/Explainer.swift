internal import VectorIndex

/// Takes scores apart and says what they are made of.
struct Explainer: Sendable {
    let query: ResolvedQuery
    let generation: CareerGeneration
    /// Whether the person rated abilities themselves.
    let isRated: Bool
    let named: NamedSkills
    /// The occupations that what was written reads like.
    private let readsLike: [ReadsLike]
    private let limits: BandLimits
    private let textQueryRow: [Float]
    private let abilityQueryRow: [Float]
    /// For each view the query's cosine with an average career.
    private let averageCosines: [Double]
    /// For each view, and each share of the query in it, the product with an average career.
    private let averageProducts: [[Double]]

    init(
        query: ResolvedQuery, generation: CareerGeneration, isRated: Bool, named: NamedSkills,
        readsLike: [ReadsLike] = []
    ) {
        self.query = query
        self.generation = generation
        self.isRated = isRated
        self.named = named
        self.readsLike = readsLike
        limits = generation.bands.limits(alpha: query.alpha, hasAnswers: query.hasAnswers)
        let layout = generation.index.layout
        let text = generation.space.flatMap { space in query.text?.row(in: space) } ?? []
        textQueryRow = text + [Float](repeating: 0, count: layout.rowCount - text.count)
        abilityQueryRow =
            [Float](repeating: 0, count: layout.embeddingCount) + query.abilityVector
            + [Float](repeating: 0, count: layout.rowCount - layout.embeddingCount - Ability.count)
        averageCosines = Self.cosines(of: query, in: generation.space, with: generation.meanRow)
        averageProducts = Self.products(of: query, in: generation.space, with: generation.meanRow)
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
            isRated: isRated, readsLike: readsLike.first { $0.occupation == career.id })
        return Recommendation(
            career: career, rank: rank, score: score, embeddingSimilarity: embedding, abilitySimilarity: ability,
            band: band,
            explanation: Explanation(
                summary: sentences.summary, speaksFor: sentences.speaksFor, speaksAgainst: sentences.speaksAgainst,
                baseline: Self.hundredths(shown.score - effects), answers: answers, abilities: abilities,
                skills: skills, views: views, readsLike: readsLike, rankBeforeCap: hit.rankBeforeCap ?? rank,
                rankAfterCap: rank))
    }

    /// What each part of the query brings this career, beyond what it brings an average career.
    ///
    /// Exact, since a cosine with a sum is the sum of the inner products with its terms.
    private func answerEffects(row: [Float]) -> [Explanation.AnswerEffect] {
        guard query.usesText, let space = generation.space, let text = query.text else { return [] }
        let products = Self.products(of: query, in: space, with: row)
        var points = [Double](repeating: 0, count: query.parts.count)
        for (v, view) in space.views.enumerated() {
            let scale = Double(view.weight.squareRoot()) * Double(query.alpha) * 50
            for (s, share) in text.shares[v].enumerated() {
                points[share.part] += (products[v][s] - averageProducts[v][s]) * scale
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
        guard query.usesText, let space = generation.space else { return [] }
        let cosines = Self.cosines(of: query, in: space, with: row)
        return zip(space.views, zip(cosines, averageCosines)).map { view, cosines in
            .init(name: view.name, weight: view.weight, cosine: Float(cosines.0), average: Float(cosines.1))
        }
    }

    /// For each view the cosine of what was said with that of a row; none where no text counts.
    private static func cosines(of query: ResolvedQuery, in space: TextSpace?, with row: [Float]) -> [Double] {
        guard query.usesText, let space, let text = query.text else { return [] }
        return space.views.enumerated().map { v, view in
            WideSum.product(text.vectors[v], row, from: v * space.dimension) / Double(view.weight.squareRoot())
        }
    }

    /// For each view the inner products of the query's shares with a row; none where no text counts.
    private static func products(of query: ResolvedQuery, in space: TextSpace?, with row: [Float]) -> [[Double]] {
        guard query.usesText, let space, let text = query.text else { return [] }
        return text.shares.enumerated().map { v, shares in
            shares.map { WideSum.product($0.vector, row, from: v * space.dimension) }
        }
    }

    /// To two decimals, and never −0.
    private static func hundredths(_ value: Double) -> Double { (value * 100).rounded() / 100 + 0 }
}
