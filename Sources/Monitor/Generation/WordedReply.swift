internal import Store

/// What a model answers to a list, in the form of `MonitorPrompts.schema`: data that others may have had a hand in.
struct WordedReply: Sendable, Decodable {
    struct Wording: Sendable, Decodable {
        let careerID: String
        let reason: String

        enum CodingKeys: String, CodingKey {
            case careerID = "career_id"
            case reason
        }
    }

    struct Addition: Sendable, Decodable {
        let career: String
        let industry: String
        let salaryRange: String
        let skills: [String]
        let reason: String

        enum CodingKeys: String, CodingKey {
            case career, industry, skills, reason
            case salaryRange = "salary_range"
        }
    }

    let careers: [Wording]
    let additions: [Addition]

    fileprivate static let maximumReason = 300
    fileprivate static let maximumName = 80

    /// The list with the reply's words and additions: no career of the engine's goes, none changes its place, and of
    /// what the catalogue knows nothing changes.
    ///
    /// - Returns: nil where the reply has nothing that can be used.
    func applied(to careers: [ListedCareer], names: CareerNames) -> [ListedCareer]? {
        var list = careers
        var isUsed = false
        var worded: Set<String> = []
        for wording in self.careers {
            let reason = ModelText.plain(wording.reason, maximumCharacters: Self.maximumReason)
            guard reason.contains(where: \.isLetter),
                let place = list.firstIndex(where: { $0.careerID == wording.careerID }),
                worded.insert(wording.careerID).inserted
            else { continue }
            list[place].reason = reason
            isUsed = true
        }
        var known = Set(list.map { CareerNames.key($0.career) })
        for addition in additions.prefix(MonitorPrompts.maximumAdditions) {
            guard let career = addition.listed(names: names),
                known.insert(CareerNames.key(career.career)).inserted
            else { continue }
            list.append(career)
            isUsed = true
        }
        return isUsed ? list : nil
    }
}

extension WordedReply.Addition {
    /// The career as a list has it: the catalogue's where it is there by this name; nil where the name or the reason
    /// has no word in it.
    func listed(names: CareerNames) -> ListedCareer? {
        let name = ModelText.plain(self.career, maximumCharacters: WordedReply.maximumName)
        let reason = ModelText.plain(self.reason, maximumCharacters: WordedReply.maximumReason)
        guard !CareerNames.key(name).isEmpty, reason.contains(where: \.isLetter) else { return nil }
        if let found = names.career(named: name) { return ListedCareer(found, reason: reason, origin: .model) }
        return ListedCareer(
            career: name, cluster: Self.part(industry), salaryRange: Self.part(salaryRange),
            skills: Array(skills.compactMap(Self.part).prefix(ListedCareer.maximumSkills)), reason: reason,
            origin: .model, inCatalogue: false)
    }

    private static func part(_ text: String) -> String? {
        let text = ModelText.plain(text, maximumCharacters: WordedReply.maximumName)
        return text.isEmpty ? nil : text
    }
}
