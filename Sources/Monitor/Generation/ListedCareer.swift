internal import Engine
package import Platform
package import Store

/// One career of a student's list, in the order of its JSON fields.
package struct ListedCareer: Sendable, Equatable, Codable {
    /// Nil for a career that the catalogue does not have.
    package var careerID: String?
    package var career: String
    /// Percent with one decimal; nil where the engine did not rank it.
    package var score: Double?
    package var band: String?
    /// Of the catalogue; of a career outside it, the industry that it was named with.
    package var cluster: String?
    package var salaryRange: String?
    package var skills: [String]
    /// One or two plain sentences.
    package var reason: String
    /// Who put it on the list: a `ListOrigin`. The engine's careers stay the engine's when a model words their reasons.
    package var origin: String
    package var inCatalogue: Bool

    package enum CodingKeys: String, CodingKey {
        case career, score, band, cluster, skills, reason, origin
        case careerID = "career_id"
        case salaryRange = "salary_range"
        case inCatalogue = "in_catalogue"
    }

    package init(
        careerID: String? = nil, career: String, score: Double? = nil, band: String? = nil, cluster: String? = nil,
        salaryRange: String? = nil, skills: [String] = [], reason: String, origin: ListOrigin, inCatalogue: Bool
    ) {
        self.careerID = careerID
        self.career = career
        self.score = score
        self.band = band
        self.cluster = cluster
        self.salaryRange = salaryRange
        self.skills = skills
        self.reason = reason
        self.origin = origin.rawValue
        self.inCatalogue = inCatalogue
    }

    /// Skills of a career that a list names.
    static let maximumSkills = 6

    /// A career of the catalogue: its facts are the catalogue's, whoever named it.
    init(
        _ career: Career, score: Double? = nil, band: Band? = nil, reason: String, origin: ListOrigin
    ) {
        self.init(
            careerID: career.id, career: career.name, score: score, band: band?.rawValue, cluster: career.cluster,
            salaryRange: career.salary?.text, skills: Array(career.requiredSkills.prefix(Self.maximumSkills)),
            reason: reason, origin: origin, inCatalogue: true)
    }

    package var json: JSONTree {
        .members([
            "career_id": careerID.map(JSONTree.string), "career": .string(career),
            "score": score.map(JSONTree.number), "band": band.map(JSONTree.string),
            "cluster": cluster.map(JSONTree.string), "salary_range": salaryRange.map(JSONTree.string),
            "skills": .array(skills.map(JSONTree.string)), "reason": .string(reason), "origin": .string(origin),
            "in_catalogue": .bool(inCatalogue),
        ])
    }
}

/// One path that a course leads to, in the order of its JSON fields.
package struct CoursePath: Sendable, Equatable, Codable {
    package var careerID: String?
    package var career: String
    package var salaryRange: String?
    package var skills: [String]
    /// The cluster in the catalogue; empty where nothing is known.
    package var industry: String
    package var reason: String
    package var origin: String
    package var inCatalogue: Bool

    package enum CodingKeys: String, CodingKey {
        case career, skills, industry, reason, origin
        case careerID = "career_id"
        case salaryRange = "salary_range"
        case inCatalogue = "in_catalogue"
    }

    package init(
        careerID: String? = nil, career: String, salaryRange: String? = nil, skills: [String] = [],
        industry: String = "", reason: String, origin: ListOrigin, inCatalogue: Bool
    ) {
        self.careerID = careerID
        self.career = career
        self.salaryRange = salaryRange
        self.skills = skills
        self.industry = industry
        self.reason = reason
        self.origin = origin.rawValue
        self.inCatalogue = inCatalogue
    }

    init(_ listed: ListedCareer) {
        careerID = listed.careerID
        career = listed.career
        salaryRange = listed.salaryRange
        skills = listed.skills
        industry = listed.cluster ?? ""
        reason = listed.reason
        origin = listed.origin
        inCatalogue = listed.inCatalogue
    }

    package var json: JSONTree {
        .members([
            "career_id": careerID.map(JSONTree.string), "career": .string(career),
            "salary_range": salaryRange.map(JSONTree.string), "skills": .array(skills.map(JSONTree.string)),
            "industry": .string(industry), "reason": .string(reason), "origin": .string(origin),
            "in_catalogue": .bool(inCatalogue),
        ])
    }
}
