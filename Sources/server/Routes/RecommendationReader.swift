internal import Engine
internal import VectorIndex

/// Reads what a recommendation is asked from out of a JSON object.
struct RecommendationReader {
    static let maximumListed = 100
    static let maximumNameBytes = 200

    let quiz: Quiz
    let topNMaximum: Int
    /// Whose clusters and attributes a filter may name.
    let generation: CareerGeneration

    /// The fields, or what is wrong with each; answers are held against the quiz.
    ///
    /// - Parameter storedAnswers: of the session that the request names, used where it has none itself.
    func request(_ fields: FieldReader, storedAnswers: AnswerSheet?) -> RecommendationRequest {
        var request = RecommendationRequest()
        request.answers = Self.answers(fields, quiz: quiz) ?? storedAnswers
        request.text = fields.text("text", maxBytes: AnswerSheet.maximumTextBytes)
        request.skills = fields.strings("skills", maxCount: Self.maximumListed, maxBytes: Self.maximumNameBytes) ?? []
        request.abilities = Self.abilities(fields)
        request.topN = fields.integer("top_n", in: 1...topNMaximum) ?? RecommendationRequest.defaultTopN
        request.alpha = fields.number("alpha", in: 0...1).map { Float($0) }
        readDiversity(fields, into: &request)
        request.filter = fields.object("filters").flatMap(filter)
        request.excluded = ids(fields, "exclude")
        request.liked = ids(fields, "liked")
        request.disliked = ids(fields, "disliked")
        request.examples = fields.choice("examples_strategy", of: ExampleStrategy.self) ?? .averageVector
        request.isApproximate = fields.bool("approximate") ?? false
        request.skip = fields.integer("skip", in: 0...RecommendationRequest.maximumSkip) ?? 0
        request.generation = fields.integer("generation", in: 0...Int(Int64.max >> 11)).map { UInt64($0) }
        return request
    }

    /// Fifteen numbers in order, or an object of those that something is known of.
    private static func abilities(_ fields: FieldReader) -> [Double?]? {
        guard case .object? = fields.field("abilities")?.value, let object = fields.object("abilities") else {
            return fields.numbers("abilities", count: Ability.count...Ability.count, in: abilityRange)
        }
        let numbers = Ability.allCases.map { object.number($0.rawValue, in: abilityRange) }
        return numbers.contains { $0 != nil } ? numbers : nil
    }

    /// `diversity`: whether and how the list is kept from being all of one kind.
    private func readDiversity(_ fields: FieldReader, into request: inout RecommendationRequest) {
        let cap = fields.integer("max_per_cluster", in: 1...RecommendationRequest.maximumTopN)
        request.maxPerCluster = cap ?? 1
        let weight = fields.number("mmr_weight", in: 0...1)
        let method: String
        if case .string(let name)? = fields.field("diversity")?.value {
            method = name
        } else {
            method = fields.bool("diversity") ?? true ? "cap" : "none"
        }
        switch method {
        case "cap": request.diversity = true
        case "none": request.diversity = false
        case "mmr":
            request.marginalRelevance = weight.map { Float($0) } ?? RecommendationRequest.defaultMarginalRelevance
            // The cap is another remedy for the same ill; both only where both are asked for.
            request.diversity = cap != nil
        default: fields.fail("diversity", "must be true, false, “cap”, “mmr” or “none”")
        }
        if weight != nil, method != "mmr" { fields.fail("mmr_weight", "only counts with “diversity”: “mmr”") }
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
            let known = generation.clustersByLowerCase
            for name in wanted.sorted() where known[name.lowercased()] == nil {
                let hint = NearestName.hint(for: name, among: generation.clusters)
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
        if let salary = fields.number("salary_max", in: 0...1e9) {
            parts.append(.range("salary_min", -Double.greatestFiniteMagnitude...salary))
        }
        for part in attributeFilters(fields) { parts.append(part) }
        if let growth = fields.number("growth_min", in: -100...10_000) {
            parts.append(.range("growth_percent", growth...Double.greatestFiniteMagnitude))
        }
        return parts.isEmpty ? nil : .and(parts)
    }

    /// Conditions on attributes of the operator's own: a list of words of which one must fit, or a range.
    private func attributeFilters(_ fields: FieldReader) -> [Filter] {
        guard let entries = fields.entries("attributes", maxCount: Self.maximumListed) else { return [] }
        return entries.compactMap { name, field in
            guard let holdsNumbers = generation.ownAttributes[name] else {
                let hint = NearestName.hint(for: name, among: generation.ownAttributes.keys.sorted())
                field.fail("no career of this catalogue has the attribute “\(excerpt(of: name))”\(hint)")
                return nil
            }
            let index = CareerGeneration.indexName(ofAttribute: name)
            if holdsNumbers {
                guard case .object(let object) = field.value else {
                    field.fail("holds numbers; give {\"min\": …, \"max\": …}, not \(field.value.typeName)")
                    return nil
                }
                guard let range = Self.range(object, field) else { return nil }
                return .range(index, range)
            }
            guard case .array(let items) = field.value, items.count <= Self.maximumListed else {
                field.fail("holds words; give a list of at most \(Self.maximumListed), not \(field.value.typeName)")
                return nil
            }
            var words: Set<String> = []
            for item in items {
                guard case .string(let word) = item else {
                    field.fail("must be a list of words; one is \(item.typeName)")
                    return nil
                }
                words.insert(word.lowercased())
            }
            return .anyOf(index, words)
        }
    }

    private static func range(_ object: JSONObject, _ field: Field) -> ClosedRange<Double>? {
        var bounds = (min: -Double.greatestFiniteMagnitude, max: Double.greatestFiniteMagnitude)
        for (name, value) in object.members {
            let number: Double
            switch value {
            case .integer(let integer): number = Double(integer)
            case .number(let double): number = double
            case .null, .bool, .string, .array, .object:
                field.fail("\(name) must be a number, not \(value.typeName)")
                return nil
            }
            switch name {
            case "min": bounds.min = number
            case "max": bounds.max = number
            default:
                field.fail("has “min” and “max”, and no “\(excerpt(of: name))”")
                return nil
            }
        }
        guard bounds.min <= bounds.max else {
            field.fail("min is greater than max, so that nothing fits")
            return nil
        }
        return bounds.min...bounds.max
    }
}
