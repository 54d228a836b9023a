package import Foundation

/// Why an address gets no mail, or none of a list.
package enum MailSuppressionReason: String, Sendable, CaseIterable {
    /// Its server says that there is no such mailbox.
    case bounced
    /// Its owner reported mail from here as unwanted.
    case complaint
    case unsubscribed
}

/// One address that is to get no mail.
package struct MailSuppression: Sendable, Equatable {
    /// The cipher's index of the address.
    package let addressIndex: String
    /// Nil for every list.
    package let list: String?
    package let reason: MailSuppressionReason
    /// A server's status code, say; never an address.
    package let detail: String?
    package let createdAt: Date

    init(_ row: SQLRow) throws {
        addressIndex = try row.text("address_index")
        let list = try row.text("list")
        self.list = list.isEmpty ? nil : list
        let reason = try row.text("reason")
        guard let known = MailSuppressionReason(rawValue: reason) else {
            throw StoreError(.unexpectedValue, "a suppression has the unknown reason \(reason)")
        }
        self.reason = known
        detail = try row.optionalText("detail")
        createdAt = try row.time("created_at")
    }
}

/// The addresses that get no mail, by the cipher's index alone: the table does not tell who they are.
///
/// Every `address` is given in its one spelling (lower case), since its index tells spellings apart. What was remembered
/// before there was a key stands under the plain index, which is looked for beside the cipher's.
package struct MailSuppressionRepository: Sendable {
    private static let column = "mail_suppressions.address"

    private let database: any SQLDatabase
    private let cipher: any ColumnCipher
    private let clock: @Sendable () -> Date

    package init(
        _ database: any SQLDatabase, cipher: any ColumnCipher, clock: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.database = database
        self.cipher = cipher
        self.clock = clock
    }

    /// What an address is stored and signed as.
    package func index(of address: String) -> String { cipher.index(address, column: Self.column) }

    /// What an address may be stored as: by the cipher, or from before there was one.
    package func indexes(of address: String) -> [String] {
        [index(of: address), PlainColumns().index(address, column: Self.column)]
    }

    /// For `address_index IN (?, ?)`.
    private func values(of address: String) -> [SQLValue] { indexes(of: address).map { .text($0) } }

    /// Remembers that an address is to get no mail; what is remembered already stays as it is.
    ///
    /// - Parameters:
    ///   - index: of the address.
    ///   - list: nil for every list.
    /// - Returns: whether it is news.
    @discardableResult
    package func suppress(
        index: String, list: String? = nil, reason: MailSuppressionReason, detail: String? = nil
    ) async throws -> Bool {
        let now = SQLValue.time(clock())
        return try await database.write { connection in
            try connection.execute(
                """
                INSERT INTO mail_suppressions (address_index, list, reason, detail, created_at)
                VALUES (?, ?, ?, ?, ?) ON CONFLICT (address_index, list, reason) DO NOTHING
                """,
                [.text(index), .text(list ?? ""), .text(reason.rawValue), .optionalText(detail), now]) == 1
        }
    }

    /// What keeps mail from an address, or nil.
    ///
    /// - Parameter list: of the message. Without one it is mail that somebody asked for themselves, which only a bounce
    ///   or a complaint keeps away: whoever left a list still wants to set a new password.
    package func suppression(of address: String, list: String?) async throws -> MailSuppression? {
        let indexes = values(of: address)
        return try await database.read { connection in
            let found: SQLRow?
            // The gravest first, so that the answer is the same every time.
            let columns = "address_index, list, reason, detail, created_at"
            let order = "ORDER BY CASE reason WHEN 'bounced' THEN 0 WHEN 'complaint' THEN 1 ELSE 2 END, list LIMIT 1"
            if let list {
                found = try connection.first(
                    """
                    SELECT \(columns) FROM mail_suppressions
                    WHERE address_index IN (?, ?) AND list IN ('', ?) \(order)
                    """, indexes + [.text(list)])
            } else {
                found = try connection.first(
                    """
                    SELECT \(columns) FROM mail_suppressions
                    WHERE address_index IN (?, ?) AND list = '' AND reason IN ('bounced', 'complaint') \(order)
                    """, indexes)
            }
            return try found.map(MailSuppression.init)
        }
    }

    /// Everything that is remembered of an address, oldest first.
    package func suppressions(of address: String) async throws -> [MailSuppression] {
        let indexes = values(of: address)
        return try await database.read { connection in
            try connection.query(
                """
                SELECT address_index, list, reason, detail, created_at FROM mail_suppressions
                WHERE address_index IN (?, ?) ORDER BY created_at, list, reason
                """, indexes
            ).map(MailSuppression.init)
        }
    }

    /// Takes a reason back: somebody subscribes again, or a mailbox is there again.
    ///
    /// - Parameter list: nil for what concerns every list; a list's own entry stays.
    /// - Returns: whether there was anything.
    package func lift(_ address: String, list: String? = nil, reason: MailSuppressionReason) async throws -> Bool {
        let indexes = values(of: address)
        return try await database.write { connection in
            try connection.execute(
                "DELETE FROM mail_suppressions WHERE address_index IN (?, ?) AND list = ? AND reason = ?",
                indexes + [.text(list ?? ""), .text(reason.rawValue)]) > 0
        }
    }

    /// How many entries there are of each reason.
    package func counts() async throws -> [MailSuppressionReason: Int] {
        try await database.read { connection in
            var counts: [MailSuppressionReason: Int] = [:]
            for row in try connection.query("SELECT reason, COUNT(*) AS total FROM mail_suppressions GROUP BY reason") {
                guard let reason = MailSuppressionReason(rawValue: try row.text("reason")) else { continue }
                counts[reason] = try row.int("total")
            }
            return counts
        }
    }

    /// Every entry, the newest first.
    ///
    /// - Parameters:
    ///   - reason: nil for all.
    ///   - address: nil for all.
    package func page(
        skip: Int, limit: Int, reason: MailSuppressionReason? = nil, of address: String? = nil
    ) async throws -> (items: [MailSuppression], total: Int) {
        var conditions: [String] = []
        var values: [SQLValue] = []
        if let reason {
            conditions.append("reason = ?")
            values.append(.text(reason.rawValue))
        }
        if let address {
            conditions.append("address_index IN (?, ?)")
            values += self.values(of: address)
        }
        let condition = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        return try await database.read { [values] connection in
            let rows = try connection.query(
                """
                SELECT address_index, list, reason, detail, created_at FROM mail_suppressions \(condition)
                ORDER BY created_at DESC, address_index, list, reason LIMIT ? OFFSET ?
                """, values + [.int(limit), .int(skip)])
            let total = try connection.first("SELECT COUNT(*) AS total FROM mail_suppressions \(condition)", values)
            return (try rows.map(MailSuppression.init), try total?.int("total") ?? 0)
        }
    }

    /// Removes what is remembered under an index.
    ///
    /// - Parameters:
    ///   - list: nil for every entry, empty for those about every list.
    ///   - reason: nil for any.
    /// - Returns: how many entries went.
    package func remove(
        index: String, list: String? = nil, reason: MailSuppressionReason? = nil
    ) async throws -> Int {
        var sql = "DELETE FROM mail_suppressions WHERE address_index = ?"
        var values = [SQLValue.text(index)]
        if let list {
            sql += " AND list = ?"
            values.append(.text(list))
        }
        if let reason {
            sql += " AND reason = ?"
            values.append(.text(reason.rawValue))
        }
        return try await database.write { [sql, values] connection in try connection.execute(sql, values) }
    }

    /// Removes every entry: all addresses get mail again.
    ///
    /// - Returns: how many entries went.
    package func removeAll() async throws -> Int {
        try await database.write { try $0.execute("DELETE FROM mail_suppressions") }
    }

    /// Forgets an address and what was sent to it. Nothing keeps mail from it afterwards.
    ///
    /// - Returns: how many rows went.
    package func forget(_ address: String) async throws -> Int {
        let indexes = values(of: address)
        return try await database.write { connection in
            try connection.execute("DELETE FROM mail_suppressions WHERE address_index IN (?, ?)", indexes)
                + connection.execute("DELETE FROM mail_log WHERE address_index IN (?, ?)", indexes)
        }
    }
}
