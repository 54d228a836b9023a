internal import VectorIndex

/// A request after everything in it was read: what the search and the explanation both start from.
struct ResolvedQuery: Sendable {
    let parts: [QueryPart]
    let text: TextQuery?
    /// 15 numbers where abilities were said; what nothing was said of is the mean.
    let profile: [Double]?
    let isSpokenOf: [Bool]
    /// `profile` in the catalogue's frame; all zero where it is the mean.
    let abilityVector: [Float]
    let alpha: Float
    /// Answers of the quiz that say something in words.
    let answerCount: Int

    var hasAnswers: Bool { answerCount > 0 }

    var usesText: Bool { alpha > 0 }
    var usesAbilities: Bool { alpha < 1 }
}

extension ResolvedQuery {
    /// What a request says, apart from the vectors of its texts.
    struct Statement: Sendable {
        let parts: [QueryPart]
        let profile: [Double]?
        let isSpokenOf: [Bool]
        let answerCount: Int

        var hasAnswers: Bool { answerCount > 0 }

        private init(_ other: Statement, parts: [QueryPart]) {
            self.parts = parts
            profile = other.profile
            isSpokenOf = other.isSpokenOf
            answerCount = other.answerCount
        }

        /// Whether every text has a vector.
        func isRead(by vectors: [String: [Float]]) -> Bool {
            parts.allSatisfy { part in
                [part.work, part.takes].allSatisfy { $0.map { vectors[$0] != nil } ?? true }
            }
        }

        /// Without any example.
        var withoutExamples: Statement {
            Statement(self, parts: parts.filter { if case .example = $0.origin { false } else { true } })
        }

        /// With one example alone, drawing near whether it is liked or not.
        func with(only example: QueryPart) -> Statement {
            let part = QueryPart(origin: example.origin, weight: 1, work: nil, takes: nil)
            return Statement(self, parts: withoutExamples.parts + [part])
        }

        /// - Throws: `RecommendationError` for what the request names wrongly.
        init(_ request: RecommendationRequest, in generation: CareerGeneration) throws(RecommendationError) {
            try Self.validate(request, in: generation)
            let reading = request.answers.map { QuizReading($0) }
            answerCount = reading?.parts.count ?? 0
            var parts = reading?.parts ?? []
            if let text = request.text, text.contains(where: { !$0.isWhitespace }) {
                let weight = answerCount > 0 ? QuizReading.freeTextWeight : 1
                parts += Self.parts(of: text, origin: .text(quoted: nil), weight: weight)
            }
            for remark in request.remarks where remark.text.contains(where: { !$0.isWhitespace }) {
                parts += Self.parts(of: remark.text, origin: .text(quoted: remark.quote), weight: remark.weight)
            }
            let skills = Self.distinct(request.skills)
            if !skills.isEmpty {
                parts.append(
                    QueryPart(origin: .skills(skills), weight: 1, work: nil, takes: skills.joined(separator: ", ")))
            }
            for (ids, liked) in [(request.liked, true), (request.disliked, false)] {
                for id in ids {
                    guard let career = generation.careers[id] else { continue }
                    parts.append(
                        QueryPart(
                            origin: .example(career: career.id, name: career.name, liked: liked),
                            weight: liked ? 1 : Self.dislikedWeight, work: nil, takes: nil))
                }
            }
            // What somebody did is told once a career, by its last word, and only of careers that there still are.
            var told: Set<String> = []
            for entry in request.history.reversed() {
                guard let career = generation.careers[entry.career], told.insert(entry.career).inserted else {
                    continue
                }
                parts.append(
                    QueryPart(
                        origin: .history(career: career.id, name: career.name, kind: entry.kind),
                        weight: entry.kind == .dismissed ? Self.dislikedWeight : 1, work: nil, takes: nil))
                if told.count == Self.maximumHistory { break }
            }
            self.parts = parts
            if let abilities = request.abilities {
                profile = zip(abilities, generation.frame.mean).map { $0 ?? $1 }
                isSpokenOf = abilities.map { $0 != nil }
            } else {
                profile = reading.map { generation.frame.profile(deviations: $0.deviations) }
                isSpokenOf = reading?.isSpokenOf ?? Array(repeating: false, count: Ability.count)
            }
        }

        private static func parts(of text: String, origin: QueryPart.Origin, weight: Float) -> [QueryPart] {
            let pieces = TextPieces.readable(text)
            return pieces.map { piece in
                QueryPart(origin: origin, weight: weight / Float(pieces.count), work: piece, takes: piece)
            }
        }

        /// Skills trimmed, the same one named twice taken once.
        private static func distinct(_ skills: [String]) -> [String] {
            var seen: Set<String> = []
            return skills.compactMap { skill in
                let words = skill.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                return !words.isEmpty && seen.insert(words.lowercased()).inserted ? words : nil
            }
        }

