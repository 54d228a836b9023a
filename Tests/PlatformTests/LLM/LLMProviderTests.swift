import Platform
import Store
import Testing

struct LLMProviderTests {
    private let call = LLMCall(
        messages: [LLMMessage(.system, "Be brief."), LLMMessage(.user, "Hello")],
        schema: .object([.required("a", .string())]), temperature: 0.5, maximumOutputTokens: 77)

    private func endpoint(
        _ transport: LLMTestTransport, baseURL: String, model: String = "m"
    ) -> ProviderEndpoint {
        ProviderEndpoint(
            baseURL: baseURL, model: model, embeddingModel: "e", key: OutboundSecret("sk-hidden"),
            allowsPrivateAddresses: true, maximumReplyBytes: 1 << 20, transport: transport, time: LLMTestTime().time)
    }

    private func openAI(
        _ steps: [LLMTestTransport.Step], baseURL: String = "http://localhost:1/v1/"
    ) -> (OpenAIProvider, LLMTestTransport) {
        let transport = LLMTestTransport(steps)
        return (OpenAIProvider(endpoint(transport, baseURL: baseURL)), transport)
    }

    private func gemini(_ steps: [LLMTestTransport.Step]) -> (GeminiProvider, LLMTestTransport) {
        let transport = LLMTestTransport(steps)
        return (GeminiProvider(endpoint(transport, baseURL: "https://g/v1beta", model: "models/g-1")), transport)
    }

    private func failure<Value>(_ body: () async throws(ProviderFailure) -> Value) async -> ProviderFailure? {
        do {
            let value = try await body()
            Issue.record("\(value) came")
            return nil
        } catch {
            return error
        }
    }

    // MARK: OpenAI

