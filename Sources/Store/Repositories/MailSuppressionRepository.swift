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
/// Every `address` is given in its one spelling (lower case), since its index tells spellings apart.
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
        let index = index(of: address)
        return try await database.read { connection in
            let found: SQLRow?
            // The gravest first, so that the answer is the same every time.
            let columns = "address_index, list, reason, detail, created_at"
            let order = "ORDER BY CASE reason WHEN 'bounced' THEN 0 WHEN 'complaint' THEN 1 ELSE 2 END, list LIMIT 1"
            if let list {
                found = try connection.first(
                    """
                    SELECT \(columns) FROM mail_suppressions WHERE address_index = ? AND list IN ('', ?) \(order)
                    """, [.text(index), .text(list)])
            } else {
                found = try connection.first(
                    """
                    SELECT \(columns) FROM mail_suppressions
                    WHERE address_index = ? AND list = '' AND reason IN ('bounced', 'complaint') \(order)
                    """, [.text(index)])
            }
            return try found.map(MailSuppression.init)
        }
    }

    /// Everything that is remembered of an address, oldest first.
    package func suppressions(of address: String) async throws -> [MailSuppression] {
        let index = index(of: address)
        return try await database.read { connection in
            try connection.query(
                """
                SELECT address_index, list, reason, detail, created_at FROM mail_suppressions
                WHERE address_index = ? ORDER BY created_at, list, reason
                """, [.text(index)]
            ).map(MailSuppression.init)
        }
    }

    /// Takes a reason back: somebody subscribes again, or a mailbox is there again.
    ///
    /// - Parameter list: nil for what concerns every list; a list's own entry stays.
    /// - Returns: whether there was anything.
    package func lift(_ address: String, list: String? = nil, reason: MailSuppressionReason) async throws -> Bool {
        let index = index(of: address)
        return try await database.write { connection in
            try connection.execute(
                "DELETE FROM mail_suppressions WHERE address_index = ? AND list = ? AND reason = ?",
                [.text(index), .text(list ?? ""), .text(reason.rawValue)]) == 1
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

    /// Takes over what another cipher's index stands for, where the index key changes (plain columns that become sealed
    /// ones): an index cannot be turned back, so that each known address is looked up under its former one.
    ///
    /// - Returns: how many entries moved.
    @discardableResult
    package func takeOver(_ address: String, from former: any ColumnCipher) async throws -> Int {
        let old = former.index(address, column: Self.column)
        let new = index(of: address)
        guard old != new else { return 0 }
        return try await database.write { connection in
            let moved = try connection.execute(
                """
                INSERT INTO mail_suppressions (address_index, list, reason, detail, created_at)
                SELECT ?, list, reason, detail, created_at FROM mail_suppressions WHERE address_index = ?
                ON CONFLICT (address_index, list, reason) DO NOTHING
                """, [.text(new), .text(old)])
            try connection.execute("DELETE FROM mail_suppressions WHERE address_index = ?", [.text(old)])
            try connection.execute(
                "UPDATE mail_log SET address_index = ? WHERE address_index = ?", [.text(new), .text(old)])
            return moved
        }
    }

    /// Forgets an address and what was sent to it. Nothing keeps mail from it afterwards.
    ///
    /// - Returns: how many rows went.
    package func forget(_ address: String) async throws -> Int {
        let index = index(of: address)
        return try await database.write { connection in
            try connection.execute("DELETE FROM mail_suppressions WHERE address_index = ?", [.text(index)])
                + connection.execute("DELETE FROM mail_log WHERE address_index = ?", [.text(index)])
        }
    }
}
