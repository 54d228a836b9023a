import Engine
import Store
import TestSupport
import Testing
import VectorIndex

/// Careers with vectors of a model outside, and a recommender over them.
private struct Scene {
    static let model = RemoteModel(id: "openai:words", queryTask: "", documentTask: "")

    let database: any SQLDatabase
    let source: RemoteSource
    let remote: RemoteVectorizer
    let encoder: EncodingQueue
    let quiz: Quiz
    let recommender: Recommender

    init() async throws {
        database = try await EngineFixture.newDatabase()
        source = RemoteSource()
        remote = try await .resolved(Self.model, source: source, in: database, time: RemoteClock().time)
        encoder = EncodingQueue(remote)
        quiz = try BuiltIn.quiz()
        let built = try await EngineFixture.build(
            try BuiltIn.careers(), encoder: encoder, database: database, quiz: quiz)
        recommender = Recommender(generation: built.generation, encoder: encoder)
        source.forgetCalls()
    }

    func sheet(_ seed: UInt64) throws -> AnswerSheet {
        var random = SplitMix64(seed: seed)
        return try AnswerSheet(quiz.randomAnswers(using: &random), to: quiz)
    }
}

@Suite struct `Recommendations with a model outside` {
    private let abilities: [Double?] = Array(repeating: 5, count: 14) + [9]

    @Test func `texts are ranked by its vectors`() async throws {
        let scene = try await Scene()
        let career = try #require(scene.recommender.current.orderedCareers.first)
        let reply = try await scene.recommender.recommend(.init(text: "\(career.name). \(career.description)"))
        #expect(reply.recommendations.first?.career.id == career.id)
        #expect(reply.degradation == nil && reply.alpha == 1 && reply.exact)
        #expect(reply.recommendations.first?.explanation.views.count == 1)
    }

    @Test func `where it is down, abilities rank, and the reply says why`() async throws {
        let scene = try await Scene()
        scene.source.fail(with: .down)
        let reply = try await scene.recommender.recommend(.init(text: "I like bees.", abilities: abilities))
        #expect(reply.alpha == 0 && reply.recommendations.count == 5)
        #expect(reply.degradation?.reason.rawValue == "unreachable")
        #expect(reply.degradation?.detail.contains("it is down") == true)
        let plain = try await scene.recommender.recommend(.init(abilities: abilities))
        #expect(plain.degradation == nil)
        #expect(plain.recommendations.map(\.career.id) == reply.recommendations.map(\.career.id))
    }

    @Test func `text alone is answered with an empty list and the reason`() async throws {
        let scene = try await Scene()
        scene.source.fail(with: .refused)
        let reply = try await scene.recommender.recommend(.init(text: "I like bees."))
        #expect(reply.recommendations.isEmpty && reply.alpha == 0 && !reply.complete && reply.matched == 0)
        #expect(reply.degradation?.reason.rawValue == "rejected")
        #expect(reply.generation == scene.recommender.current.number)
    }

    @Test func `phrases of the quiz and careers that somebody likes need nobody`() async throws {
        let scene = try await Scene()
        scene.source.fail(with: .down)
        let sheet = try scene.sheet(3)
        let whole = try await scene.recommender.recommend(.init(answers: sheet))
        #expect(whole.degradation == nil && whole.alpha == RecommendationRequest.defaultAlpha)
        #expect(scene.source.calls.isEmpty)
        // What cannot be read is left out, and what was chosen still counts.
        let partly = try await scene.recommender.recommend(.init(answers: sheet, text: "I like bees."))
        #expect(partly.degradation?.reason.rawValue == "unreachable" && partly.alpha == whole.alpha)
        #expect(partly.recommendations.map(\.career.id) == whole.recommendations.map(\.career.id))
        let liked = try #require(scene.recommender.current.orderedCareers.first?.id)
        let near = try await scene.recommender.recommend(.init(text: "I like bees.", liked: [liked]))
        #expect(near.recommendations.count == 5 && near.degradation != nil && near.alpha == 1)
    }

    @Test func `effects still add up where a text is left out`() async throws {
        let scene = try await Scene()
        scene.source.fail(with: .down)
        let reply = try await scene.recommender.recommend(.init(answers: try scene.sheet(5), text: "I like bees."))
        for item in reply.recommendations {
            let explanation = item.explanation
            let sum =
                explanation.baseline + explanation.answers.reduce(0) { $0 + $1.points }
                + explanation.abilities.reduce(0) { $0 + $1.points }
            let shown = Percent(
                score: item.score, embedding: item.embeddingSimilarity, ability: item.abilitySimilarity,
                alpha: reply.alpha)
            #expect(abs(sum - shown.score) < 0.005)
            #expect(explanation.answers.filter { $0.origin == .text }.allSatisfy { $0.points == 0 })
        }
    }

