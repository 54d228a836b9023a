package import Foundation

/// A written person with answers, and what a career adviser would expect to see.
package struct Persona: Decodable, Sendable {
    package let id: String
    package let description: String
    package let answers: [String: Answer]
    /// At least two of these careers belong in the list.
    package let expectAny: [String]
    /// At least two of these clusters do.
    package let expectClusters: [String]
    /// None of these does.
    package let reject: [String]

    enum CodingKeys: String, CodingKey {
        case id, description, answers, reject
        case expectAny = "expect_any"
        case expectClusters = "expect_clusters"
    }

    /// The personas of a file `{"personas": […]}`.
    package static func read(_ data: Data) throws -> [Persona] {
        struct Document: Decodable {
            let personas: [Persona]
        }
        return try JSONDecoder().decode(Document.self, from: data).personas
    }
}

extension Answer: Decodable {
    package init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let text = try? value.decode(String.self) {
            self = .text(text)
        } else {
            self = .number(try value.decode(Double.self))
        }
    }
}

/// What a persona was recommended, held against what was expected.
package struct PersonaResult: Sendable {
    package let persona: Persona
    package let reply: RecommendationReply

    package var expectedCareers: [String] {
        reply.recommendations.map(\.career.id).filter(persona.expectAny.contains)
    }

    package var expectedClusters: [String] {
        reply.recommendations.map(\.career.cluster).filter(persona.expectClusters.contains)
    }

    package var rejected: [String] { reply.recommendations.map(\.career.id).filter(persona.reject.contains) }

    /// Whether an adviser could defend the list.
    package var isDefensible: Bool {
        expectedCareers.count >= 2 && expectedClusters.count >= 2 && rejected.isEmpty
    }

    package static func measure(
        _ personas: [Persona], with recommender: Recommender, quiz: Quiz
    ) async throws -> [PersonaResult] {
        var results: [PersonaResult] = []
        for persona in personas {
            let sheet = try AnswerSheet(persona.answers, to: quiz)
            let reply = try await recommender.recommend(RecommendationRequest(answers: sheet))
            results.append(PersonaResult(persona: persona, reply: reply))
        }
        return results
    }
}
