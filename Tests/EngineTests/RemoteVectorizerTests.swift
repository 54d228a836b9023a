import Embedder
import Engine
import Store
import TestSupport
import Testing

/// A vectorizer over a made-up provider, on a database of its own.
private struct Bench {
    static let model = RemoteModel(id: "gemini:words", queryTask: "RETRIEVAL_QUERY", documentTask: "RETRIEVAL_DOCUMENT")

    let database: any SQLDatabase
    let source = RemoteSource()
    let clock = RemoteClock()
    var limits = RemoteVectorizer.Limits()

    init() async throws { database = try await EngineFixture.newDatabase() }

    func resolved(_ model: RemoteModel = model) async throws -> RemoteVectorizer {
        try await .resolved(model, source: source, in: database, limits: limits, time: clock.time)
    }

    func known(_ space: String, _ model: RemoteModel = model) async throws -> RemoteVectorizer? {
        try await .known(space, of: model, source: source, in: database, limits: limits, time: clock.time)
    }
}

/// What goes along with every question.
private let reference = "A nurse who looks after children in a hospital at night."

/// The reason of a failure to give vectors; nil where there was none.
private func reason(_ body: () async throws -> some Any) async -> String? {
    do {
        _ = try await body()
        return nil
    } catch let error as VectorsUnavailable {
        return error.reason
    } catch {
        return "\(error)"
    }
}

@Suite struct `Vectors of a model outside` {
    // MARK: Texts that somebody waits for

