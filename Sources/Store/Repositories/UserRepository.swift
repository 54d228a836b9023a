package import Foundation

/// The accounts. Addresses and names are sealed on their way in and opened on their way out.
///
/// An address is stored as it is given, so that what is found by it must be given in the same form.
package struct UserRepository: Sendable {
    /// The names under which the columns are sealed.
    package static let emailColumn = "users.email"
    package static let nameColumn = "users.name"

    let database: any SQLDatabase
    let cipher: any ColumnCipher
    let clock: @Sendable () -> Date
    private let makeID: @Sendable () -> String

    package init(
        _ database: any SQLDatabase, cipher: any ColumnCipher, clock: @escaping @Sendable () -> Date = { Date() },
        makeID: @escaping @Sendable () -> String = { RandomID.make() }
    ) {
        self.database = database
        self.cipher = cipher
        self.clock = clock
        self.makeID = makeID
    }

    /// Stores a new, active account.
    ///
    /// - Throws: `StoreError` of code `uniqueViolation` where somebody has the address.
    package func create(email: String?, name: String?, role: String, passwordHash: String?) async throws -> UserRecord {
        let id = makeID()
        let now = SQLValue.time(clock())
        let arguments: [SQLValue] = [
            .text(id), .optionalText(try cipher.seal(email, column: Self.emailColumn)),
            .optionalText(email.map { cipher.index($0, column: Self.emailColumn) }),
            .optionalText(try cipher.seal(name, column: Self.nameColumn)), .text(role), .optionalText(passwordHash),
            .text(UserState.active.rawValue), now, now,
        ]
        return try await database.write { [cipher] connection in
            let row = try connection.first(
                """
                INSERT INTO users (id, email, email_index, name, role, password_hash, state, created_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING \(UserRecord.columns)
                """, arguments)
            guard let row else { throw StoreError(.other, "the new user was not returned") }
            return try UserRecord(row, cipher: cipher)
        }
    }

    /// An account, or nil.
    package func user(id: String) async throws -> UserRecord? {
        try await database.read { [cipher] connection in
            try connection.first("SELECT \(UserRecord.columns) FROM users WHERE id = ?", [.text(id)])
                .map { try UserRecord($0, cipher: cipher) }
        }
    }

    /// The account with an address, or nil.
    package func user(email: String) async throws -> UserRecord? {
        let index = cipher.index(email, column: Self.emailColumn)
        return try await database.read { [cipher] connection in
            try connection.first("SELECT \(UserRecord.columns) FROM users WHERE email_index = ?", [.text(index)])
                .map { try UserRecord($0, cipher: cipher) }
        }
    }

    /// Whether an account may be used, or nil where there is none; opens nothing.
    package func state(of id: String) async throws -> UserState? {
        try await database.read { connection in
            try connection.first("SELECT state FROM users WHERE id = ?", [.text(id)])
                .map { try UserState(column: "state", of: $0) }
        }
    }

    /// The accounts in the order in which they were made, `limit` of them after the first `skip`, and how many there
    /// are in all.
    package func page(skip: Int, limit: Int) async throws -> (items: [UserRecord], total: Int) {
        try await database.read { [cipher] connection in
            let rows = try connection.query(
                "SELECT \(UserRecord.columns) FROM users ORDER BY created_at, id LIMIT ? OFFSET ?",
                [.int(limit), .int(skip)])
            let total = try connection.first("SELECT COUNT(*) AS total FROM users")?.int("total") ?? 0
            return (try rows.map { try UserRecord($0, cipher: cipher) }, total)
        }
    }

    /// Allows or forbids the use of an account. Who is shut out has no web session and no sign-in link afterwards.
    ///
    /// - Returns: whether there is such an account.
    package func setState(_ state: UserState, of id: String) async throws -> Bool {
        let now = SQLValue.time(clock())
        return try await database.write { try Self.set(state, of: id, now, $0) }
    }

    /// Gives an account another role and revokes its keys that may more than that.
    ///
    /// - Parameter excess: the roles that see more than `role`.
    /// - Returns: whether there is such an account.
    package func setRole(_ role: String, of id: String, revokingKeysOf excess: [String]) async throws -> Bool {
        let now = SQLValue.time(clock())
        return try await database.write { try Self.set(role, of: id, revokingKeysOf: excess, now, $0) }
    }

    /// Does what `setRole` and `setState` do: both or neither.
    ///
    /// - Returns: whether there is such an account.
    package func set(
        role: String, revokingKeysOf excess: [String], state: UserState, of id: String
    ) async throws -> Bool {
        let now = SQLValue.time(clock())
        return try await database.write { connection in
            guard try Self.set(role, of: id, revokingKeysOf: excess, now, connection) else { return false }
            return try Self.set(state, of: id, now, connection)
        }
    }

    private static func set(
        _ state: UserState, of id: String, _ now: SQLValue, _ connection: any SQLConnection
    ) throws -> Bool {
        if state == .disabled {
            try connection.execute("DELETE FROM web_sessions WHERE user_id = ?", [.text(id)])
            try connection.execute("DELETE FROM sign_in_links WHERE user_id = ?", [.text(id)])
        }
        return try connection.execute(
            "UPDATE users SET state = ?, updated_at = ? WHERE id = ?", [.text(state.rawValue), now, .text(id)]) == 1
    }

    private static func set(
        _ role: String, of id: String, revokingKeysOf excess: [String], _ now: SQLValue,
        _ connection: any SQLConnection
    ) throws -> Bool {
        for role in excess {
            try connection.execute(
                "UPDATE api_keys SET revoked_at = ? WHERE user_id = ? AND role = ? AND revoked_at IS NULL",
                [now, .text(id), .text(role)])
        }
        return try connection.execute(
            "UPDATE users SET role = ?, updated_at = ? WHERE id = ?", [.text(role), now, .text(id)]) == 1
    }

    /// Stores another password's hash.
    ///
    /// - Parameter old: what must be stored yet; nil for whatever it is.
    /// - Returns: whether it was stored.
    package func setPasswordHash(_ hash: String, of id: String, replacing old: String? = nil) async throws -> Bool {
        let now = SQLValue.time(clock())
        return try await database.write { connection in
            let condition = old == nil ? "" : " AND password_hash = ?"
            return try connection.execute(
                "UPDATE users SET password_hash = ?, updated_at = ? WHERE id = ?\(condition)",
                [.text(hash), now, .text(id)] + (old.map { [.text($0)] } ?? [])) == 1
        }
    }

    /// Stores that somebody signed in just now.
    package func recordSignIn(of id: String) async throws {
        let now = SQLValue.time(clock())
        try await database.write { connection in
            try connection.execute("UPDATE users SET last_sign_in_at = ? WHERE id = ?", [now, .text(id)])
        }
    }

    /// Removes an account with its keys, web sessions, links and assignments.
    ///
    /// - Returns: whether it was there.
    package func delete(id: String) async throws -> Bool {
        try await database.write { connection in
            try connection.execute("DELETE FROM users WHERE id = ?", [.text(id)]) == 1
        }
    }
}
