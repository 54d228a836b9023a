/// What a provider is asked: the conversation, and what the answer must look like.
package struct LLMCall: Sendable, Equatable {
    package var messages: [LLMMessage]
    /// Nil for free text.
    package var schema: JSONSchema?
    package var temperature: Double
    package var maximumOutputTokens: Int

    package init(messages: [LLMMessage], schema: JSONSchema?, temperature: Double, maximumOutputTokens: Int) {
        self.messages = messages
        self.schema = schema
        self.temperature = temperature
        self.maximumOutputTokens = maximumOutputTokens
    }

    /// No fewer tokens than the call has: none is shorter than a byte, and what a provider adds to a message is small.
    package var inputTokenBound: Int {
        messages.reduce(256) { $0 + $1.text.utf8.count + 16 } + (schema?.document.json.utf8.count ?? 0)
    }

    /// About how many tokens the call has, for an answer that never came.
    package var inputTokenEstimate: Int { (inputTokenBound + 3) / 4 }
}

/// A model's answer.
package struct LLMCompletion: Sendable, Equatable {
    package let text: String
    package let usage: LLMUsage
    /// It ends where the model had no more tokens.
    package let isCut: Bool
}

/// Why one exchange with a provider failed.
package struct ProviderFailure: Error, Sendable, Equatable {
    package let error: LLMError
    /// Whether the same may succeed in a moment.
    package let isRetryable: Bool
    /// How long the provider asked to wait.
    package let retryAfter: Duration?
    /// What was used although nothing came of it; nil where the answer never came, so that nobody knows: then all that the
    /// exchange may use counts.
    package let usage: LLMUsage?

    package init(_ error: LLMError, isRetryable: Bool, retryAfter: Duration? = nil, usage: LLMUsage? = .some(.none)) {
        self.error = error
        self.isRetryable = isRetryable
        self.retryAfter = retryAfter
        self.usage = usage
    }
}

/// What a text is embedded for; some models put questions and what answers them to different uses.
package enum EmbeddingPurpose: String, Sendable, CaseIterable {
    /// A text that something is looked for by.
    case query
    /// A text that is to be found.
    case document
}

/// One exchange with a provider: a request, a checked answer. Retries, budgets and caches are the gateway's.
package protocol LLMProvider: Sendable {
    /// `openai`, `gemini`: for accounting and metrics.
    var name: String { get }
    /// The server, so that answers of two servers are not taken for each other's.
    var baseURL: String { get }
    var model: String { get }
    var embeddingModel: String { get }

    /// Asks the model; the answer is there, or a failure is, within `timeout`.
    func complete(_ call: LLMCall, timeout: Duration) async throws(ProviderFailure) -> LLMCompletion

    /// Tokens that an answer may have, with those of what the model thinks before it.
    func outputTokenBound(of call: LLMCall) -> Int

    /// Vectors of at most `maximumEmbeddingTexts` texts, in their order, as the provider gives them.
    func embed(
        _ texts: [String], for purpose: EmbeddingPurpose, timeout: Duration
    ) async throws(ProviderFailure) -> (vectors: [[Float]], usage: LLMUsage)
}

extension LLMProvider {
    /// Texts that every provider takes at a time.
    package static var maximumEmbeddingTexts: Int { 100 }

    package func outputTokenBound(of call: LLMCall) -> Int { call.maximumOutputTokens }
}
