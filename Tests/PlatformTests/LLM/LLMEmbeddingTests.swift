import Foundation
import Platform
import Store
import Testing

/// Vectors for a catalogue and for those who search it.
struct LLMEmbeddingTests {
    private let vector = "[" + Array(repeating: "1", count: 768).joined(separator: ",") + "]"

    private func vectors(_ count: Int = 1) -> LLMTestTransport.Step {
        let data = (0..<count).map { #"{"index":\#($0),"embedding":\#(vector)}"# }.joined(separator: ",")
        return .reply(status: 200, body: #"{"data":[\#(data)],"usage":{"prompt_tokens":9}}"#)
    }

    @Test(arguments: ["This model does not support matryoshka representation.", "Unknown parameter: 'dimensions'."])
    func `a server that wants no dimensions is told none, from then on`(words: String) async throws {
        let test = try await LLMTestGateway([
            .reply(status: 400, body: #"{"error":{"message":"\#(words)","code":null}}"#), vectors(), vectors(),
        ])
        for _ in 0..<2 { _ = try await test.gateway.embeddings(of: ["a"], for: .query, feature: "test") }
        let told = try (0..<3).map { try test.transport.body($0)["dimensions"]?.int }
        #expect(told == [768, nil, nil])
        try await test.close()
    }

    @Test func `another refusal is not taken for one of dimensions`() async throws {
        let test = try await LLMTestGateway([.reply(status: 400, body: #"{"error":{"message":"Too long."}}"#)])
        await expectLLMError(.rejected(status: 400, code: nil)) {
            try await test.gateway.embeddings(of: ["a"], feature: "test")
        }
        #expect(test.transport.requests.count == 1)
        try await test.close()
    }

    @Test func `a search waits for its turn no longer than it may`() async throws {
        let test = try await LLMTestGateway([.hold], then: vectors()) { $0.concurrency = 1 }
        let first = Task { try await test.gateway.embeddings(of: ["a"], feature: "reembed", deadline: .seconds(60)) }
        await test.transport.waitForRequests(1)
        let second = Task {
            try await test.gateway.embeddings(of: ["b"], for: .query, feature: "search", deadline: .seconds(1))
        }
        while test.gateway.statistics.waiting == 0 { await Task.yield() }
        test.clock.advance(by: .seconds(1))
        await expectLLMError(.timedOut) { try await second.value }
        // It was never sent, so it says nothing of the provider.
        #expect(test.transport.requests.count == 1 && test.gateway.statistics.breaker == .closed)
        test.transport.open()
        #expect(try await first.value.vectors.count == 1)
        #expect(test.gateway.statistics.underWay == 0)
        try await test.close()
    }

    @Test func `two gateways share their calls at a time, and nothing else`() async throws {
        // For its database and its clock.
        let test = try await LLMTestGateway([])
        let transport = LLMTestTransport([.hold], then: vectors())
        var settings = LLMSettings()
        settings.openAI.key = OutboundSecret("sk-test-0123456789")
        settings.concurrency = 1
        let slots = settings.makeSlots()
        func gateway(_ model: String) -> LLMGateway {
            LLMGateway(
                settings: settings,
                provider: settings.embeddingProvider(
                    .openai, model: model, transport: transport, time: test.clock.time),
                database: test.database, slots: slots, time: test.clock.time)
        }
        let (one, other) = (gateway("one"), gateway("other"))
        let first = Task { try await one.embeddings(of: ["a"], feature: "test") }
        await transport.waitForRequests(1)
        let second = Task { try await other.embeddings(of: ["b"], feature: "test") }
        while one.statistics.waiting == 0 { await Task.yield() }
        #expect(other.statistics.underWay == 1 && transport.requests.count == 1)
        transport.open()
        #expect(try await first.value.model == "one")
        #expect(try await second.value.model == "other")
        #expect(transport.mostUnderWay == 1)
        try await test.close()
    }

    @Test func `who is erased between two portions of their texts stays erased`() async throws {
        // What is held answers last: with the first hundred.
        let test = try await LLMTestGateway([.hold, vectors(1)], then: vectors(100))
        let (gateway, texts) = (test.gateway, (0..<101).map { "text \($0)" })
        let call = Task { try await gateway.embeddings(of: texts, feature: "test", userID: "ada").vectors.count }
        await test.transport.waitForRequests(1)
        #expect(try await PersonErasure(test.database, cipher: PlainColumns()).erase("ada").isProven)
        test.transport.open()
        #expect(try await call.value == 101)
        let rows = try await LLMUsageRepository(test.database).rows(of: "2026-02-26")
        #expect(rows.map(\.userID) == [nil] && rows.map(\.calls) == [2])
        try await test.close()
    }

    @Test func `who embeds is chosen apart from who answers`() {
        let transport = LLMTestTransport([])
        var settings = LLMSettings()
        #expect(settings.embeddingProvider(.openai, model: "e", transport: transport) == nil)
        settings.gemini.key = OutboundSecret("g")
        settings.openAI.baseURL = "http://127.0.0.1:1/v1"
        let gemini = settings.embeddingProvider(.gemini, model: "e", transport: transport)
        #expect(gemini?.name == "gemini" && gemini?.embeddingModel == "e")
        let openAI = settings.embeddingProvider(.openai, model: "f", transport: transport)
        #expect(openAI?.name == "openai" && openAI?.embeddingModel == "f")
        #expect(openAI?.baseURL == "http://127.0.0.1:1/v1")
        settings.choice = .none
        #expect(settings.embeddingProvider(.gemini, model: "e", transport: transport) == nil)
    }

    @Test(arguments: [
        (LLMError.timedOut, true), (.busy, true), (.breakerOpen(retryAfter: .seconds(3)), true),
        (.storeFailed("x"), true),
        (.unreachable(.cutOff), true), (.unreachable(.tls), false), (.unreachable(.forbiddenAddress), false),
        (.rejected(status: 429, code: nil), true), (.rejected(status: 503, code: nil), true),
        (.rejected(status: 501, code: nil), false), (.rejected(status: 401, code: nil), false), (.badReply("x"), false),
        (.overBudget(limitNanodollars: 1), false), (.notConfigured, false), (.tooLarge(maximumBytes: 1), false),
    ])
    func `what passes by itself is worth another attempt`(error: LLMError, isTransient: Bool) {
        #expect(error.isTransient == isTransient)
        #expect(error.retryAfter == (error.reason == "breaker_open" ? .seconds(3) : nil))
    }
}
