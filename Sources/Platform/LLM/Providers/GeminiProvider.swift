internal import Foundation

/// Google's Gemini API, version v1beta: `generateContent` and `batchEmbedContents`.
package struct GeminiProvider: LLMProvider {
    package static let standardURL = "https://generativelanguage.googleapis.com/v1beta"
    package static let standardModel = "gemini-2.5-flash"
    package static let standardEmbeddingModel = "gemini-embedding-001"

    package let name = "gemini"
    package var baseURL: String { endpoint.baseURL }
    package var model: String { endpoint.model }
    package var embeddingModel: String { endpoint.embeddingModel }
    private let endpoint: ProviderEndpoint
    private let thinking: GeminiThinking

    package init(_ endpoint: ProviderEndpoint) {
        self.endpoint = endpoint
        thinking = GeminiThinking(model: Self.bare(endpoint.model))
    }

    package func complete(_ call: LLMCall, timeout: Duration) async throws(ProviderFailure) -> LLMCompletion {
        let start = endpoint.time.now()
        var response = try await generate(call, thinking.configuration, timeout: timeout)
        if response.status == 400, thinking.configuration != nil, Self.isAboutThinking(response) {
            // A version of the model that cannot be told; it has the headroom all the same.
            let remaining = timeout - (endpoint.time.now() - start)
            guard remaining > .zero else { throw ProviderFailure(.timedOut, isRetryable: true) }
            response = try await generate(call, nil, timeout: remaining)
        }
        guard response.status == 200 else { throw failure(response) }
        let reply = try endpoint.decode(Reply.self, response)
        return try Self.completion(reply)
    }

    package func outputTokenBound(of call: LLMCall) -> Int { call.maximumOutputTokens + thinking.headroom }

    private func generate(
        _ call: LLMCall, _ thinking: JSONTree?, timeout: Duration
    ) async throws(ProviderFailure) -> OutboundResponse {
        try await endpoint.post(
            "/models/\(Self.path(model)):generateContent",
            Self.document(call, limit: outputTokenBound(of: call), thinking: thinking), headers: headers,
            timeout: timeout)
    }

    private static func isAboutThinking(_ response: OutboundResponse) -> Bool {
        String(decoding: response.body.prefix(64 << 10), as: UTF8.self).lowercased().contains("thinking")
    }

    /// What Gemini calls a purpose; vectors of other tasks are others.
    package static func taskType(of purpose: EmbeddingPurpose) -> String {
        switch purpose {
        case .query: "RETRIEVAL_QUERY"
        case .document: "RETRIEVAL_DOCUMENT"
        }
    }

    package func embed(
        _ texts: [String], for purpose: EmbeddingPurpose, timeout: Duration
    ) async throws(ProviderFailure) -> (vectors: [[Float]], usage: LLMUsage) {
        let model = Self.path(embeddingModel)
        let requests = texts.map { text in
            JSONTree.members([
                "model": .string("models/\(model)"),
                "content": .members(["parts": .array([.members(["text": .string(text)])])]),
                "taskType": .string(Self.taskType(of: purpose)),
                "outputDimensionality": .int(LLMEmbeddings.dimension),
            ])
        }
        let response = try await endpoint.post(
            "/models/\(model):batchEmbedContents", .members(["requests": .array(requests)]), headers: headers,
            maximumBytes: OpenAIProvider.maximumEmbeddingBytes, timeout: timeout)
        guard response.status == 200 else { throw failure(response) }
        let reply = try endpoint.decode(EmbeddingReply.self, response)
        // The reply does not say how many tokens there were; a token has about four bytes.
        let tokens = texts.reduce(0) { $0 + ($1.utf8.count + 3) / 4 }
        return ((reply.embeddings ?? []).map { $0.values ?? [] }, LLMUsage(inputTokens: tokens, outputTokens: 0))
    }

    /// In a header: an address lands in logs of every proxy on the way.
    private var headers: [(name: String, value: String)] {
        endpoint.key.map { [("x-goog-api-key", $0.exposed)] } ?? []
    }

    private static func bare(_ model: String) -> String {
        model.hasPrefix("models/") ? String(model.dropFirst("models/".count)) : model
    }

    /// The model's name as a part of a path.
    private static func path(_ model: String) -> String {
        let name = bare(model)
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "-._~")
        return name.addingPercentEncoding(withAllowedCharacters: allowed) ?? name
    }

    private static func document(_ call: LLMCall, limit: Int, thinking: JSONTree?) -> JSONTree {
        let system = call.messages.filter { $0.role == .system }.map(\.text).joined(separator: "\n\n")
        let contents = call.messages.filter { $0.role != .system }.map { message in
            JSONTree.members([
                "role": .string(message.role == .assistant ? "model" : "user"),
                "parts": .array([.members(["text": .string(message.text)])]),
            ])
        }
        return .members([
            "systemInstruction": system.isEmpty
                ? nil : .members(["parts": .array([.members(["text": .string(system)])])]),
            "contents": .array(contents),
            "generationConfig": .members([
                "temperature": .number(call.temperature),
                "maxOutputTokens": .int(limit),
                "candidateCount": .int(1),
                "responseMimeType": .string(call.schema == nil ? "text/plain" : "application/json"),
                "responseSchema": call.schema?.geminiDocument,
                "thinkingConfig": thinking,
            ]),
        ])
    }

    private static func completion(_ reply: Reply) throws(ProviderFailure) -> LLMCompletion {
        let used = reply.usageMetadata
        let thoughts = LLMUsage(inputTokens: 0, outputTokens: used?.thoughtsTokenCount?.value ?? 0)
        let usage =
            LLMUsage(
                inputTokens: used?.promptTokenCount?.value ?? 0, outputTokens: used?.candidatesTokenCount?.value ?? 0)
            + thoughts
        if let reason = reply.promptFeedback?.blockReason {
            throw blocked(reason, usage)
        }
        guard let candidate = reply.candidates?.first else {
            throw ProviderFailure(.badReply("the provider gave no candidate"), isRetryable: true, usage: usage)
        }
        let reason = candidate.finishReason ?? "STOP"
        guard ["STOP", "MAX_TOKENS", "FINISH_REASON_UNSPECIFIED"].contains(reason) else {
            // SAFETY, RECITATION, BLOCKLIST, PROHIBITED_CONTENT, SPII, LANGUAGE, …
            throw blocked(reason, usage)
        }
        let parts = (candidate.content?.parts ?? []).filter { $0.thought != true }
        let text = parts.compactMap(\.text).joined()
        guard !text.isEmpty else {
            let problem =
                reason == "MAX_TOKENS" ? "no text within the maximum of tokens; raise it" : "the provider gave no text"
            throw ProviderFailure(.badReply(problem), isRetryable: false, usage: usage)
        }
        return LLMCompletion(text: text, usage: usage, isCut: reason == "MAX_TOKENS")
    }

    private static func blocked(_ reason: String, _ usage: LLMUsage) -> ProviderFailure {
        ProviderFailure(.blocked(ProviderEndpoint.word(reason) ?? "blocked"), isRetryable: false, usage: usage)
    }

    private func failure(_ response: OutboundResponse) -> ProviderFailure {
        let reply = try? JSONReply.decode(ErrorReply.self, from: response.body, maximumBytes: 64 << 10)
        return endpoint.failure(response, code: reply?.error?.status)
    }

    // MARK: What it answers

    private struct Reply: Decodable {
        struct Candidate: Decodable {
            let content: Content?
            let finishReason: String?
        }
        struct Content: Decodable { let parts: [Part]? }
        struct Part: Decodable {
            let text: String?
            let thought: Bool?
        }
        struct Feedback: Decodable { let blockReason: String? }
        struct Usage: Decodable {
            let promptTokenCount: TokenCount?
            let candidatesTokenCount: TokenCount?
            let thoughtsTokenCount: TokenCount?
        }
        let candidates: [Candidate]?
        let promptFeedback: Feedback?
        let usageMetadata: Usage?
    }

    private struct EmbeddingReply: Decodable {
        struct Embedding: Decodable { let values: [Float]? }
        let embeddings: [Embedding]?
    }

    private struct ErrorReply: Decodable {
        struct Problem: Decodable { let status: String? }
        let error: Problem?
    }
}