    @Test func `of a batch those are degraded whose texts were not read`() async throws {
        let scene = try await Scene()
        _ = try await scene.recommender.recommend(.init(text: "I like old clocks."))
        scene.source.fail(with: .down)
        let replies = try await scene.recommender.recommend(batch: [
            .init(text: "I like old clocks."), .init(text: "I like bees."), .init(abilities: abilities),
            .init(text: "I like old clocks.", skills: ["welding"]),
        ]).map { try $0.get() }
        #expect(replies.map { $0.degradation == nil } == [true, false, true, false])
        #expect(replies.map(\.recommendations.count) == [5, 0, 5, 5])
        #expect(scene.source.calls.count == 2, "all texts of a batch are asked for together")
    }

    @Test func `a request that is wrong is refused all the same`() async throws {
        let scene = try await Scene()
        scene.source.fail(with: .down)
        await #expect(throws: RecommendationError.topNOutOfRange(0)) {
            try await scene.recommender.recommend(.init(text: "I like bees.", topN: 0))
        }
        await #expect(throws: RecommendationError.nothingToGoOn) {
            try await scene.recommender.recommend(.init(text: " "))
        }
    }

    @Test func `text alone is refused where somebody has to act, and answered where a provider is waited for`()
        async throws
    {
        let careers = MadeUpCareers.make(5)
        func reply(_ reason: Degradation.Reason) async throws -> RecommendationReply {
            let database = try await EngineFixture.newDatabase()
            let content = CatalogueContent(careers: careers, revision: 1)
            let built = try await CareerGenerationBuilder(database: database, quiz: try BuiltIn.quiz()).build(
                content, encoder: nil, degradation: Degradation(reason: reason, detail: "none"))
            return try await Recommender(generation: built.generation, encoder: nil)
                .recommend(.init(text: "I like bees."))
        }
        for reason in [Degradation.Reason.noModel, .modelNotNamed] {
            await #expect(throws: RecommendationError.textNeedsModel(Degradation(reason: reason, detail: "none"))) {
                try await reply(reason)
            }
        }
        let waiting = try await reply(.init(rawValue: "vectors_pending"))
        #expect(waiting.recommendations.isEmpty && waiting.degradation?.reason.rawValue == "vectors_pending")
    }

    @Test func `it is whole again when the model is`() async throws {
        let scene = try await Scene()
        scene.source.fail(with: .down)
        _ = try await scene.recommender.recommend(.init(text: "I like bees."))
        scene.source.fail(with: nil)
        let reply = try await scene.recommender.recommend(.init(text: "I like bees."))
        #expect(reply.degradation == nil && reply.recommendations.count == 5)
        #expect(scene.remote.trouble == nil)
    }
}

@Suite struct `Careers embedded by a model outside` {
    private let model = RemoteModel(id: "openai:words", queryTask: "", documentTask: "")

