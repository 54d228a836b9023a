package import Foundation

/// What became of a message in the end.
package struct MailLogRecord: Sendable, Equatable {
    package enum Outcome: String, Sendable, CaseIterable {
        case sent
        /// The server refused it for good.
        case refused
        /// The address was to get no mail.
        case suppressed
    }

    package let outcome: Outcome
    /// A server's status code, or a reason; never an address.
    package let detail: String?
    package let finishedAt: Date
}

/// The messages that have come to an end, by the key that their sender knows them by, so that none is sent again.
package struct MailLogRepository: Sendable {
    private let database: any SQLDatabase
    private let clock: @Sendable () -> Date

    package init(_ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() }) {
        self.database = database
        self.clock = clock
    }

    /// What became of a message, or nil where it has still to be sent.
    package func record(of key: String) async throws -> MailLogRecord? {
        try await database.read { connection in
            guard
                let row = try connection.first(
                    "SELECT outcome, detail, finished_at FROM mail_log WHERE message_key = ?", [.text(key)])
            else { return nil }
            let outcome = try row.text("outcome")
            guard let known = MailLogRecord.Outcome(rawValue: outcome) else {
                throw StoreError(.unexpectedValue, "a message has the unknown outcome \(outcome)")
            }
            return MailLogRecord(
                outcome: known, detail: try row.optionalText("detail"), finishedAt: try row.time("finished_at"))
        }
    }

    /// Whom a message that went out was for: the indexes of the recipients' addresses, as `MailSuppressionRepository`
    /// stores them. Empty where no such message was sent, or so long ago that it is forgotten.
    ///
    /// - Parameter messageID: without its angle brackets.
    package func recipients(ofMessage messageID: String) async throws -> Set<String> {
        try await database.read { connection in
            let rows = try connection.query(
                "SELECT address_index FROM mail_log WHERE message_id = ? AND outcome = 'sent'", [.text(messageID)])
            return Set(try rows.map { try $0.text("address_index") })
        }
    }

    /// Keeps what became of a message. The first record stays.
    ///
    /// - Parameter messageID: without its angle brackets.
    /// - Returns: whether this was the first.
    @discardableResult
    package func finish(
        _ key: String, messageID: String? = nil, addressIndex: String, outcome: MailLogRecord.Outcome,
        detail: String? = nil
    ) async throws -> Bool {
        let now = SQLValue.time(clock())
        return try await database.write { connection in
            try connection.execute(
                """
                INSERT INTO mail_log (message_key, address_index, outcome, detail, finished_at, message_id)
                VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (message_key) DO NOTHING
                """,
                [
                    .text(key), .text(addressIndex), .text(outcome.rawValue), .optionalText(detail), now,
                    .optionalText(messageID),
                ]) == 1
        }
    }

    /// Forgets the messages that ended before `date`: whoever still has a task for one of them would send it again.
    ///
    /// - Returns: how many went.
    package func purge(olderThan date: Date) async throws -> Int {
        try await database.write { connection in
            try connection.execute("DELETE FROM mail_log WHERE finished_at < ?", [.time(date)])
        }
    }
}

/// Keys that the service makes for itself once and shares with its replicas.
package struct MailKeyRepository: Sendable {
    private let database: any SQLDatabase
    private let clock: @Sendable () -> Date

    package init(_ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() }) {
        self.database = database
        self.clock = clock
    }

    /// The key of that name; `fresh` becomes it where there is none yet.
    package func key(_ name: String, fresh: [UInt8]) async throws -> [UInt8] {
        let now = SQLValue.time(clock())
        return try await database.write { connection in
            try connection.execute(
                "INSERT INTO mail_keys (name, bytes, created_at) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING",
                [.text(name), .blob(fresh), now])
            guard let row = try connection.first("SELECT bytes FROM mail_keys WHERE name = ?", [.text(name)]) else {
                throw StoreError(.other, "the key \(name) that was just kept was not found")
            }
            return try row.blob("bytes")
        }
    }
}
