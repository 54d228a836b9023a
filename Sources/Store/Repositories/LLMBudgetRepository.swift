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
    /// Whether it was all spent, or a call was refused while next to nothing was left, since the limit was last stored.
    package let wasUsedUp: Bool

    package init(
        day: String, limit: Int64, spent: Int64, reserved: Int64, isStored: Bool, wasUsedUp: Bool = false
    ) {
        self.day = day
        self.limit = limit
        self.spent = spent
        self.reserved = reserved
        self.isStored = isStored
        self.wasUsedUp = wasUsedUp
    }

    package var remaining: Int64 { max(0, limit - spent - reserved) }

    /// Whether so much of the limit is next to nothing: less than a call of the usual size may cost, or a twentieth. Where
    /// more is left, a call that is refused asked for far more than others, which says nothing of the day.
    package func isLittle(_ amount: Int64, usual: Int64) -> Bool { amount < usual || amount <= limit / 20 }
}

/// A day's cost has reached a part of its limit; told once a day for each part.
package struct LLMBudgetAlert: Sendable, Equatable {
    /// 80 or 100. 100 as well where a call was refused while next to nothing was left: a limit that no call may pass is
    /// hardly ever met to the last cent.
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
    ///   - usual: what a call of the usual size may cost, for `LLMBudgetState.isLittle`.
    ///   - expiresAt: when the reservation counts as spent if nobody settled it.
    ///   - opened: the row that `LLMUsageRepository.open` made for the call. Where it has gone it is not made again, so
    ///     that `settle` finds that its user was erased meanwhile.
    /// - Returns: the day's state, whether the amount was set aside, which it is not where it would pass the limit, and
    ///   what the day has reached for the first time.
    package func reserve(
        _ amount: Int64, id: String, day: String, limit: Int64, usual: Int64 = 0, now: Date, expiresAt: Date,
        opened: LLMUsageRecord? = nil
    ) async throws -> (isReserved: Bool, state: LLMBudgetState, alerts: [LLMBudgetAlert]) {
        try await database.write { connection in
            try Self.open(day, in: connection)
            let hasExpired = try Self.expire(now: now, in: connection)
            let state = try Self.state(of: day, limit: limit, in: connection)
            // Not a sum, which could pass the largest number.
            guard amount <= state.remaining else {
                return (false, state, try Self.alerts(of: state, refusing: usual, in: connection))
            }
            try connection.execute(
                "INSERT INTO llm_reservations (id, day, amount, expires_at) VALUES (?, ?, ?, ?)",
                [.text(id), .text(day), .integer(amount), .time(expiresAt)])
            if let opened { try LLMUsageRepository.carry(opened, to: day, in: connection) }
            let next = LLMBudgetState(
                day: day, limit: state.limit, spent: state.spent, reserved: state.reserved + amount,
                isStored: state.isStored, wasUsedUp: state.wasUsedUp)
            return (true, next, hasExpired ? try Self.alerts(of: next, in: connection) : [])
        }
    }

    /// Sets aside more for a call that costs more than it seemed: `amount` in all.
    ///
    /// - Returns: whether so much is set aside now. It is not where it would pass the limit, or where the reservation
    ///   ran out.
    package func extend(
        id: String, to amount: Int64, day: String, limit: Int64, usual: Int64 = 0
    ) async throws -> (isReserved: Bool, alerts: [LLMBudgetAlert]) {
        try await database.write { connection in
            let row = try connection.first("SELECT amount FROM llm_reservations WHERE id = ?", [.text(id)])
            guard let present = try row?.integer("amount") else { return (false, []) }
            let state = try Self.state(of: day, limit: limit, in: connection)
            guard amount - present <= state.remaining else {
                return (false, try Self.alerts(of: state, refusing: usual, in: connection))
            }
            try connection.execute(
                "UPDATE llm_reservations SET amount = ? WHERE id = ?", [.integer(max(amount, present)), .text(id)])
            return (true, [])
        }
    }

    /// Notes that a call was refused because too little is left of a day, where that was seen without `reserve`.
    ///
    /// - Returns: what the day has reached with it for the first time.
    package func refuse(day: String, limit: Int64, usual: Int64 = 0) async throws -> [LLMBudgetAlert] {
        // Calls that are refused may be many; only the first that finds next to nothing has something to write.
        let state = try await state(of: day, limit: limit)
        guard !state.wasUsedUp, state.isLittle(state.remaining, usual: usual) else { return [] }
        return try await database.write { connection in
            try Self.open(day, in: connection)
            let state = try Self.state(of: day, limit: limit, in: connection)
            return try Self.alerts(of: state, refusing: usual, in: connection)
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
            try LLMUsageRepository.settle(usage, in: connection)
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

    /// Stores another limit than that of the settings; nil goes back to theirs. What the day reaches is told anew.
    package func setLimit(_ limit: Int64?, now: Date) async throws {
        try await database.write { connection in
            if let limit {
                try SettingRepository.set(Self.settingKey, to: String(limit), now: now, in: connection)
            } else {
                try connection.execute("DELETE FROM settings WHERE key = ?", [.text(Self.settingKey)])
            }
            // What was told so far was told of another limit.
            try connection.execute(
                "UPDATE llm_budget_days SET alerted_80 = 0, alerted_100 = 0 WHERE day = ?",
                [.text(String(SQLTime.text(of: now).prefix(10)))])
        }
    }

    private static func open(_ day: String, in connection: any SQLConnection) throws {
        try connection.execute(
            """
            INSERT INTO llm_budget_days (day, spent, alerted_80, alerted_100) VALUES (?, 0, 0, 0)
            ON CONFLICT (day) DO NOTHING
            """, [.text(day)])
    }

    /// - Returns: whether anything counts as spent that did not before.
    private static func expire(now: Date, in connection: any SQLConnection) throws -> Bool {
        let gone = try connection.query(
            "DELETE FROM llm_reservations WHERE expires_at < ? RETURNING day, amount", [.time(now)])
        for row in gone {
            try connection.execute(
                "UPDATE llm_budget_days SET spent = spent + ? WHERE day = ?",
                [.integer(try row.integer("amount")), .text(try row.text("day"))])
        }
        return !gone.isEmpty
    }

    private static func state(
        of day: String, limit: Int64, in connection: any SQLConnection
    ) throws -> LLMBudgetState {
        let stored = try connection.first("SELECT value FROM settings WHERE key = ?", [.text(settingKey)])
            .flatMap { Int64(try $0.text("value")) }
        let row = try connection.first(
            "SELECT spent, alerted_100 FROM llm_budget_days WHERE day = ?", [.text(day)])
        let reserved = try connection.first(
            "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) AS total FROM llm_reservations WHERE day = ?", [.text(day)]
        )
        return LLMBudgetState(
            day: day, limit: stored ?? limit, spent: try row?.integer("spent") ?? 0,
            reserved: try reserved?.integer("total") ?? 0, isStored: stored != nil,
            wasUsedUp: try row?.bool("alerted_100") ?? false)
    }

    /// - Parameter usual: where a call was refused, what one of the usual size may cost: then what is set aside counts as
    ///   well, and the day is used up where next to nothing is left.
    private static func alerts(
        of state: LLMBudgetState, refusing usual: Int64? = nil, in connection: any SQLConnection
    ) throws -> [LLMBudgetAlert] {
        var alerts: [LLMBudgetAlert] = []
        let used = usual == nil ? state.spent : state.spent + state.reserved
        let isUsedUp = usual.map { state.isLittle(state.remaining, usual: $0) } ?? false
        for (percent, column) in [(80, "alerted_80"), (100, "alerted_100")] {
            // Of a hundredth each, so that no product passes the largest number.
            let threshold = state.limit / 100 * Int64(percent) + state.limit % 100 * Int64(percent) / 100
            // Nothing of nothing is not used up: with a limit of 0 there is still what costs nothing.
            guard used > 0 && used >= threshold || isUsedUp && percent == 100 else { continue }
            let isFirst =
                try connection.execute(
                    "UPDATE llm_budget_days SET \(column) = 1 WHERE day = ? AND \(column) = 0", [.text(state.day)]) == 1
            if isFirst { alerts.append(LLMBudgetAlert(percent: percent, state: state)) }
        }
        return alerts
    }
}
