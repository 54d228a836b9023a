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

    init(cacheEntries: Int = 10_000) async throws {
        database = try await EngineFixture.newDatabase()
        source = RemoteSource()
        var limits = RemoteVectorizer.Limits()
        limits.cacheEntries = cacheEntries
        remote = try await .resolved(
            Self.model, source: source, in: database, limits: limits, time: RemoteClock().time)
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
            #expect(explanation.answers.filter { $0.origin == .text(quoted: nil) }.allSatisfy { $0.points == 0 })
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

    @Test(arguments: [0, 1, 10_000])
    func `a text that is refused degrades its own request alone, whatever is kept`(cacheEntries: Int) async throws {
        let scene = try await Scene(cacheEntries: cacheEntries)
        scene.source.refuse("unspeakable")
        let replies = try await scene.recommender.recommend(batch: [
            .init(text: "I like bees and honey."), .init(text: "An unspeakable thing."),
            .init(text: "I like old tools."),
        ]).map { try $0.get() }
        #expect(replies.map { $0.degradation?.reason.rawValue } == [nil, "rejected", nil])
        #expect(replies.map(\.recommendations.count) == [5, 0, 5])
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

    @Test func `what came before a run failed is kept, also of a block that is not whole`() async throws {
        let database = try await EngineFixture.newDatabase()
        let source = RemoteSource()
        let remote = try await RemoteVectorizer.resolved(model, source: source, in: database, time: RemoteClock().time)
        let (encoder, reembedder) = (EncodingQueue(remote), Reembedder(database))
        var careers = MadeUpCareers.make(64)
        // The longest texts are in the first of two portions; a third of the careers has no titles beside its own.
        for number in stride(from: 0, to: 64, by: 3) {
            careers[number].description += " and a great many others that are not mentioned here"
        }
        source.fail(with: .refused, after: 1)
        await #expect(throws: VectorsUnavailable.refused) {
            try await reembedder.run(careers, encoder: encoder, options: .init(lanes: 1))
        }
        source.fail(with: nil)
        let report = try await reembedder.run(careers, encoder: encoder, options: .init(lanes: 1))
        #expect(report.resumed >= 22 && report.resumed + report.embedded == 64 && report.isSwitched)
    }

    @Test func `a career with a text that is refused keeps no other from its vector, and is asked for once`()
        async throws
    {
        let database = try await EngineFixture.newDatabase()
        let source = RemoteSource()
        let reembedder = Reembedder(database)
        func encoder() async throws -> EncodingQueue {
            EncodingQueue(try await .resolved(model, source: source, in: database, time: RemoteClock().time))
        }
        let first = try await encoder()
        var careers = MadeUpCareers.make(90)
        _ = try await reembedder.run(Array(careers.prefix(20)), encoder: first)
        // One of them has a vector of an earlier text, the other has none.
        for number in [3, 50] { careers[number].description = "unspeakable " + careers[number].description }
        source.refuse("unspeakable")
        func run(_ encoder: EncodingQueue) async throws -> ReembedReport {
            source.forgetCalls()
            return try await reembedder.run(careers, encoder: encoder, options: .init(lanes: 1, isUnasked: true))
        }
        let report = try await run(first)
        #expect(report.isSwitched && report.isComplete && report.embedded == 69)
        #expect(report.reused == 20 && report.stale == 1)
        #expect(report.refused?.careers == ["career-0003", "career-0050"])
        #expect(report.refused?.description.contains("it is the text that begins with") == true)
        let state = try #require(try await reembedder.coverage(of: careers)).state
        #expect(state.current == 88 && state.stale == 1 && state.pending == 1)

        // Neither are they asked for again, nor are the same rows written anew.
        let generation = try await reembedder.current()?.id
        let second = try await run(first)
        #expect(!second.isSwitched && second.isComplete && second.refused == report.refused && source.calls.isEmpty)
        // Another process asks once, and finds nothing new either.
        let other = try await encoder()
        let third = try await run(other)
        #expect(!third.isSwitched && third.refused?.careers == report.refused?.careers && !source.calls.isEmpty)
        #expect(try await run(other).refused != nil && source.calls.isEmpty)
        #expect(try await reembedder.current()?.id == generation)
        #expect(try await reembedder.building() == nil)

        // One text changes; in the end the provider reads the other.
        careers[3].description = "mended"
        let mended = try await run(first)
        #expect(mended.isSwitched && mended.embedded == 1 && mended.refused?.careers == ["career-0050"])
        source.refuse(nil)
        let whole = try await run(try await encoder())
        #expect(whole.isSwitched && whole.embedded == 1 && whole.refused == nil)
        #expect(try await reembedder.coverage(of: careers)?.state.current == 90)
    }

    @Test func `a limit is for careers that are embedded`() async throws {
        let database = try await EngineFixture.newDatabase()
        let source = RemoteSource()
        let remote = try await RemoteVectorizer.resolved(model, source: source, in: database, time: RemoteClock().time)
        var careers = MadeUpCareers.make(10)
        for number in 0..<4 { careers[number].description = "unspeakable " + careers[number].description }
        source.refuse("unspeakable")
        let report = try await Reembedder(database).run(
            careers, encoder: EncodingQueue(remote), options: .init(limit: 3, lanes: 1))
        #expect(report.embedded == 3 && !report.isComplete)
    }

    @Test func `where all texts are refused nothing comes into use`() async throws {
        let database = try await EngineFixture.newDatabase()
        let source = RemoteSource()
        let remote = try await RemoteVectorizer.resolved(model, source: source, in: database, time: RemoteClock().time)
        var careers = MadeUpCareers.make(5)
        for number in careers.indices { careers[number].description = "unspeakable \(number)" }
        source.refuse("unspeakable")
        let reembedder = Reembedder(database)
        for _ in 0..<2 {
            await #expect(throws: VectorsUnavailable.self) {
                try await reembedder.run(careers, encoder: EncodingQueue(remote))
            }
        }
        #expect(try await reembedder.current() == nil)
    }

    @Test func `a run that ends between an earlier row that is kept and the switch is gone on with`() async throws {
        var careers = MadeUpCareers.make(20)
        let before = careers
        careers[3].description = "unspeakable " + careers[3].description
        careers.append(MadeUpCareers.make(number: 500))
        /// - Returns: the calls that the run took.
        func run(failingAfter calls: Int?) async throws -> Int {
            let database = try await EngineFixture.newDatabase()
            let source = RemoteSource()
            let remote = try await RemoteVectorizer.resolved(
                model, source: source, in: database, time: RemoteClock().time)
            let (encoder, reembedder) = (EncodingQueue(remote), Reembedder(database))
            _ = try await reembedder.run(before, encoder: encoder)
            source.refuse("unspeakable")
            source.forgetCalls()
            if let calls {
                source.fail(with: .refused, after: calls)
                await #expect(throws: VectorsUnavailable.refused) {
                    try await reembedder.run(careers, encoder: encoder, options: .init(lanes: 1))
                }
                #expect(try await reembedder.building() != nil)
                source.fail(with: nil)
            }
            let report = try await reembedder.run(careers, encoder: encoder, options: .init(lanes: 1))
            #expect(report.isSwitched && report.refused?.careers == ["career-0003"])
            let state = try #require(try await reembedder.coverage(of: careers)).state
            #expect(state.current == 20 && state.stale == 1 && state.pending == 0)
            return source.calls.count
        }
        // The last call is for the check.
        _ = try await run(failingAfter: try await run(failingAfter: nil) - 1)
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
