internal import Engine
internal import VectorIndex

/// Reads what a recommendation is asked from out of a JSON object.
struct RecommendationReader {
    static let maximumListed = 100
    static let maximumNameBytes = 200

    let quiz: Quiz
    let topNMaximum: Int
    /// Names that a filter may use.
    let clusters: [String]

    /// The fields, or what is wrong with each; answers are held against the quiz.
    ///
    /// - Parameter storedAnswers: of the session that the request names, used where it has none itself.
    func request(_ fields: FieldReader, storedAnswers: AnswerSheet?) -> RecommendationRequest {
        var request = RecommendationRequest()
        request.answers = Self.answers(fields, quiz: quiz) ?? storedAnswers
        request.text = fields.text("text", maxBytes: AnswerSheet.maximumTextBytes)
        request.skills = fields.strings("skills", maxCount: Self.maximumListed, maxBytes: Self.maximumNameBytes) ?? []
        request.abilities = fields.numbers(
            "abilities", count: Ability.count...Ability.count, in: abilityRange)
        request.topN = fields.integer("top_n", in: 1...topNMaximum) ?? RecommendationRequest.defaultTopN
        request.alpha = fields.number("alpha", in: 0...1).map { Float($0) }
        request.diversity = fields.bool("diversity") ?? true
        request.maxPerCluster = fields.integer("max_per_cluster", in: 1...RecommendationRequest.maximumTopN) ?? 1
        request.filter = fields.object("filters").flatMap(filter)
        request.excluded = ids(fields, "exclude")
        request.liked = ids(fields, "liked")
        request.disliked = ids(fields, "disliked")
        return request
    }

    private func ids(_ fields: FieldReader, _ name: String) -> [String] {
        fields.strings(name, maxCount: Self.maximumListed, maxBytes: Self.maximumNameBytes) ?? []
    }

    /// The `answers` object, or nil where it is absent or wrong.
    static func answers(_ fields: FieldReader, quiz: Quiz, isRequired: Bool = false) -> AnswerSheet? {
        if isRequired, fields.requiredField("answers") == nil { return nil }
        guard let entries = fields.entries("answers", maxCount: maximumListed) else { return nil }
        var answers: [String: Answer] = [:]
        var isSound = true
        for (question, field) in entries {
            switch field.value {
            case .string(let text): answers[question] = .text(text)
            case .integer(let number): answers[question] = .number(Double(number))
            case .number(let number): answers[question] = .number(number)
            case .null, .bool, .array, .object:
                field.fail("must be the id of a choice, a number on a scale, or text, not \(field.value.typeName)")
                isSound = false
            }
        }
        do throws(AnswerProblems) {
            let sheet = try AnswerSheet(answers, to: quiz)
            return isSound ? sheet : nil
        } catch {
            for problem in error.problems { fields.fail("answers.\(problem.question)", problem.message) }
            return nil
        }
    }

    private func filter(_ fields: FieldReader) -> Filter? {
        var parts: [Filter] = []
        func words(_ name: String) -> Set<String>? {
            fields.strings(name, maxCount: Self.maximumListed, maxBytes: Self.maximumNameBytes).map(Set.init)
        }
        if let wanted = words("cluster") {
            let known = Dictionary(clusters.map { ($0.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
            for name in wanted.sorted() where known[name.lowercased()] == nil {
                let hint = NearestName.hint(for: name, among: clusters)
                fields.fail("cluster", "there is no cluster “\(excerpt(of: name))”\(hint)")
            }
            parts.append(.anyOf("cluster", Set(wanted.compactMap { known[$0.lowercased()] })))
        }
        if let levels = words("education") {
            let known = EducationLevel.allCases.map(\.rawValue)
            for level in levels.sorted() where !known.contains(level) {
                fields.fail("education", "has no level “\(level)”; it has \(known.joined(separator: ", "))")
            }
            parts.append(.anyOf("education", levels))
        }
        if let skills = words("skills") { parts.append(.allOf("skills", Set(skills.map { $0.lowercased() }))) }
        if let salary = fields.number("salary_min", in: 0...1e9) {
            parts.append(.range("salary_max", salary...Double.greatestFiniteMagnitude))
        }
        if let growth = fields.number("growth_min", in: -100...10_000) {
            parts.append(.range("growth_percent", growth...Double.greatestFiniteMagnitude))
        }
        return parts.isEmpty ? nil : .and(parts)
    }
}
