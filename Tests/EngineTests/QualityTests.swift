import Embedder
import Engine
import Foundation
import TestSupport
import Testing

/// The promises about lists of careers, held with the real model.
@Suite(.enabled(if: InstalledModel.isPresent, "\(InstalledModel.skipReason)"))
struct `With the model` {
    static func fixture() async throws -> EngineFixture {
        let embedder = try TextEmbedder(folder: InstalledModel.adapted)
        return try await EngineFixture(vectorizer: try ModelVectorizer(embedder))
    }

    @Test func `over 2,000 random sheets most careers appear and none crowds out the rest`() async throws {
        let fixture = try await Self.fixture()
        let report = try await VarietyReport.measure(
            fixture.recommender, quiz: fixture.quiz, sheets: 2_000, alphas: [])
        #expect(report.coverage >= 0.8)
        #expect(report.greatestShare <= 0.25, "\(report.mostFrequent)")
        #expect(report.clusterShares.lowerBound > 0.05)
    }

    @Test func `ten written people get lists that an adviser would defend`() async throws {
        let fixture = try await Self.fixture()
        let data = try Data(contentsOf: RepositoryRoot.file("Tests/personas.json"))
        let results = try await PersonaResult.measure(
            try Persona.read(data), with: fixture.recommender, quiz: fixture.quiz)
        #expect(results.count == 10)
        for result in results {
            let list = result.reply.recommendations.map(\.career.id)
            #expect(result.isDefensible, "\(result.persona.id): \(list)")
            #expect(Set(result.reply.recommendations.map(\.career.cluster)).count == 5)
        }
    }

    @Test func `a text's cached vector is the computed one`() async throws {
        let fixture = try await Self.fixture()
        let request = RecommendationRequest(
            text: "I repair bicycles and like to ride them through the forest.", topN: 20)
        let first = try await fixture.recommender.recommend(request)
        let again = try await fixture.recommender.recommend(request)
        #expect(first.recommendations.map(\.score.bitPattern) == again.recommendations.map(\.score.bitPattern))
        #expect(again.timing.embed < first.timing.embed)
    }
}
