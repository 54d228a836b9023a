internal import Foundation
internal import Store

/// OpenAI's API and what speaks its protocol: `chat/completions` and `embeddings` under a base URL.
package struct OpenAIProvider: LLMProvider {
    package static let standardURL = "https://api.openai.com/v1"
    package static let standardModel = "gpt-4o-mini"
    package static let standardEmbeddingModel = "text-embedding-3-small"
    /// A hundred vectors of 768 numbers as text.
    static let maximumEmbeddingBytes = 8 << 20
    /// Requests that one call may take to find out what a server understands.
    private static let maximumAdaptations = 4

    package let name = "openai"
    package var baseURL: String { endpoint.baseURL }
    package var model: String { endpoint.model }
    package var embeddingModel: String { endpoint.embeddingModel }
    private let endpoint: ProviderEndpoint
    private let dialect: Guarded<OpenAIDialect>

    package init(_ endpoint: ProviderEndpoint) {
        self.endpoint = endpoint
        dialect = Guarded(OpenAIDialect(isOpenAI: endpoint.baseURL == Self.standardURL))
    }

    package func complete(_ call: LLMCall, timeout: Duration) async throws(ProviderFailure) -> LLMCompletion {
        let start = endpoint.time.now()
        var spoken = dialect.withLock { $0 }
        var learnt: [OpenAIDialect.Change] = []
        var isAlone = false
        var refusal = ProviderFailure(.rejected(status: 400, code: nil), isRetryable: false)
        for _ in 0..<Self.maximumAdaptations {
            let remaining = timeout - (endpoint.time.now() - start)
            guard remaining > .zero else { throw ProviderFailure(.timedOut, isRetryable: true) }
            let response = try await endpoint.post(
                "/chat/completions", document(call, spoken), headers: headers, timeout: remaining)
            if response.status == 200 {
                // Piece by piece: other calls learn at the same time.
                for change in learnt { dialect.withLock { $0.apply(change) } }
                return try Self.completion(try endpoint.decode(Reply.self, response))
            }
            let problem = Self.problem(of: response)
            refusal = endpoint.failure(response, code: problem.code)
            guard [400, 415, 422].contains(response.status),
                let step = spoken.next(after: problem.about, asksForJSON: call.schema != nil)
            else { throw refusal }
            spoken.apply(step.change)
            // What follows a change for this call alone says nothing of other calls either.
            if !step.isLasting { isAlone = true }
            if !isAlone { learnt.append(step.change) }
        }
        throw refusal
    }

    /// The protocol has no word for what texts are for.
    package func embed(
        _ texts: [String], for purpose: EmbeddingPurpose, timeout: Duration
    ) async throws(ProviderFailure) -> (vectors: [[Float]], usage: LLMUsage) {
        let start = endpoint.time.now()
        let spoken = dialect.withLock { $0 }
        var response = try await post(texts, spoken, timeout: timeout)
        if [400, 415, 422].contains(response.status),
            let next = spoken.nextForEmbeddings(after: Self.problem(of: response).about)
        {
            let remaining = timeout - (endpoint.time.now() - start)
            guard remaining > .zero else { throw ProviderFailure(.timedOut, isRetryable: true) }
            response = try await post(texts, next, timeout: remaining)
            if response.status == 200 { dialect.withLock { $0.takesDimensions = false } }
        }
        guard response.status == 200 else {
            throw endpoint.failure(response, code: Self.problem(of: response).code)
        }
        return try vectors(in: response)
    }

    private func post(
        _ texts: [String], _ dialect: OpenAIDialect, timeout: Duration
    ) async throws(ProviderFailure) -> OutboundResponse {
        let document = JSONTree.members([
            "model": .string(embeddingModel), "input": .array(texts.map(JSONTree.string)),
            "dimensions": dialect.takesDimensions ? .int(LLMEmbeddings.dimension) : nil,
            "encoding_format": .string("float"),
        ])
        return try await endpoint.post(
            "/embeddings", document, headers: headers, maximumBytes: Self.maximumEmbeddingBytes, timeout: timeout)
    }

    private func vectors(
        in response: OutboundResponse
    ) throws(ProviderFailure) -> (vectors: [[Float]], usage: LLMUsage) {
        let reply = try endpoint.decode(EmbeddingReply.self, response)
        let usage = LLMUsage(inputTokens: reply.usage?.promptTokens?.value ?? 0, outputTokens: 0)
        // In whatever order they come; each index once.
        let sorted = (reply.data ?? []).sorted { $0.index < $1.index }
        guard sorted.enumerated().allSatisfy({ $0.offset == $0.element.index }) else {
            throw ProviderFailure(
                .badReply("vectors that do not belong to the texts"), isRetryable: false, usage: usage)
        }
        return (sorted.map(\.embedding), usage)
    }

    private var headers: [(name: String, value: String)] {
        // A server of one's own may want no key.
        endpoint.key.map { [("Authorization", "Bearer \($0.exposed)")] } ?? []
    }

    private func document(_ call: LLMCall, _ dialect: OpenAIDialect) -> JSONTree {
        var messages = call.messages
        if let schema = call.schema, dialect.format != .schema {
            // The server does not hold the model to the schema: the model is told.
            let order =
                "Answer with one JSON object and nothing else. It must fit this JSON Schema:\n"
                + schema.document.json
            messages.insert(LLMMessage(.system, order), at: messages.first?.role == .system ? 1 : 0)
        }
        let limit = JSONTree.int(call.maximumOutputTokens)
        return .members([
            "model": .string(model),
            "messages": .array(
                messages.map { .members(["role": .string($0.role.rawValue), "content": .string($0.text)]) }),
            "temperature": dialect.takesTemperature ? .number(call.temperature) : nil,
            "max_tokens": dialect.countsCompletionTokens ? nil : limit,
            "max_completion_tokens": dialect.countsCompletionTokens ? limit : nil,
            "response_format": call.schema.flatMap { Self.format($0, dialect.format) },
        ])
    }

    private static func format(_ schema: JSONSchema, _ format: OpenAIDialect.Format) -> JSONTree? {
        switch format {
        case .none: nil
        case .object: .members(["type": .string("json_object")])
        case .schema:
            .members([
                "type": .string("json_schema"),
                "json_schema": .members([
                    "name": .string("answer"), "strict": .bool(schema.isStrict),
                    "schema": schema.document(lengths: !schema.isStrict),
                ]),
            ])
        }
    }

    private static func completion(_ reply: Reply) throws(ProviderFailure) -> LLMCompletion {
        let usage = LLMUsage(
            inputTokens: reply.usage?.promptTokens?.value ?? 0, outputTokens: reply.usage?.completionTokens?.value ?? 0)
        guard let choice = reply.choices?.first else {
            throw ProviderFailure(.badReply("the provider gave no choice"), isRetryable: true, usage: usage)
        }
        if choice.finishReason == "content_filter" || choice.message?.refusal?.isEmpty == false {
            let word = choice.finishReason == "content_filter" ? "content_filter" : "refusal"
            throw ProviderFailure(.blocked(word), isRetryable: false, usage: usage)
        }
        let isCut = choice.finishReason == "length"
        guard let text = choice.message?.content, !text.isEmpty else {
            let problem = isCut ? "no text within the maximum of tokens; raise it" : "the provider gave no text"
            throw ProviderFailure(.badReply(problem), isRetryable: false, usage: usage)
        }
        return LLMCompletion(text: text, usage: usage, isCut: isCut)
    }

    /// What the server says against a request: its code, and everything that tells what it is about.
    private static func problem(of response: OutboundResponse) -> (code: String?, about: String) {
        let bytes = Array(response.body.prefix(64 << 10))
        let reply = try? JSONReply.decode(ErrorReply.self, from: bytes, maximumBytes: 64 << 10)
        let error = reply?.error
        // Servers of other makers have forms of their own; the words are looked for in all of it.
        let words = error.map { [$0.param, $0.code, $0.message].compactMap { $0 }.joined(separator: " ") }
        return (error?.code ?? error?.type, words ?? String(decoding: bytes, as: UTF8.self))
    }

    // MARK: What it answers

    private struct Usage: Decodable {
        let promptTokens: TokenCount?
        let completionTokens: TokenCount?

        enum CodingKeys: String, CodingKey {
            case promptTokens = "prompt_tokens"
            case completionTokens = "completion_tokens"
        }
    }

    private struct Reply: Decodable {
        struct Choice: Decodable {
            let message: Message?
            let finishReason: String?

            enum CodingKeys: String, CodingKey {
                case message
                case finishReason = "finish_reason"
            }
        }
        struct Message: Decodable {
            let content: String?
            let refusal: String?
        }
        let choices: [Choice]?
        let usage: Usage?
    }

    private struct EmbeddingReply: Decodable {
        struct Embedding: Decodable {
            let index: Int
            let embedding: [Float]
        }
        let data: [Embedding]?
        let usage: Usage?
    }

    private struct ErrorReply: Decodable {
        struct Problem: Decodable {
            let message: String?
            let type: String?
            let param: String?
            let code: String?
        }
        let error: Problem
    }
}