    @Test func `a text is asked for once, within the time of a query`() async throws {
        let bench = try await Bench()
        let remote = try await bench.resolved()
        bench.source.forgetCalls()
        let first = try await remote.vectors(of: ["keep bees", "count things", "keep bees"], role: .query)
        let second = try await remote.vectors(of: ["count things", "keep bees"], role: .query)
        #expect(first.count == 3 && first[0] == first[2] && first[0] == second[1] && first[1] == second[0])
        #expect(
            bench.source.calls == [
                .init(texts: ["keep bees", "count things", reference], role: .query, limit: bench.limits.query)
            ])
        #expect(remote.statistics.hits == 3 && remote.statistics.misses == 2)
    }

    @Test func `texts that differ in a byte, and questions and documents, are different`() async throws {
        let bench = try await Bench()
        let remote = try await bench.resolved()
        bench.source.forgetCalls()
        // The same to people, one scalar and two.
        for text in ["caf\u{E9}", "cafe\u{301}"] { _ = try await remote.vectors(of: [text], role: .query) }
        _ = try await remote.vectors(of: ["caf\u{E9}"], role: .document)
        #expect(bench.source.calls.count == 3)
    }

    @Test func `only the latest texts are kept`() async throws {
        var bench = try await Bench()
        bench.limits.cacheEntries = 2
        let remote = try await bench.resolved()
        for text in ["one", "two", "three", "one"] { _ = try await remote.vectors(of: [text], role: .query) }
        #expect(bench.source.texts.filter { $0 == "one" }.count == 2)
        #expect(remote.statistics.entries == 2)
    }

    @Test func `a failure is told, remembered and forgotten`() async throws {
        let bench = try await Bench()
        let remote = try await bench.resolved()
        bench.source.fail(with: .down)
        #expect(remote.trouble == nil)
        #expect(await reason { try await remote.vectors(of: ["new"], role: .query) } == "unreachable")
        #expect(remote.trouble == .down && remote.wantsCheck)
        // Nobody waits between attempts where somebody waits for the answer.
        #expect(bench.clock.pauses.isEmpty)
        bench.source.fail(with: nil)
        try await remote.check()
        #expect(remote.trouble == nil && !remote.wantsCheck)
        #expect(try await remote.vectors(of: ["new"], role: .query).count == 1)
    }

    @Test func `that nobody is asked for a while hides nothing`() async throws {
        let bench = try await Bench()
        let remote = try await bench.resolved()
        let open = VectorsUnavailable(
            reason: "breaker_open", description: "not now", isTransient: true, retryAfter: .seconds(30))
        bench.source.script(.refused, open)
        for text in ["one", "two"] { _ = await reason { try await remote.vectors(of: [text], role: .query) } }
        #expect(remote.trouble == .refused)
    }

    @Test func `vectors that are not what was asked for are refused`() async throws {
        let bench = try await Bench()
        let remote = try await bench.resolved()
        bench.source.giveTooFew(true)
        #expect(await reason { try await remote.vectors(of: ["new"], role: .query) } == "bad_reply")
    }

    @Test func `what is longer than models read is cut between characters`() async throws {
        let bench = try await Bench()
        let remote = try await bench.resolved()
        bench.source.forgetCalls()
        let long = String(repeating: "ä👩‍🚀", count: 2_000)
        _ = try await remote.vectors(of: [long], role: .query)
        let sent = try #require(bench.source.texts.first)
        #expect(sent.utf8.count <= 8_000 && sent.utf8.count > 7_900 && long.hasPrefix(sent))
    }

    @Test func `a text that is one endless character is sent, and is not cut to nothing`() async throws {
        let bench = try await Bench()
        let remote = try await bench.resolved()
        bench.source.forgetCalls()
        _ = try await remote.vectors(of: ["a" + String(repeating: "\u{301}", count: 4_100)], role: .query)
        let sent = try #require(bench.source.texts.first)
        #expect(sent.utf8.count <= 8_000 && sent.utf8.count > 7_990)
    }

    @Test func `many texts go in portions, each of which is kept as it comes`() async throws {
        let bench = try await Bench()
        let remote = try await bench.resolved()
        bench.source.forgetCalls()
        let texts = (0..<250).map { MadeUpCareers.word($0) }
        // One of three fails: what the others gave was paid for.
        bench.source.script(nil, .down, nil)
        #expect(await reason { try await remote.vectors(of: texts, role: .query) } == "unreachable")
        #expect(bench.source.calls.map(\.texts.count).sorted() == [57, 98, 98])
        #expect(bench.source.calls.allSatisfy { $0.texts.last == reference })
        let known = remote.statistics.entries
        #expect(known == 194 || known == 153)
        bench.source.forgetCalls()
        #expect(try await remote.vectors(of: texts, role: .query).allSatisfy { $0.count == 768 })
        #expect(bench.source.texts.count == 250 - known + 1)
    }

    @Test func `a text that is refused costs the others nothing, and is no trouble of the model`() async throws {
        let bench = try await Bench()
        let remote = try await bench.resolved()
        bench.source.refuse("unspeakable")
        let texts = (0..<40).map { MadeUpCareers.word($0) } + ["an unspeakable thing"]
        #expect(await reason { try await remote.vectors(of: texts, role: .query) } == "rejected")
        #expect(remote.statistics.entries == 40 && remote.trouble == nil && !remote.wantsCheck)
        bench.source.forgetCalls()
        #expect(try await remote.vectors(of: Array(texts.dropLast()), role: .query).count == 40)
        #expect(bench.source.calls.isEmpty)
    }

    @Test(arguments: [0, 1, 10_000])
    func `what was read is handed on beside what was not, whatever is kept`(cacheEntries: Int) async throws {
        var bench = try await Bench()
        bench.limits.cacheEntries = cacheEntries
        let remote = try await bench.resolved()
        bench.source.refuse("unspeakable")
        let some = try await remote.reading(of: ["keep bees", "unspeakable", "weld steel"], role: .query)
        #expect(some.vectors.map { $0?.count } == [768, nil, 768] && some.failure?.reason == "rejected")
        // More texts than are kept.
        let all = try await remote.reading(of: ["one", "two", "keep bees", "three"], role: .query)
        #expect(all.vectors.allSatisfy { $0?.count == 768 } && all.failure == nil)
        #expect(all.vectors[2] == some.vectors[0])
        bench.source.change(to: "other")
        let none = try await remote.reading(of: ["new"], role: .query)
        #expect(none.vectors == [nil] && none.failure?.reason == "model_changed")
    }

    @Test func `where nothing but a refused text was sent, the provider is looked after in a while`() async throws {
        let bench = try await Bench()
        let remote = try await bench.resolved()
        bench.source.fail(with: .unread)
        #expect(await reason { try await remote.vectors(of: ["one"], role: .query) } == "rejected")
        #expect(remote.trouble == nil && !remote.wantsCheck)
        bench.clock.advance(by: .seconds(30))
        #expect(remote.wantsCheck)
        // Nobody's text is refused now, so that it is the provider.
        #expect(await reason { try await remote.check() } == "rejected")
        #expect(remote.trouble == .unread)
        bench.source.fail(with: nil)
        try await remote.check()
        #expect(remote.trouble == nil && !remote.wantsCheck)
    }

    // MARK: The same model

    @Test func `a model is looked after with the first question and every ten minutes`() async throws {
        let bench = try await Bench()
        let space = try await bench.resolved().space
        let remote = try #require(try await bench.known(space.id))
        bench.source.forgetCalls()
        func sent(_ text: String) async throws -> Int {
            bench.source.forgetCalls()
            _ = try await remote.vectors(of: [text], role: .query)
            return bench.source.texts.count
        }
        #expect(remote.wantsCheck)
        #expect(try await sent("one") == 4)
        #expect(!remote.wantsCheck)
        #expect(try await sent("two") == 2)
        bench.clock.advance(by: .seconds(599))
        #expect(try await sent("three") == 2)
        bench.clock.advance(by: .seconds(1))
        #expect(try await sent("four") == 4)
    }

    @Test func `another model under the same name is asked nothing more until it has changed back`() async throws {
        let bench = try await Bench()
        let space = try await bench.resolved().space
        let remote = try #require(try await bench.known(space.id))
        bench.source.change(to: "other")
        #expect(await reason { try await remote.vectors(of: ["one"], role: .query) } == "model_changed")
        bench.source.forgetCalls()
        #expect(await reason { try await remote.vectors(of: ["two"], role: .query) } == "model_changed")
        #expect(bench.source.calls.isEmpty)
        #expect(await reason { try await remote.check() } == "model_changed")
        bench.source.change(to: "")
        try await remote.check()
        #expect(try await remote.vectors(of: ["two"], role: .query).count == 1)
    }

    @Test func `vectors of another model are not kept, and those from before are`() async throws {
        let bench = try await Bench()
        let remote = try await bench.resolved()
        let before = try await remote.vectors(of: ["keep bees"], role: .query)
        bench.source.change(to: "other")
        #expect(await reason { try await remote.vectors(of: ["weld steel"], role: .query) } == "model_changed")
        #expect(try await remote.vectors(of: ["keep bees"], role: .query) == before)
        #expect(remote.statistics.entries == 1)
        bench.source.change(to: "")
        try await remote.check()
        let weld = try await remote.vectors(of: ["weld steel"], role: .query)
        #expect(try await bench.resolved().vectors(of: ["weld steel"], role: .query) == weld)
    }

    @Test func `a change is remembered through other failures until the model is what it was`() async throws {
        let bench = try await Bench()
        let remote = try await bench.resolved()
        bench.source.change(to: "other")
        _ = await reason { try await remote.vectors(of: ["one"], role: .query) }
        bench.source.fail(with: .down)
        #expect(await reason { try await remote.check() } == "unreachable")
        #expect(remote.trouble?.isChange == true && remote.wantsCheck)
        bench.source.fail(with: nil)
        bench.source.forgetCalls()
        #expect(await reason { try await remote.vectors(of: ["two"], role: .query) } == "model_changed")
        #expect(bench.source.calls.isEmpty)
        bench.source.change(to: "")
        try await remote.check()
        #expect(remote.trouble == nil)
    }

    @Test func `without its reference vectors a space is used, and says that nobody looks after it`() async throws {
        let bench = try await Bench()
        let space = try await bench.resolved().space
        #expect(try await bench.known(space.id)?.weakness == nil)
        let first = try await VectorRepository(bench.database).vectors(of: space.id, kind: "reference").vectors.first
        let lost = try #require(first)
        try await bench.database.write { connection in
            try connection.execute("DELETE FROM vectors WHERE item_id = ?", [.text(lost.key.itemID)])
        }
        bench.source.forgetCalls()
        let remote = try #require(try await bench.known(space.id))
        #expect(remote.weakness?.contains("pathlight reembed --model gemini:words") == true)
        // What cannot be compared is not paid for.
        #expect(!remote.wantsCheck)
        _ = try await remote.vectors(of: ["keep bees"], role: .query)
        #expect(bench.source.texts == ["keep bees"])
        // Asked for anew, it has some.
        let other = try await bench.resolved()
        #expect(other.weakness == nil)
    }

    @Test func `who only looks leaves the store as it is`() async throws {
        let bench = try await Bench()
        let looked = try await RemoteVectorizer.resolved(
            Bench.model, source: bench.source, in: bench.database, keeps: false, time: bench.clock.time)
        #expect(try await VectorRepository(bench.database).spaces().isEmpty)
        #expect(try await bench.resolved().space == looked.space)
    }

    @Test func `the space of a model that gives what it gave is the same, whatever it rounds`() async throws {
        let bench = try await Bench()
        let first = try await bench.resolved().space
        bench.source.addNoise(0.001)
        #expect(try await bench.resolved().space == first)
        bench.source.change(to: "other")
        let other = try await bench.resolved().space
        #expect(other.id != first.id && other.modelID == first.modelID)
        bench.source.change(to: "")
        #expect(try await bench.resolved().space == first)
        #expect(try await VectorRepository(bench.database).spaces().count == 2)
    }

    @Test func `a space has one view of 768 numbers, and depends on all that its vectors do`() async throws {
        let bench = try await Bench()
        let space = try await bench.resolved().space
        #expect(space.views.count == 1 && space.views[0].weight == 1 && space.dimension == 768)
        #expect(space.id.hasPrefix("gemini:words@"))
        for model in [
            RemoteModel(id: "openai:words", queryTask: "RETRIEVAL_QUERY", documentTask: "RETRIEVAL_DOCUMENT"),
            RemoteModel(id: "gemini:words", queryTask: "", documentTask: "RETRIEVAL_DOCUMENT"),
            RemoteModel(id: "gemini:words", queryTask: "RETRIEVAL_QUERY", documentTask: ""),
        ] {
            #expect(try model.space(fingerprint: space.weightsSHA256).id != space.id)
        }
        #expect(try Bench.model.space(fingerprint: "other").id != space.id)
        #expect(try Bench.model.space(fingerprint: space.weightsSHA256) == space)
    }

    @Test func `a known space is used without asking anybody`() async throws {
        let bench = try await Bench()
        let space = try await bench.resolved().space
        bench.source.forgetCalls()
        bench.source.fail(with: .down)
        #expect(try await bench.known(space.id)?.space == space)
        #expect(try await bench.known("gemini:words@0000000000000000") == nil)
        let stranger = RemoteModel(id: "openai:words", queryTask: "", documentTask: "")
        #expect(try await bench.known(space.id, stranger) == nil)
        #expect(bench.source.calls.isEmpty)
    }

    // MARK: Texts that nobody waits for

    @Test func `a catalogue's portions are asked for again while the provider is down`() async throws {
        let bench = try await Bench()
        let encoder = EncodingQueue(try await bench.resolved())
        bench.source.forgetCalls()
        bench.source.script(.down, .down, nil)
        let vectors = try await encoder.documentVectors(of: ["a nurse", "a pilot"])
        #expect(Set(vectors.keys) == ["a nurse", "a pilot"])
        #expect(bench.clock.pauses == [.seconds(1), .seconds(2)])
        #expect(bench.source.calls.map(\.limit) == Array(repeating: bench.limits.document, count: 3))
        #expect(bench.source.calls.allSatisfy { $0.role == .document })
    }

    @Test func `it is given up after the time that there is, and at once where nothing will change`() async throws {
        let bench = try await Bench()
        let encoder = EncodingQueue(try await bench.resolved())
        bench.source.fail(with: .down)
        #expect(await reason { try await encoder.documentVectors(of: ["a nurse"]) } == "unreachable")
        #expect(bench.clock.pauses.reduce(.zero, +) <= bench.limits.patience)
        #expect(bench.clock.pauses.count > 3)
        bench.source.forgetCalls()
        bench.source.fail(with: .refused)
        #expect(await reason { try await encoder.documentVectors(of: ["a nurse"]) } == "rejected")
        #expect(bench.source.calls.count == 1)
    }

    @Test func `a catalogue's text that is refused is named`() async throws {
        let bench = try await Bench()
        let encoder = EncodingQueue(try await bench.resolved())
        bench.source.refuse("unspeakable")
        let texts = Set((0..<40).map { MadeUpCareers.word($0) } + ["An unspeakable\nthing to do."])
        do {
            _ = try await encoder.documentVectors(of: texts)
            Issue.record("a refused text has a vector")
        } catch let error as VectorsUnavailable {
            #expect(error.reason == "rejected" && error.description.contains("“An unspeakable thing to do.”"))
        }
        // Nor is it asked for again, by itself or among others.
        bench.source.forgetCalls()
        for texts in [["An unspeakable\nthing to do."], ["a nurse", "An unspeakable\nthing to do."]] as [Set<String>] {
            #expect(await reason { try await encoder.documentVectors(of: texts) } == "rejected")
        }
        #expect(bench.source.texts == ["a nurse"])
        #expect(try await encoder.documentVectors(of: ["A speakable thing to do."]).count == 1)
    }

    @Test func `where nobody's texts are read either, no text is given up`() async throws {
        let bench = try await Bench()
        let encoder = EncodingQueue(try await bench.resolved())
        bench.source.forgetCalls()
        bench.source.fail(with: .unread)
        #expect(await reason { try await encoder.documentVectors(of: ["a nurse", "a pilot"]) } == "rejected")
        #expect(bench.source.calls.count == 2, "the texts, and the reference texts")
        bench.source.fail(with: nil)
        #expect(try await encoder.documentVectors(of: ["a nurse", "a pilot"]).count == 2)
    }

    @Test(arguments: [1, 2]) func `where nobody's texts are read any more during a search, no text is given up`(
        wellCalls: Int
    ) async throws {
        let bench = try await Bench()
        let encoder = EncodingQueue(try await bench.resolved())
        let texts = Set((0..<8).map { "\(MadeUpCareers.word($0)) and a word" })
        bench.source.forgetCalls()
        // All together are refused for a text, and soon each is, whatever it says.
        bench.source.script(.unread, nil)
        bench.source.fail(with: .unread, after: wellCalls - 1)
        #expect(await reason { try await encoder.documentVectors(of: texts) } == "rejected")
        #expect(bench.source.calls.count == 5 + wellCalls, "down to one text, and the reference texts")
        bench.source.fail(with: nil)
        #expect(try await encoder.documentVectors(of: texts).count == 8)
    }

    @Test func `a portion has as many texts as providers take`() async throws {
        let bench = try await Bench()
        let encoder = EncodingQueue(try await bench.resolved())
        bench.source.forgetCalls()
        let texts = Set((0..<250).map { MadeUpCareers.word($0) })
        #expect(try await encoder.documentVectors(of: texts).count == 250)
        #expect(bench.source.calls.map(\.texts.count).sorted() == [50, 100, 100])
    }
}
