package import Foundation

/// What a day may cost, what it has cost, and what calls under way have set aside. In billionths of a dollar.
package struct LLMBudgetState: Sendable, Equatable {
    /// The day in UTC: `2026-02-26`.
    package let day: String
    package let limit: Int64
    package let spent: Int64
    package let reserved: Int64
    /// Whether the limit is one that an administrator stored, and not that of the settings.
    package let isStored: Bool

    package init(day: String, limit: Int64, spent: Int64, reserved: Int64, isStored: Bool) {
        self.day = day
        self.limit = limit
        self.spent = spent
        self.reserved = reserved
        self.isStored = isStored
    }

    package var remaining: Int64 { max(0, limit - spent - reserved) }
}

/// A day's cost has reached a part of its limit; told once a day for each part.
package struct LLMBudgetAlert: Sendable, Equatable {
    /// 80 or 100.
    package let percent: Int
    package let state: LLMBudgetState

    package init(percent: Int, state: LLMBudgetState) {
        self.percent = percent
        self.state = state
    }
}

/// The daily budget of language models, kept in the database so that replicas share it.
///
/// A call sets aside the most that it can cost before it is made, in one transaction with the check, so that calls
/// made at once cannot spend more than the limit together. What a process had set aside when it was killed counts as
/// spent once its time is over: the call may have been made.
package struct LLMBudgetRepository: Sendable {
    /// The stored setting: billionths of a dollar, as a JSON number.
    package static let settingKey = "llm.daily_budget_nanodollars"

    private let database: any SQLDatabase

    package init(_ database: any SQLDatabase) {
        self.database = database
    }

    /// Sets `amount` of the day's budget aside.
    ///
    /// - Parameters:
    ///   - id: names the reservation.
    ///   - limit: of the day, where no administrator stored another.
    ///   - expiresAt: when the reservation counts as spent if nobody settled it.
    /// - Returns: the day's state, and whether the amount was set aside; it is not where it would pass the limit.
    package func reserve(
        _ amount: Int64, id: String, day: String, limit: Int64, now: Date, expiresAt: Date
    ) async throws -> (isReserved: Bool, state: LLMBudgetState) {
        try await database.write { connection in
            try Self.open(day, in: connection)
            try Self.expire(now: now, in: connection)
            let state = try Self.state(of: day, limit: limit, in: connection)
            // Not a sum, which could pass the largest number.
            guard amount <= state.remaining else { return (false, state) }
            try connection.execute(
                "INSERT INTO llm_reservations (id, day, amount, expires_at) VALUES (?, ?, ?, ?)",
                [.text(id), .text(day), .integer(amount), .time(expiresAt)])
            return (
                true,
                LLMBudgetState(
                    day: day, limit: state.limit, spent: state.spent, reserved: state.reserved + amount,
                    isStored: state.isStored)
            )
        }
    }

    /// Ends a reservation: its call has cost `usage.cost`, which is accounted for in the same transaction.
    ///
    /// - Parameter usage: nil where no call was made.
    /// - Returns: what the day has reached with it for the first time.
    package func settle(
        id: String, day: String, usage: LLMUsageRecord?, limit: Int64
    ) async throws -> [LLMBudgetAlert] {
        try await database.write { connection in
            let amount = try connection.first(
                "DELETE FROM llm_reservations WHERE id = ? RETURNING amount", [.text(id)])?.integer("amount")
            guard let usage else { return [] }
            try LLMUsageRepository.add(usage, in: connection)
            try Self.open(day, in: connection)
            // A reservation that ran out was counted in full already.
            guard amount != nil else { return [] }
            try connection.execute(
                "UPDATE llm_budget_days SET spent = spent + ? WHERE day = ?", [.integer(usage.cost), .text(day)])
            return try Self.alerts(of: try Self.state(of: day, limit: limit, in: connection), in: connection)
        }
    }

    /// The state of a day.
    package func state(of day: String, limit: Int64) async throws -> LLMBudgetState {
        try await database.read { try Self.state(of: day, limit: limit, in: $0) }
    }

    /// Stores another limit than that of the settings; nil goes back to theirs.
    package func setLimit(_ limit: Int64?, now: Date) async throws {
        try await database.write { connection in
            if let limit {
                try SettingRepository.set(Self.settingKey, to: String(limit), now: now, in: connection)
            } else {
                try connection.execute("DELETE FROM settings WHERE key = ?", [.text(Self.settingKey)])
            }
        }
    }

    private static func open(_ day: String, in connection: any SQLConnection) throws {
        try connection.execute(
            """
            INSERT INTO llm_budget_days (day, spent, alerted_80, alerted_100) VALUES (?, 0, 0, 0)
            ON CONFLICT (day) DO NOTHING
            """, [.text(day)])
    }

    private static func expire(now: Date, in connection: any SQLConnection) throws {
        let gone = try connection.query(
            "DELETE FROM llm_reservations WHERE expires_at < ? RETURNING day, amount", [.time(now)])
        for row in gone {
            try connection.execute(
                "UPDATE llm_budget_days SET spent = spent + ? WHERE day = ?",
                [.integer(try row.integer("amount")), .text(try row.text("day"))])
        }
    }

    private static func state(
        of day: String, limit: Int64, in connection: any SQLConnection
    ) throws -> LLMBudgetState {
        let stored = try connection.first("SELECT value FROM settings WHERE key = ?", [.text(settingKey)])
            .flatMap { Int64(try $0.text("value")) }
        let spent = try connection.first("SELECT spent FROM llm_budget_days WHERE day = ?", [.text(day)])
        let reserved = try connection.first(
            "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) AS total FROM llm_reservations WHERE day = ?", [.text(day)]
        )
        return LLMBudgetState(
            day: day, limit: stored ?? limit, spent: try spent?.integer("spent") ?? 0,
            reserved: try reserved?.integer("total") ?? 0, isStored: stored != nil)
    }

    private static func alerts(
        of state: LLMBudgetState, in connection: any SQLConnection
    ) throws -> [LLMBudgetAlert] {
        var alerts: [LLMBudgetAlert] = []
        for (percent, column) in [(80, "alerted_80"), (100, "alerted_100")] {
            // Of a hundredth each, so that no product passes the largest number.
            let threshold = state.limit / 100 * Int64(percent) + state.limit % 100 * Int64(percent) / 100
            guard state.spent >= threshold else { continue }
            let isFirst =
                try connection.execute(
                    "UPDATE llm_budget_days SET \(column) = 1 WHERE day = ? AND \(column) = 0", [.text(state.day)]) == 1
            if isFirst { alerts.append(LLMBudgetAlert(percent: percent, state: state)) }
        }
        return alerts
    }
}
