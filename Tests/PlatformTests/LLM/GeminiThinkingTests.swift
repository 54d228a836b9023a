import Platform
import Store
import Testing

/// Thoughts count against the limit of tokens: without a word about them the answer would often be empty.
struct GeminiThinkingTests {
    private let call = LLMCall(
        messages: [LLMMessage(.user, "Hello")], schema: nil, temperature: 0, maximumOutputTokens: 100)

    private func provider(
        _ model: String, _ steps: [LLMTestTransport.Step]
    ) -> (GeminiProvider, LLMTestTransport) {
        let transport = LLMTestTransport(steps)
        let endpoint = ProviderEndpoint(
            baseURL: "https://g/v1beta", model: model, embeddingModel: "e", key: nil, allowsPrivateAddresses: false,
            maximumReplyBytes: 1 << 20, transport: transport, time: LLMTestTime().time)
        return (GeminiProvider(endpoint), transport)
    }

    @Test(arguments: [
        "gemini-2.5-flash", "models/gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-2.5-flash-preview-09-2025",
    ])
    func `models that can answer without thinking are told to`(model: String) async throws {
        let (provider, transport) = provider(model, [LLMTestReply.gemini("x")])
        _ = try await provider.complete(call, timeout: .seconds(3))
        let configuration = try transport.body(0)["generationConfig"]
        #expect(configuration?["thinkingConfig"] == .members(["thinkingBudget": .int(0)]))
        #expect(configuration?["maxOutputTokens"]?.int == 100 && provider.outputTokenBound(of: call) == 100)
    }

    @Test(arguments: [
        ("gemini-2.5-pro", JSONTree.members(["thinkingBudget": .int(1024)])),
        ("gemini-3-pro-preview", JSONTree.members(["thinkingLevel": .string("low")])),
    ])
    func `models that always think have room for it, which is paid for`(model: String, thinking: JSONTree) async throws
    {
        let (provider, transport) = provider(model, [LLMTestReply.gemini("x")])
        _ = try await provider.complete(call, timeout: .seconds(3))
        let configuration = try transport.body(0)["generationConfig"]
        #expect(configuration?["thinkingConfig"] == thinking)
        #expect(configuration?["maxOutputTokens"]?.int == 4196 && provider.outputTokenBound(of: call) == 4196)
        // It is set aside before the call is made.
        let test = try await LLMTestGateway([]) {
            LLMTestGateway.gemini(&$0)
            $0.gemini.model = model
            $0.prices = PriceTable(prices: [:], fallback: ModelPrice(input: 0, output: 1_000_000))
            $0.dailyBudget = 4_000_000
        }
        await expectLLMError(.overBudget(limitNanodollars: 4_000_000)) { try await test.gateway.text(test.request()) }
        try await test.close()
    }

    @Test(arguments: ["gemini-2.0-flash", "gemini-2.5-flash-image", "gemini-2.5-flash-preview-tts", "gemma-3"])
    func `models that do not think are told nothing`(model: String) async throws {
        let (provider, transport) = provider(model, [LLMTestReply.gemini("x")])
        _ = try await provider.complete(call, timeout: .seconds(3))
        let configuration = try transport.body(0)["generationConfig"]
        #expect(configuration?["thinkingConfig"] == nil && configuration?["maxOutputTokens"]?.int == 100)
    }

    @Test func `a model that cannot be told is asked without a word about it`() async throws {
        let refusal =
            #"{"error":{"code":400,"message":"Budget 0 is invalid. This model only works in thinking mode."}}"#
        let (provider, transport) = provider(
            "gemini-2.5-flash", [.reply(status: 400, body: refusal), LLMTestReply.gemini("x")])
        #expect(try await provider.complete(call, timeout: .seconds(3)).text == "x")
        #expect(try transport.body(1)["generationConfig"]?["thinkingConfig"] == nil)
        let (other, others) = self.provider("gemini-2.5-flash", [.reply(status: 400, body: #"{"error":{"code":400}}"#)])
        _ = await #expect(throws: ProviderFailure.self) { try await other.complete(call, timeout: .seconds(3)) }
        #expect(others.requests.count == 1)
    }
}
