import Engine
import Testing
import VectorIndex

@Suite struct `Approximate lists` {
    /// Words that some of the made-up careers have, and others that all have.
    private static let texts = ["wordbc things", "skillwordbcd and work about wordgha", "wordfaab and wordbjj things"]

    @Test func `of careers enough to have codes are not proven, and miss next to nothing`() async throws {
        let fixture = try await EngineFixture(careers: MadeUpCareers.make(CodePolicy.defaultLeastRows))
        try await checkSingleRequests(fixture)
        try await checkBatch(fixture)
        try await checkPages(fixture)
        try await checkOtherWays(fixture)
    }

    private func checkSingleRequests(_ fixture: EngineFixture) async throws {
        var found = 0
        for text in Self.texts {
            var request = RecommendationRequest(text: text, topN: 100, diversity: false)
            let exact = try await fixture.recommender.recommend(request)
            request.isApproximate = true
            let reply = try await fixture.recommender.recommend(request)
            #expect(exact.exact && !reply.exact && reply.complete, "\(text)")
            #expect(reply.matched == exact.matched && reply.scanned == exact.scanned, "\(text)")
            #expect(reply.recommendations.count == 100, "\(text)")
            for item in reply.recommendations { Recommendations.checkParts(of: item, alpha: reply.alpha) }
            found += Self.common(reply.recommendations, exact.recommendations)
        }
        #expect(found >= 270, "\(found) of 300")
    }

    private func checkBatch(_ fixture: EngineFixture) async throws {
        var requests: [RecommendationRequest] = []
        for text in Self.texts {
            for isApproximate in [true, false] {
                requests.append(
                    RecommendationRequest(text: text, topN: 50, diversity: false, isApproximate: isApproximate))
            }
        }
        let replies = try await fixture.recommender.recommend(batch: requests)
        var found = 0
        for position in stride(from: 0, to: requests.count, by: 2) {
            let approximate = try replies[position].get()
            let exact = try replies[position + 1].get()
            #expect(!approximate.exact && exact.exact, "request \(position)")
            found += Self.common(approximate.recommendations, exact.recommendations)
        }
        #expect(found >= 135, "\(found) of 150")
    }

    private func checkPages(_ fixture: EngineFixture) async throws {
        var request = RecommendationRequest(text: Self.texts[0], topN: 100, diversity: false, isApproximate: true)
        let whole = try await fixture.recommender.recommend(request)
        request.topN = 20
        var pages: [Recommendation] = []
        for page in 0..<5 {
            request.skip = 20 * page
            let reply = try await fixture.recommender.recommend(request)
            #expect(!reply.exact && reply.skip == request.skip)
            pages += reply.recommendations
        }
        #expect(pages.map(\.rank) == Array(1...100))
        let found = Self.common(pages, whole.recommendations)
        #expect(found >= 90, "\(found) of 100")
        // Where a filter leaves few, all of them are scored.
        let cluster = try #require(whole.recommendations.first?.career.cluster)
        request.filter = .anyOf("cluster", [cluster])
        request.skip = 0
        let few = try await fixture.recommender.recommend(request)
        #expect(few.matched * 4 < CodePolicy.defaultLeastRows && few.rescored == few.matched && few.exact)
        request.filter = nil
        // From an eighth of the careers on, bounds rule out nothing and are not asked.
        request.skip = CodePolicy.defaultLeastRows / 8
        #expect(try await fixture.recommender.recommend(request).exact)
    }

    /// Those that have no approximate form, and those that are plain searches under other names.
    private func checkOtherWays(_ fixture: EngineFixture) async throws {
        let one = ["career-0012"]
        let two = ["career-0012", "career-0900"]
        let ways: [(request: RecommendationRequest, exact: Bool)] = [
            (RecommendationRequest(text: Self.texts[0], diversity: false, marginalRelevance: 0.5), true),
            (RecommendationRequest(text: Self.texts[0], diversity: false, marginalRelevance: 1), false),
            (RecommendationRequest(liked: two, examples: .bestScore), true),
            (RecommendationRequest(liked: one, disliked: ["career-0900"], examples: .bestScore), true),
            (RecommendationRequest(liked: one, examples: .bestScore), false),
            (RecommendationRequest(liked: two), false),
            (RecommendationRequest(text: Self.texts[0]), false),
        ]
        for (position, way) in ways.enumerated() {
            var request = way.request
            request.isApproximate = true
            #expect(try await fixture.recommender.recommend(request).exact == way.exact, "way \(position)")
        }
    }

    @Test func `of fewer careers are exact all the same`() async throws {
        let fixture = try await EngineFixture()
        for seed in 0..<4 {
            var request = RecommendationRequest(answers: try fixture.randomSheet(UInt64(seed)), topN: 10)
            let exact = try await fixture.recommender.recommend(request)
            request.isApproximate = true
            let reply = try await fixture.recommender.recommend(request)
            #expect(reply.exact)
            #expect(ReplyPrint(reply) == ReplyPrint(exact))
        }
    }

    /// Careers of `list` that `other` has with the same score.
    private static func common(_ list: [Recommendation], _ other: [Recommendation]) -> Int {
        let scores = Dictionary(
            other.map { ($0.career.id, $0.score.bitPattern) }, uniquingKeysWith: { first, _ in first })
        return list.filter { scores[$0.career.id] == $0.score.bitPattern }.count
    }
}
