import Engine
import TestSupport
import Testing

@Suite struct `Bands` {
    @Test func `depend on what counts, not on what else was given`() async throws {
        let fixture = try await EngineFixture()
        let text = "teaching children to read and write"
        let alone = try await fixture.recommender.recommend(RecommendationRequest(text: text))
        // With α = 1 the abilities have no weight, so the scores and the bands are the same.
        let abilities = Ability.allCases.map { $0 == .empathy ? 9.0 : 5 }
        let beside = try await fixture.recommender.recommend(
            RecommendationRequest(text: text, abilities: abilities, alpha: 1))
        #expect(beside.recommendations.map(\.score.bitPattern) == alone.recommendations.map(\.score.bitPattern))
        #expect(beside.recommendations.map(\.band) == alone.recommendations.map(\.band))
    }

    @Test func `one answer is not enough for the best`() async throws {
        let fixture = try await EngineFixture()
        for question in fixture.quiz.questions {
            for choice in question.choices ?? [] where choice.work != nil {
                let sheet = try fixture.sheet([question.id: .text(choice.id)])
                let reply = try await fixture.recommender.recommend(RecommendationRequest(answers: sheet))
                #expect(
                    reply.recommendations.allSatisfy { [.fair, .weak].contains($0.band) }, "\(question.id)\(choice.id)")
            }
        }
        #expect(Band.ceiling(answers: 3) == .strong && Band.ceiling(answers: 19) == .excellent)
        #expect(Band.weak.atMost(.fair) == .weak && Band.excellent.atMost(.fair) == .fair)
    }
}

@Suite struct `Long texts` {
    @Test func `are read to their end`() async throws {
        let fixture = try await EngineFixture()
        let target = try #require(fixture.careers.first { $0.id == "welder" })
        let text =
            String(repeating: "the and of. ", count: 300) + target.aliases.joined(separator: ", ")
            + ". \(target.description)"
        #expect(TextPieces.split(text).count > 3)
        let reply = try await fixture.recommender.recommend(RecommendationRequest(text: text))
        #expect(reply.recommendations.first?.career.id == "welder")
    }

    @Test(arguments: [0, 1, 999, 1_000, 1_001, 5_000])
    func `are cut without losing a word`(length: Int) {
        for filler in ["word ", "x", "Sätze enden. "] {
            let text = String(String(repeating: filler, count: length).prefix(length))
            let pieces = TextPieces.split(text)
            #expect(pieces.joined().filter { !$0.isWhitespace } == text.filter { !$0.isWhitespace })
            #expect(pieces.allSatisfy { $0.count <= TextPieces.maximumCharacters })
        }
    }
}

@Suite struct `What contradicts itself` {
    @Test func `a career both liked and disliked is refused by name`() async throws {
        let fixture = try await EngineFixture()
        await #expect(throws: RecommendationError.likedAndDisliked(["chef"])) {
            try await fixture.recommender.recommend(
                RecommendationRequest(liked: ["chef", "baker"], disliked: ["chef"]))
        }
    }

    @Test func `a skill named twice counts once`() async throws {
        let fixture = try await EngineFixture()
        func scores(_ skills: [String]) async throws -> [UInt32] {
            try await fixture.recommender.recommend(RecommendationRequest(skills: skills)).recommendations
                .map(\.score.bitPattern)
        }
        #expect(try await scores(["Welding", "welding ", " WELDING"]) == scores(["Welding"]))
    }
}
