/// What one user's calls for one feature of one model came to on one day.
package struct LLMUsageRecord: Sendable, Equatable {
    /// The day in UTC: `2026-02-26`.
    package let day: String
    /// Nil for calls on nobody's behalf.
    package let userID: String?
    package let feature: String
    package let provider: String
    package let model: String
    package let calls: Int64
    package let inputTokens: Int64
    package let outputTokens: Int64
    /// In billionths of a dollar.
    package let cost: Int64

    package init(
        day: String, userID: String?, feature: String, provider: String, model: String, calls: Int64,
        inputTokens: Int64, outputTokens: Int64, cost: Int64
    ) {
        self.day = day
        self.userID = userID
        self.feature = feature
        self.provider = provider
        self.model = model
        self.calls = calls
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.cost = cost
    }

    /// The same on nobody's behalf.
    var withoutUser: LLMUsageRecord { copy(day: day, userID: nil) }

    /// The same of another day.
    func on(_ day: String) -> LLMUsageRecord { copy(day: day, userID: userID) }

    private func copy(day: String, userID: String?) -> LLMUsageRecord {
        LLMUsageRecord(
            day: day, userID: userID, feature: feature, provider: provider, model: model, calls: calls,
            inputTokens: inputTokens, outputTokens: outputTokens, cost: cost)
    }

    init(_ row: SQLRow) throws {
        day = try row.text("day")
        let user = try row.text("user_id")
        userID = user.isEmpty ? nil : user
        feature = try row.text("feature")
        provider = try row.text("provider")
        model = try row.text("model")
        calls = try row.integer("calls")
        inputTokens = try row.integer("input_tokens")
        outputTokens = try row.integer("output_tokens")
        cost = try row.integer("cost_nanodollars")
    }
}

/// The sums of a day, over everybody and everything.
package struct LLMUsageTotal: Sendable, Equatable {
    package let calls: Int64
    package let inputTokens: Int64
    package let outputTokens: Int64
    /// In billionths of a dollar.
    package let cost: Int64

    package init(calls: Int64, inputTokens: Int64, outputTokens: Int64, cost: Int64) {
        self.calls = calls
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.cost = cost
    }
}
