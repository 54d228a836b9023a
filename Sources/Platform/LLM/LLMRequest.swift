/// One question to a language model.
package struct LLMRequest: Sendable {
    package static let maximumPromptBytes = 256 << 10

    /// What it is for, for accounting and metrics: `resume`, `job_score`, …
    package var feature: String
    /// On whose behalf; nil for nobody's in particular.
    package var userID: String?
    package var prompt: FilledPrompt
    /// From 0 to 2; 0 gives the same answer again as far as a provider can.
    package var temperature: Double
    /// Nil takes the settings'.
    package var maximumOutputTokens: Int?
    /// From now to the answer, everything included. Nil takes the settings'.
    package var deadline: Duration?
    /// Whether an earlier answer to the same question will do.
    package var usesCache: Bool

    package init(
        feature: String, userID: String? = nil, prompt: FilledPrompt, temperature: Double = 0,
        maximumOutputTokens: Int? = nil, deadline: Duration? = nil, usesCache: Bool = true
    ) {
        self.feature = feature
        self.userID = userID
        self.prompt = prompt
        self.temperature = temperature
        self.maximumOutputTokens = maximumOutputTokens
        self.deadline = deadline
        self.usesCache = usesCache
    }

    /// The messages to send: instructions where a provider heeds them most, data apart from them.
    func messages(marker: String) -> [LLMMessage] {
        guard !prompt.blocks.isEmpty else { return [LLMMessage(.user, prompt.instructions)] }
        return [
            LLMMessage(.system, prompt.instructions + "\n\n" + UntrustedText.notice(marker: marker)),
            LLMMessage(.user, prompt.blocks.map { $0.block(marker: marker) }.joined(separator: "\n\n")),
        ]
    }
}

/// A message of a conversation.
package struct LLMMessage: Sendable, Equatable {
    package enum Role: String, Sendable {
        case system, user, assistant
    }

    package let role: Role
    package let text: String

    package init(_ role: Role, _ text: String) {
        self.role = role
        self.text = text
    }
}

/// What a model answered, and what that took.
package struct LLMReply<Value: Sendable>: Sendable {
    package let value: Value
    package let provider: String
    package let model: String
    /// The prompt's version.
    package let version: String
    /// Of all attempts; none for an answer out of the cache.
    package let usage: LLMUsage
    /// In billionths of a dollar.
    package let cost: Int64
    package let isCached: Bool
    /// Whether the first answer did not fit and the second did.
    package let isRepaired: Bool
    /// Whether the text ends where the model had no more tokens.
    package let isCut: Bool

    package func map<Other: Sendable>(_ transform: (Value) -> Other) -> LLMReply<Other> {
        LLMReply<Other>(
            value: transform(value), provider: provider, model: model, version: version, usage: usage, cost: cost,
            isCached: isCached, isRepaired: isRepaired, isCut: isCut)
    }
}

/// Vectors of texts, in their order, each of unit length.
package struct LLMEmbeddings: Sendable {
    package static let dimension = 768

    package let vectors: [[Float]]
    package let provider: String
    package let model: String
    package let usage: LLMUsage
    package let cost: Int64
}
