import Platform
import Store
import Testing

/// What a server refuses once is said otherwise, then or for good.
struct OpenAIDialectTests {
    private let call = LLMCall(
        messages: [LLMMessage(.user, "Hello")], schema: .object([.required("a", .string())]), temperature: 0.5,
        maximumOutputTokens: 77)

    private func openAI(_ steps: [LLMTestTransport.Step]) -> (OpenAIProvider, LLMTestTransport) {
        let transport = LLMTestTransport(steps)
        let endpoint = ProviderEndpoint(
            baseURL: "http://localhost:1/v1", model: "m", embeddingModel: "e", key: nil, allowsPrivateAddresses: true,
            maximumReplyBytes: 1 << 20, transport: transport, time: LLMTestTime().time)
        return (OpenAIProvider(endpoint), transport)
    }

    @Test(arguments: [
        #"{"error":{"message":"Invalid schema for response_format 'answer': 'minLength' is not permitted.","""# + "\n"
            + #" "type":"invalid_request_error","param":"response_format","code":null}}"#,
        #"{"error":{"message":"'response_format.json_schema.schema': unsupported keyword 'maxLength'"}}"#,
        #"{"detail":"the schema nests too deep"}"#,
    ])
    func `a schema that is refused says nothing of others`(body: String) async throws {
        let (provider, transport) = openAI([
            .reply(status: 400, body: body), LLMTestReply.openAI("x"), LLMTestReply.openAI("y"),
        ])
        _ = try await provider.complete(call, timeout: .seconds(3))
        _ = try await provider.complete(call, timeout: .seconds(3))
        let asked = try (0..<3).map { try transport.body($0)["response_format"]?["type"]?.text }
        #expect(asked == ["json_schema", "json_object", "json_schema"])
    }

    @Test func `what follows a refused schema is not learnt either`() async throws {
        // LM Studio knows schemas and no objects.
        let (provider, transport) = openAI([
            .reply(status: 400, body: #"{"error":"Invalid schema for response_format"}"#),
            .reply(status: 400, body: #"{"error":"'response_format.type' must be 'json_schema' or 'text'"}"#),
            LLMTestReply.openAI("x"), LLMTestReply.openAI("y"),
        ])
        _ = try await provider.complete(call, timeout: .seconds(3))
        _ = try await provider.complete(call, timeout: .seconds(3))
        #expect(try transport.body(2)["response_format"] == nil)
        #expect(try transport.body(3)["response_format"]?["type"]?.text == "json_schema")
    }

    @Test func `a temperature out of range is left out of that call alone`() async throws {
        let (provider, transport) = openAI([
            .reply(status: 400, body: #"{"error":{"message":"temperature is above the maximum of 1"}}"#),
            LLMTestReply.openAI("x"), LLMTestReply.openAI("y"),
        ])
        _ = try await provider.complete(call, timeout: .seconds(3))
        _ = try await provider.complete(call, timeout: .seconds(3))
        #expect(try transport.body(1)["temperature"] == nil)
        #expect(try transport.body(2)["temperature"]?.double == 0.5)
    }
}
