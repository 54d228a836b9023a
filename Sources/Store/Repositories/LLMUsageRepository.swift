/// What was asked of language models and what it cost, by user, feature and day.
package struct LLMUsageRepository: Sendable {
    private let database: any SQLDatabase

    package init(_ database: any SQLDatabase) {
        self.database = database
    }

    /// Adds the numbers of `record` to what its day, user, feature and model have.
    package func add(_ record: LLMUsageRecord) async throws {
        try await database.write { try Self.add(record, in: $0) }
    }

    static func add(_ record: LLMUsageRecord, in connection: any SQLConnection) throws {
        try connection.execute(
            """
            INSERT INTO llm_usage
                (day, user_id, feature, provider, model, calls, input_tokens, output_tokens, cost_nanodollars)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (day, user_id, feature, provider, model) DO UPDATE SET
                calls = llm_usage.calls + excluded.calls,
                input_tokens = llm_usage.input_tokens + excluded.input_tokens,
                output_tokens = llm_usage.output_tokens + excluded.output_tokens,
                cost_nanodollars = llm_usage.cost_nanodollars + excluded.cost_nanodollars
            """,
            [
                .text(record.day), .text(record.userID ?? ""), .text(record.feature), .text(record.provider),
                .text(record.model), .integer(record.calls), .integer(record.inputTokens),
                .integer(record.outputTokens), .integer(record.cost),
            ])
    }

    /// Makes the row of who asks, without numbers, where there is none: once for a call, at its beginning. What the call
    /// leaves behind looks for that row. Where it has gone its user was erased while the call was under way, and must not
    /// come back.
    package func open(_ record: LLMUsageRecord) async throws {
        guard record.userID != nil else { return }
        // Of a user's calls on a day only the first has to wait for the lock.
        if try await database.read({ try Self.has(record, in: $0) }) { return }
        try await database.write { try Self.open(record, in: $0) }
    }

    /// Makes the row of a call that goes on after midnight, as long as the one that it began with is there.
    ///
    /// - Parameter opened: the row that `open` made.
    static func carry(_ opened: LLMUsageRecord, to day: String, in connection: any SQLConnection) throws {
        guard opened.day != day, try has(opened, in: connection) else { return }
        try open(opened.on(day), in: connection)
    }

    private static func open(_ record: LLMUsageRecord, in connection: any SQLConnection) throws {
        guard let user = record.userID else { return }
        try connection.execute(
            """
            INSERT INTO llm_usage
                (day, user_id, feature, provider, model, calls, input_tokens, output_tokens, cost_nanodollars)
            VALUES (?, ?, ?, ?, ?, 0, 0, 0, 0)
            ON CONFLICT (day, user_id, feature, provider, model) DO NOTHING
            """,
            [
                .text(record.day), .text(user), .text(record.feature), .text(record.provider), .text(record.model),
            ])
    }

    /// Adds the numbers of a call that has ended to the row that `open` made. Where that has gone its user was erased
    /// while the call was under way: then it is nobody's, so that nothing names them again.
    static func settle(_ record: LLMUsageRecord, in connection: any SQLConnection) throws {
        let isNamed = try record.userID == nil || has(record, in: connection)
        try add(isNamed ? record : record.withoutUser, in: connection)
    }

    /// Whether there is a row that the numbers of `record` are added to.
    private static func has(_ record: LLMUsageRecord, in connection: any SQLConnection) throws -> Bool {
        try connection.first(
            """
            SELECT calls FROM llm_usage
            WHERE day = ? AND user_id = ? AND feature = ? AND provider = ? AND model = ?
            """,
            [
                .text(record.day), .text(record.userID ?? ""), .text(record.feature), .text(record.provider),
                .text(record.model),
            ]) != nil
    }

    /// Whether any row is of this user: who was erased has none.
    static func knows(_ user: String, in connection: any SQLConnection) throws -> Bool {
        try connection.first("SELECT user_id FROM llm_usage WHERE user_id = ? LIMIT 1", [.text(user)]) != nil
    }

    /// The rows of a day, the dearest first; of the same cost by user, feature, provider and model.
    package func rows(of day: String, skip: Int = 0, limit: Int = 100) async throws -> [LLMUsageRecord] {
        try await database.read { connection in
            try connection.query(
                """
                SELECT day, user_id, feature, provider, model, calls, input_tokens, output_tokens, cost_nanodollars
                FROM llm_usage WHERE day = ? AND calls > 0
                ORDER BY cost_nanodollars DESC, user_id, feature, provider, model LIMIT ? OFFSET ?
                """,
                [.text(day), .int(limit), .int(skip)]
            ).map(LLMUsageRecord.init)
        }
    }

    /// How many rows a day has, and what they come to.
    package func total(of day: String) async throws -> (rows: Int, total: LLMUsageTotal) {
        try await database.read { connection in
            guard
                let row = try connection.first(
                    """
                    SELECT COUNT(*) AS total, CAST(COALESCE(SUM(calls), 0) AS BIGINT) AS calls,
                        CAST(COALESCE(SUM(input_tokens), 0) AS BIGINT) AS input_tokens,
                        CAST(COALESCE(SUM(output_tokens), 0) AS BIGINT) AS output_tokens,
                        CAST(COALESCE(SUM(cost_nanodollars), 0) AS BIGINT) AS cost
                    FROM llm_usage WHERE day = ? AND calls > 0
                    """, [.text(day)])
            else { return (0, LLMUsageTotal(calls: 0, inputTokens: 0, outputTokens: 0, cost: 0)) }
            return (
                try row.int("total"),
                LLMUsageTotal(
                    calls: try row.integer("calls"), inputTokens: try row.integer("input_tokens"),
                    outputTokens: try row.integer("output_tokens"), cost: try row.integer("cost"))
            )
        }
    }

    /// Removes the days before `day`.
    ///
    /// - Returns: how many rows went.
    @discardableResult
    package func purge(before day: String) async throws -> Int {
        try await database.write { connection in
            try connection.execute("DELETE FROM llm_budget_days WHERE day < ?", [.text(day)])
            return try connection.execute("DELETE FROM llm_usage WHERE day < ?", [.text(day)])
        }
    }
}