        /// What somebody dislikes pushes away half as much as what they like draws near: one bad example says
        /// less about where to go.
        static let dislikedWeight: Float = -0.5
        /// The latest careers of a history that count.
        static let maximumHistory = 20

        private static func validate(
            _ request: RecommendationRequest, in generation: CareerGeneration
        ) throws(RecommendationError) {
            guard (1...RecommendationRequest.maximumTopN).contains(request.topN) else {
                throw .topNOutOfRange(request.topN)
            }
            guard (1...RecommendationRequest.maximumTopN).contains(request.maxPerCluster) else {
                throw .maxPerClusterOutOfRange(request.maxPerCluster)
            }
            if let alpha = request.alpha, !(0...1).contains(alpha) { throw .alphaOutOfRange(alpha) }
            if let abilities = request.abilities {
                guard abilities.count == Ability.count else { throw .abilityCount(abilities.count) }
                for (position, value) in abilities.enumerated() {
                    guard let value, !abilityRange.contains(value) else { continue }
                    throw .abilityOutOfRange(position: position, value: value)
                }
            }
            if let weight = request.marginalRelevance, !(0...1).contains(weight) {
                throw .marginalRelevanceOutOfRange(weight)
            }
            guard (0...RecommendationRequest.maximumSkip).contains(request.skip) else {
                throw .skipOutOfRange(request.skip)
            }
            for (field, ids) in [
                ("exclude", request.excluded), ("liked", request.liked), ("disliked", request.disliked),
            ] {
                // Who holds the id of a retired career is not mistaken: it is passed over.
                let unknown = ids.filter { generation.careers[$0] == nil && generation.absent[$0] == nil }
                if !unknown.isEmpty { throw .unknownCareers(field: field, ids: unknown) }
            }
            let both = request.liked.filter(request.disliked.contains)
            if !both.isEmpty { throw .likedAndDisliked(both) }
        }
    }

    /// - Parameters:
    ///   - vectors: of the statement's texts; empty where there is no model.
    ///   - unread: why some of them have none although there is one.
    /// - Throws: `RecommendationError.nothingToGoOn`, `.textNeedsModel`, `.textUnavailable`.
    init(
        _ statement: Statement, vectors: [String: [Float]], unread: Degradation? = nil, alpha requested: Float?,
        in generation: CareerGeneration
    ) throws(RecommendationError) {
        parts = statement.parts
        profile = statement.profile
        isSpokenOf = statement.isSpokenOf
        abilityVector =
            statement.profile.map(generation.frame.unitVector) ?? Array(repeating: 0, count: Ability.count)
        let hasAbilities = abilityVector.contains { $0 != 0 } && statement.profile != nil
        if let space = generation.space {
            var examples: [String: [[Float]]] = [:]
            for id in statement.parts.compactMap(\.exampleCareer) {
                examples[id] = generation.centredViewVectors(of: id)
            }
            let query = TextQuery(
                parts: statement.parts, space: space, vectors: vectors, examples: examples,
                centres: statement.hasAnswers ? generation.quizCentres : nil)
            // Abilities alone stay alone: history leans on what was said in words, and never takes its place.
            text = query.isEmpty || query.isHistoryAlone ? nil : query
        } else {
            text = nil
        }
        switch (text != nil, hasAbilities) {
        case (true, true): alpha = requested ?? RecommendationRequest.defaultAlpha
        case (true, false): alpha = 1
        case (false, true): alpha = 0
        case (false, false):
            if let degradation = generation.degradation, !statement.parts.isEmpty {
                throw degradation.reason.isLasting ? .textNeedsModel(degradation) : .textUnavailable(degradation)
            }
            if let unread { throw .textUnavailable(unread) }
            throw .nothingToGoOn
        }
        answerCount = statement.answerCount
    }

    /// The query as a row of the index.
    func fused(in generation: CareerGeneration) throws(IndexError) -> FusedQuery {
        try FusedQuery(
            embedding: generation.space.flatMap { space in text?.row(in: space) } ?? [], abilities: abilityVector,
            alpha: alpha, lambda: generation.calibration.lambda, layout: generation.index.layout)
    }
}

extension CareerGeneration {
    /// A career's view vectors less the mean career's: what is particular about it.
    func centredViewVectors(of id: String) -> [[Float]]? {
        guard let space, let vectors = viewVectors(of: id) else { return nil }
        return vectors.enumerated().map { v, vector in
            let scale = 1 / space.views[v].weight.squareRoot()
            return vector.enumerated().map { $1 - meanRow[v * space.dimension + $0] * scale }
        }
    }
}