    @Test func `a run that failed is gone on with`() async throws {
        let database = try await EngineFixture.newDatabase()
        let source = RemoteSource()
        let careers = MadeUpCareers.make(200)
        let reembedder = Reembedder(database)
        func encoder() async throws -> EncodingQueue {
            EncodingQueue(try await .resolved(model, source: source, in: database, time: RemoteClock().time))
        }
        let first = try await encoder()
        // Blocks of 64 careers have a few portions each; the failure comes within the second or third.
        source.fail(with: .refused, after: 5)
        await #expect(throws: VectorsUnavailable.refused) {
            try await reembedder.run(careers, encoder: first, options: .init(lanes: 1))
        }
        #expect(try await reembedder.current() == nil)
        source.fail(with: nil)
        let report = try await reembedder.run(careers, encoder: try await encoder())
        #expect(report.isSwitched && report.resumed >= 64 && report.resumed + report.embedded == 200)
        #expect(report.model == "openai:words" && report.greatestDifference < 1e-6)
    }

    @Test func `the check of a run bears what a provider rounds, and no other model`() async throws {
        let database = try await EngineFixture.newDatabase()
        let source = RemoteSource()
        let remote = try await RemoteVectorizer.resolved(
            model, source: source, in: database, time: RemoteClock().time)
        let reembedder = Reembedder(database)
        let careers = MadeUpCareers.make(20)
        // Written, and not checked yet.
        source.fail(with: .refused, after: 1)
        await #expect(throws: VectorsUnavailable.refused) {
            try await reembedder.run(careers, encoder: EncodingQueue(remote), options: .init(lanes: 1))
        }
        source.fail(with: nil)
        source.change(to: "other")
        await #expect(throws: ReembedError.self) {
            try await reembedder.run(careers, encoder: EncodingQueue(remote))
        }
        source.change(to: "")
        let encoder = EncodingQueue(remote)
        _ = try await reembedder.run(careers, encoder: encoder)
        source.addNoise(0.002)
        let report = try await reembedder.run(careers + [MadeUpCareers.make(number: 500)], encoder: encoder)
        #expect(report.isSwitched && report.reused == 20 && report.greatestDifference > 1e-4)
    }

    @Test func `who was not asked leaves vectors of the model that is there now in use`() async throws {
        let database = try await EngineFixture.newDatabase()
        let source = RemoteSource()
        let careers = MadeUpCareers.make(20)
        let reembedder = Reembedder(database)
        func encoder() async throws -> EncodingQueue {
            EncodingQueue(try await .resolved(model, source: source, in: database, time: RemoteClock().time))
        }
        let old = try await encoder()
        _ = try await reembedder.run(careers, encoder: old)
        source.change(to: "other")
        let new = try await encoder()
        _ = try await reembedder.run(careers, encoder: new)
        #expect(new.space.modelID == old.space.modelID && new.space.id != old.space.id)
        await #expect(throws: ReembedError.otherModel(new.space.id)) {
            try await reembedder.run(careers, encoder: old, options: .init(isUnasked: true))
        }
        #expect(try await reembedder.spaceInUse()?.id == new.space.id)
        let report = try await reembedder.run(careers, encoder: new, options: .init(isUnasked: true))
        #expect(!report.isSwitched && report.reused == 20)
    }

    @Test func `careers that have vectors are served while the provider is down`() async throws {
        let database = try await EngineFixture.newDatabase()
        let source = RemoteSource()
        let quiz = try BuiltIn.quiz()
        let remote = try await RemoteVectorizer.resolved(
            model, source: source, in: database, time: RemoteClock().time)
        let careers = MadeUpCareers.make(30)
        let encoder = EncodingQueue(remote)
        _ = try await EngineFixture.build(careers, encoder: encoder, database: database, quiz: quiz)
        source.fail(with: .down)
        let more = careers + [MadeUpCareers.make(number: 500)]
        for nobody in [encoder, EncodingQueue(remote.withoutAsking)] {
            let built = try await EngineFixture.build(more, encoder: nobody, database: database, quiz: quiz)
            #expect(built.generation.index.count == 30 && built.generation.embedding.pending == 1)
        }
        source.forgetCalls()
        _ = try await EngineFixture.build(
            more, encoder: EncodingQueue(remote.withoutAsking), database: database, quiz: quiz)
        #expect(source.calls.isEmpty)
        source.fail(with: nil)
        let whole = try await EngineFixture.build(more, encoder: encoder, database: database, quiz: quiz)
        #expect(whole.generation.index.count == 31 && whole.generation.embedding.pending == 0)
    }

    @Test func `without any vectors a build says why there are none`() async throws {
        let database = try await EngineFixture.newDatabase()
        let source = RemoteSource()
        let remote = try await RemoteVectorizer.resolved(
            model, source: source, in: database, time: RemoteClock().time)
        do {
            _ = try await EngineFixture.build(
                MadeUpCareers.make(5), encoder: EncodingQueue(remote.withoutAsking), database: database,
                quiz: try BuiltIn.quiz())
            Issue.record("careers without vectors were served")
        } catch let error as VectorsUnavailable {
            #expect(error.reason == "vectors_pending")
        }
    }

    @Test func `phrases that were prepared are not asked for again`() async throws {
        let database = try await EngineFixture.newDatabase()
        let source = RemoteSource()
        let quiz = try BuiltIn.quiz()
        let remote = try await RemoteVectorizer.resolved(
            model, source: source, in: database, time: RemoteClock().time)
        let encoder = EncodingQueue(remote)
        let builder = CareerGenerationBuilder(database: database, quiz: quiz)
        try await builder.preparePhrases(encoder)
        let asked = source.calls.count
        try await builder.preparePhrases(encoder)
        #expect(asked > 1 && source.calls.count == asked)
        #expect(source.calls.dropFirst().allSatisfy { $0.role == .query })
    }
}
