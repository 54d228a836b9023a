import Foundation
import Store

/// The table that tells which keys may have sealed something, each with a value that proves it is the same key.
struct ColumnKeys: Sendable {
    static let column = "column_keys.check_value"
    /// What every check value says once it is opened.
    static let text = "pathlight"

    enum IndexState: Equatable {
        case same
        /// The names that addresses are found by were made without a key, or never.
        case plain
        case different
    }

    let database: any SQLDatabase
    let clock: @Sendable () -> Date
    /// Whether all is only looked at: what would be written is not.
    var isReadOnly = false

    /// How often somebody who changes the keys is waited for, 20 ms at a time. A change takes a few.
    private static let attempts = 500

    /// The right to change the keys, or to judge whether ring and rows belong together, which they do not in the middle of
    /// a change.
    ///
    /// - Throws: `KeyRingError` of code `busy` where another process has it for ten seconds; `StoreError`.
    func lock() async throws -> DatabaseLock {
        for _ in 0..<Self.attempts {
            if let lock = try database.lock("keys") { return lock }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw KeyRingError(.busy, "another process changes the keys of \(database.location); try again in a moment")
    }

    /// The ids of all keys that have a row, with what proves them.
    func all() async throws -> [String: String] {
        try await database.read { connection in
            var rows: [String: String] = [:]
            for row in try connection.query("SELECT key_id, check_value FROM column_keys") {
                rows[try row.text("key_id")] = try row.text("check_value")
            }
            return rows
        }
    }

    /// Notes a key before anything is sealed with it.
    func add(_ id: String, check: String, replacing: Bool = false) async throws {
        if isReadOnly { return }
        let now = SQLValue.time(clock())
        let action = replacing ? "DO UPDATE SET check_value = excluded.check_value" : "DO NOTHING"
        try await database.write { connection in
            try connection.execute(
                """
                INSERT INTO column_keys (key_id, check_value, created_at) VALUES (?, ?, ?)
                ON CONFLICT (key_id) \(action)
                """, [.text(id), .text(check), now])
        }
    }

    /// Whether anything is sealed with a key.
    ///
    /// - Complexity: O(rows) of all sealed columns.
    func isUsed(_ id: String) async throws -> Bool {
        try await database.read { connection in
            let schema = try SchemaCatalogue.read(connection)
            return try PersonalData.sealedColumns.contains { column in
                try schema.has(column.column, in: column.table) && column.uses(id, connection)
            }
        }
    }

    /// Forgets a key unless something is sealed with it.
    ///
    /// - Returns: whether it was forgotten.
    func remove(unused id: String) async throws -> Bool {
        if try await isUsed(id) { return false }
        try await remove(id)
        return true
    }

    func remove(_ id: String) async throws {
        if isReadOnly { return }
        try await database.write { connection in
            try connection.execute("DELETE FROM column_keys WHERE key_id = ?", [.text(id)])
        }
    }

    /// Addresses that get no mail: their indexes cannot be made again without the key that made them.
    func withheldAddresses() async throws -> Int {
        try await database.read { connection in
            guard try SchemaCatalogue.read(connection).has("mail_suppressions") else { return 0 }
            let sql = "SELECT COUNT(DISTINCT address_index) AS n FROM mail_suppressions"
            return try connection.first(sql)?.int("n") ?? 0
        }
    }

    static func indexCheck(_ cipher: any ColumnCipher) -> String { cipher.index(text, column: column) }

    static func indexState(_ stored: String?, _ cipher: any ColumnCipher) -> IndexState {
        if stored == indexCheck(cipher) { return .same }
        return stored == nil || stored == indexCheck(PlainColumns()) ? .plain : .different
    }

    /// Finds every account by the cipher's index of its address from now on, and what mail is withheld with it.
    ///
    /// - Returns: how many accounts changed.
    func reindex(from former: any ColumnCipher, to cipher: any ColumnCipher) async throws -> Int {
        if isReadOnly { return 0 }
        let rows = try await database.read { connection -> [(id: String, email: String, index: String)] in
            guard try SchemaCatalogue.read(connection).has("users") else { return [] }
            return try connection.query("SELECT id, email, email_index FROM users WHERE email IS NOT NULL").map { row in
                (try row.text("id"), try row.text("email"), try row.text("email_index"))
            }
        }
        var changed = 0
        for row in rows {
            let address = try cipher.open(row.email, column: "users.email")
            let index = cipher.index(address, column: "users.email")
            if index != row.index {
                changed += try await database.write { connection in
                    try connection.execute(
                        "UPDATE users SET email_index = ? WHERE id = ? AND email_index = ?",
                        [.text(index), .text(row.id), .text(row.index)])
                }
            }
            try await move(address, from: former, to: cipher)
        }
        return changed
    }

    /// What is kept of mail under an address's former index. An index cannot be turned back: an address that is no
    /// account's stays under its plain one, which `MailSuppressionRepository` looks for as well.
    private func move(_ address: String, from former: any ColumnCipher, to cipher: any ColumnCipher) async throws {
        let column = "mail_suppressions.address"
        for address in Set([address, address.lowercased()]) {
            let old = SQLValue.text(former.index(address, column: column))
            let new = SQLValue.text(cipher.index(address, column: column))
            try await database.write { connection in
                let schema = try SchemaCatalogue.read(connection)
                if schema.has("mail_suppressions") {
                    try connection.execute(
                        """
                        INSERT INTO mail_suppressions (address_index, list, reason, detail, created_at)
                        SELECT ?, list, reason, detail, created_at FROM mail_suppressions WHERE address_index = ?
                        ON CONFLICT (address_index, list, reason) DO NOTHING
                        """, [new, old])
                    try connection.execute("DELETE FROM mail_suppressions WHERE address_index = ?", [old])
                }
                if schema.has("mail_log") {
                    try connection.execute("UPDATE mail_log SET address_index = ? WHERE address_index = ?", [new, old])
                }
            }
        }
    }
}