    @Test func `OpenAI's protocol is spoken`() async throws {
        let (provider, transport) = openAI([LLMTestReply.openAI(#"{"a":""}"#)])
        _ = try await provider.complete(call, timeout: .seconds(3))
        let request = transport.requests[0]
        #expect(request.url == "http://localhost:1/v1/chat/completions" && request.method == "POST")
        #expect(request.headers.contains { $0 == ("Authorization", "Bearer sk-hidden") })
        #expect(request.timeout == .seconds(3) && request.maximumRedirects == 0 && request.allowsPrivateAddresses)
        let body = try transport.body(0)
        #expect(body["max_tokens"]?.int == 77 && body["max_completion_tokens"] == nil)
        #expect(body["temperature"]?.double == 0.5 && body["model"]?.text == "m")
        #expect(body["response_format"]?["type"]?.text == "json_schema")
        #expect(body["response_format"]?["json_schema"]?["strict"] == .bool(true))
    }

    @Test func `OpenAI's own server is told the new name of the limit`() async throws {
        let (provider, transport) = openAI([LLMTestReply.openAI("x")], baseURL: OpenAIProvider.standardURL)
        _ = try await provider.complete(call, timeout: .seconds(3))
        #expect(try transport.body(0)["max_completion_tokens"]?.int == 77)
        #expect(try transport.body(0)["max_tokens"] == nil)
    }

    @Test func `what a server does not know is left out, then and afterwards`() async throws {
        let (provider, transport) = openAI([
            .reply(status: 400, body: #"{"error":{"message":"unknown response_format type json_schema"}}"#),
            .reply(status: 422, body: #"{"detail":"max_tokens: extra fields not permitted"}"#),
            .reply(status: 400, body: #"{"error":{"param":"temperature","code":"unsupported_value"}}"#),
            LLMTestReply.openAI("x"), LLMTestReply.openAI("y"),
        ])
        _ = try await provider.complete(call, timeout: .seconds(3))
        _ = try await provider.complete(call, timeout: .seconds(3))
        #expect(transport.requests.count == 5)
        for number in [3, 4] {
            let body = try transport.body(number)
            #expect(body["response_format"] == .members(["type": .string("json_object")]))
            #expect(body["max_completion_tokens"]?.int == 77 && body["max_tokens"] == nil && body["temperature"] == nil)
            // The model is told what the server does not hold it to, and told that it shall write JSON.
            let messages = body["messages"]?.elements ?? []
            #expect(messages.count == 3 && messages[1]["content"]?.text?.contains(#""required":["a"]"#) == true)
        }
    }

    @Test func `a request that is refused for something else is not asked again`() async {
        let (provider, transport) = openAI([
            .reply(
                status: 400,
                body: #"{"error":{"code":"context_length_exceeded","message":"max_tokens is too large"}}"#)
        ])
        let failure = await failure { () async throws(ProviderFailure) in
            try await provider.complete(call, timeout: .seconds(3))
        }
        #expect(failure?.error == .rejected(status: 400, code: "context_length_exceeded"))
        #expect(transport.requests.count == 1)
    }

    @Test func `a server that never agrees is not asked for ever`() async {
        let refusal = LLMTestTransport.Step.reply(status: 400, body: "max_tokens max_completion_tokens")
        let (provider, transport) = openAI(Array(repeating: refusal, count: 9))
        _ = await failure { () async throws(ProviderFailure) in try await provider.complete(call, timeout: .seconds(3))
        }
        #expect(transport.requests.count == 4)
    }

    @Test func `refusals, cuts and empty answers are told apart`() async throws {
        let (provider, _) = openAI([
            LLMTestReply.openAI("", finish: "content_filter"), LLMTestReply.openAI("abc", finish: "length"),
            LLMTestReply.openAI("", finish: "length"),
            .reply(status: 200, body: #"{"choices":[{"message":{"refusal":"No."}}]}"#),
            .reply(status: 200, body: #"{"choices":[]}"#),
        ])
        func fails() async -> LLMError? {
            let failed = await failure { () async throws(ProviderFailure) in
                try await provider.complete(call, timeout: .seconds(3))
            }
            return failed?.error
        }
        #expect(await fails() == .blocked("content_filter"))
        #expect(try await provider.complete(call, timeout: .seconds(3)).isCut)
        #expect(await fails()?.reason == "bad_reply")
        #expect(await fails() == .blocked("refusal"))
        #expect(await fails()?.reason == "bad_reply")
    }

    // MARK: Gemini

    @Test func `Gemini's protocol is spoken`() async throws {
        let (provider, transport) = gemini([LLMTestReply.gemini("x", input: 5, output: 6, thoughts: 7)])
        let reply = try await provider.complete(call, timeout: .seconds(3))
        #expect(reply.usage == LLMUsage(inputTokens: 5, outputTokens: 13))
        let request = transport.requests[0]
        #expect(request.url == "https://g/v1beta/models/g-1:generateContent")
        #expect(request.headers.contains { $0 == ("x-goog-api-key", "sk-hidden") })
        #expect(!request.url.contains("sk-hidden"))
        let body = try transport.body(0)
        #expect(body["systemInstruction"]?["parts"]?.elements?.first?["text"]?.text == "Be brief.")
        #expect(body["contents"]?.elements?.map { $0["role"]?.text } == ["user"])
        let configuration = body["generationConfig"]
        #expect(configuration?["maxOutputTokens"]?.int == 77)
        #expect(configuration?["responseMimeType"]?.text == "application/json")
        #expect(configuration?["responseSchema"]?["type"]?.text == "OBJECT")
    }

    @Test(arguments: ["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII"])
    func `what Gemini blocks is told`(reason: String) async {
        let (provider, _) = gemini([LLMTestReply.gemini("x", finish: reason)])
        let failure = await failure { () async throws(ProviderFailure) in
            try await provider.complete(call, timeout: .seconds(3))
        }
        #expect(failure?.error == .blocked(reason.lowercased()) && failure?.isRetryable == false)
        #expect(failure?.usage == LLMUsage(inputTokens: 100, outputTokens: 10))
    }

    @Test func `a question that Gemini blocks is told, and a cut is seen`() async throws {
        let (provider, _) = gemini([
            .reply(status: 200, body: #"{"promptFeedback":{"blockReason":"SAFETY"}}"#),
            LLMTestReply.gemini("abc", finish: "MAX_TOKENS"),
            .reply(
                status: 400,
                body: #"{"error":{"code":400,"message":"API key not valid: sk-hidden","status":"INVALID_ARGUMENT"}}"#),
        ])
        func fails() async -> LLMError? {
            let failed = await failure { () async throws(ProviderFailure) in
                try await provider.complete(call, timeout: .seconds(3))
            }
            return failed?.error
        }
        #expect(await fails() == .blocked("safety"))
        #expect(try await provider.complete(call, timeout: .seconds(3)).isCut)
        #expect(await fails() == .rejected(status: 400, code: "invalid_argument"))
    }

    // MARK: Embeddings

    private func vector(_ value: Float, count: Int = 768) -> String {
        "[" + Array(repeating: "\(value)", count: count).joined(separator: ",") + "]"
    }

    private func openAIVectors(_ vectors: [(Int, String)]) -> LLMTestTransport.Step {
        let data = vectors.map { #"{"index":\#($0.0),"embedding":\#($0.1)}"# }.joined(separator: ",")
        return .reply(status: 200, body: #"{"data":[\#(data)],"usage":{"prompt_tokens":9}}"#)
    }

    @Test func `OpenAI's vectors come in order and of unit length`() async throws {
        let test = try await LLMTestGateway([openAIVectors([(1, vector(-2)), (0, vector(3e30))])])
        let reply = try await test.gateway.embeddings(of: ["a", "b"], feature: "test")
        #expect(reply.vectors.count == 2 && reply.usage.inputTokens == 9)
        for (vector, sign) in zip(reply.vectors, [Float(1), -1]) {
            #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
            #expect(vector[0] * sign > 0)
        }
        let body = try test.transport.body(0)
        #expect(body["dimensions"]?.int == 768 && body["input"] == .array([.string("a"), .string("b")]))
        // $0.02 a million.
        #expect(reply.cost == 180)
        #expect(test.outcomes == ["ok"])
        try await test.close()
    }

    @Test func `many texts are sent in parts`() async throws {
        let steps = [100, 100, 5].map { count in openAIVectors((0..<count).map { ($0, vector(1)) }) }
        let test = try await LLMTestGateway(steps) { $0.maximumReplyBytes = 1024 }
        let texts = Array(repeating: "x", count: 205)
        #expect(try await test.gateway.embeddings(of: texts, feature: "test").vectors.count == 205)
        try await test.close()
    }

    @Test func `vectors that are not what was asked for are refused`() async throws {
        let zero = vector(0), short = vector(1, count: 767)
        let test = try await LLMTestGateway([
            openAIVectors([(0, zero)]), openAIVectors([(0, short)]), openAIVectors([]),
            openAIVectors([(1, vector(1))]), openAIVectors([(0, "[1e999]")]),
        ]) { $0.attempts = 1 }
        for _ in 0..<5 {
            do {
                _ = try await test.gateway.embeddings(of: ["a"], feature: "test")
                Issue.record("a wrong vector was taken")
            } catch {
                #expect(error.reason == "bad_reply")
            }
        }
        #expect(test.transport.requests.count == 5)
        try await test.close()
    }

    @Test func `Gemini's vectors are asked for at 768 numbers`() async throws {
        let (provider, transport) = gemini([.reply(status: 200, body: #"{"embeddings":[{"values":\#(vector(1))}]}"#)])
        let (vectors, usage) = try await provider.embed(["hello"], for: .query, timeout: .seconds(3))
        #expect(vectors.count == 1 && vectors[0].count == 768 && usage.inputTokens == 2)
        #expect(transport.requests[0].url == "https://g/v1beta/models/e:batchEmbedContents")
        let request = try transport.body(0)["requests"]?.elements?.first
        #expect(request?["outputDimensionality"]?.int == 768 && request?["model"]?.text == "models/e")
        #expect(request?["taskType"]?.text == "RETRIEVAL_QUERY")
        _ = try? await provider.embed(["hello"], for: .document, timeout: .seconds(3))
        #expect(try transport.body(1)["requests"]?.elements?.first?["taskType"]?.text == "RETRIEVAL_DOCUMENT")
    }

    // MARK: Choice

    @Test func `the provider is the one that is set up`() {
        let transport = LLMTestTransport([])
        var settings = LLMSettings()
        #expect(settings.provider(transport: transport) == nil && settings.problems.isEmpty)
        settings.gemini.key = OutboundSecret("g")
        #expect(settings.provider(transport: transport)?.name == "gemini")
        settings.openAI.baseURL = "http://localhost:8000/v1"
        #expect(settings.provider(transport: transport)?.name == "openai")
        settings.choice = .gemini
        #expect(settings.provider(transport: transport)?.name == "gemini")
        settings.choice = .none
        #expect(settings.provider(transport: transport) == nil)
        settings = LLMSettings()
        settings.choice = .openai
        #expect(settings.provider(transport: transport) == nil && settings.problems.count == 1)
    }

    @Test func `no description shows a key`() throws {
        var settings = LLMSettings()
        settings.openAI.key = OutboundSecret("sk-hidden")
        settings.gemini.key = OutboundSecret("sk-hidden")
        let (provider, _) = openAI([])
        var dumped = ""
        dump(settings, to: &dumped)
        dump(provider, to: &dumped)
        let shown = "\(settings) \(provider) " + String(reflecting: settings) + String(reflecting: provider) + dumped
        #expect(!shown.contains("sk-hidden"))
    }
}
