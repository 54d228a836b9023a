package import Store

/// What the gateway tells whoever measures and logs; it does neither itself.
package enum LLMEvent: Sendable {
    case finished(LLMCallReport)
    /// Exchanges were paid for, also where nothing came of them.
    case paid(LLMPayment)
    /// The day's budget has reached a part; once a day for each.
    case alert(LLMBudgetAlert)
    /// A model has no price in the table, so that the fallback counts; once for each model.
    case unpriced(model: String)
    /// What a call cost could not be written.
    case unaccounted(LLMError)
}

/// How one call went. Names no prompt and no text.
package struct LLMCallReport: Sendable, Equatable {
    package let feature: String
    package let provider: String
    package let model: String
    /// `ok`, `cached`, `repaired`, or the reason of an `LLMError`.
    package let outcome: String
    package let seconds: Double
    /// Of an answer; none where there is none, whatever was paid for it.
    package let usage: LLMUsage
    /// In billionths of a dollar.
    package let cost: Int64
}

/// What the exchanges for one answer cost, those that failed included. A call that is repaired has two.
package struct LLMPayment: Sendable, Equatable {
    package let provider: String
    package let model: String
    package let usage: LLMUsage
    /// In billionths of a dollar.
    package let cost: Int64
}

/// The state of the gateway now.
package struct LLMStatistics: Sendable, Equatable {
    package let isConfigured: Bool
    package let provider: String?
    package let model: String?
    package let breaker: CircuitBreaker.State
    package let underWay: Int
    package let waiting: Int
    package let cache: ResponseCache.Statistics
}
