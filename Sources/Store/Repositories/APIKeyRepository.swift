package import Foundation

/// The API keys.
package struct APIKeyRepository: Sendable {
    /// A key, and whether its user may be there.
    package struct Found: Sendable, Equatable {
        package let key: APIKeyRecord
        /// Nil for a program's key.
        package let userState: UserState?

        package init(key: APIKeyRecord, userState: UserState?) {
            self.key = key
            self.userState = userState
        }
    }

    private let database: any SQLDatabase
    private let clock: @Sendable () -> Date

    package init(_ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() }) {
        self.database = database
        self.clock = clock
    }

    /// Stores a new key.
    ///
    /// - Parameter roles: what its user's account has to be, if it has a user; nil for whatever it is.
    /// - Throws: `StoreError` of code `foreignKeyViolation` where there is no such user, `conflict` where the account is of
    ///   another role.
    package func create(_ key: APIKeyRecord, ofOwners roles: [String]? = nil) async throws {
        try await database.write { connection in
            // In the key's own transaction: a change of role revokes the keys that it finds, and none comes after.
            if let roles, let userID = key.userID,
                let role = try connection.first("SELECT role FROM users WHERE id = ?", [.text(userID)])?.text("role"),
                !roles.contains(role)
            {
                throw StoreError(.conflict, "the key's user is of the role \(role)")
            }
            try connection.execute(
                """
                INSERT INTO api_keys (id, user_id, role, scopes, label, salt, hash, created_at, expires_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    .text(key.id), .optionalText(key.userID), .text(key.role), .text(StringList.text(of: key.scopes)),
                    .optionalText(key.label), .blob(key.salt), .blob(key.hash), .time(key.createdAt),
                    key.expiresAt.map(SQLValue.time) ?? .null,
                ])
        }
    }

    /// A key by its public part, or nil.
    package func key(id: String) async throws -> Found? {
        try await database.read { connection in
            let row = try connection.first(
                """
                SELECT k.id, k.user_id, k.role, k.scopes, k.label, k.salt, k.hash, k.created_at, k.expires_at,
                    k.revoked_at, k.last_used_at, u.state AS user_state
                FROM api_keys k LEFT JOIN users u ON u.id = k.user_id WHERE k.id = ?
                """, [.text(id)])
            return try row.map { row in
                let hasUser = try row.optionalText("user_state") != nil
                return Found(
                    key: try APIKeyRecord(row), userState: hasUser ? try UserState(column: "user_state", of: row) : nil)
            }
        }
    }

    /// The keys in the order in which they were made, `limit` of them after the first `skip`, and how many there are
    /// in all, revoked and expired ones included.
    ///
    /// - Parameter userID: for the keys of one user alone.
    package func page(skip: Int, limit: Int, userID: String? = nil) async throws -> (
        items: [APIKeyRecord], total: Int
    ) {
        let condition = userID == nil ? "" : "WHERE user_id = ?"
        let owner: [SQLValue] = userID.map { [.text($0)] } ?? []
        return try await database.read { connection in
            let rows = try connection.query(
                """
                SELECT id, user_id, role, scopes, label, salt, hash, created_at, expires_at, revoked_at, last_used_at
                FROM api_keys \(condition) ORDER BY created_at, id LIMIT ? OFFSET ?
                """, owner + [.int(limit), .int(skip)])
            let total = try connection.first("SELECT COUNT(*) AS total FROM api_keys \(condition)", owner)
            return (try rows.map(APIKeyRecord.init), try total?.int("total") ?? 0)
        }
    }

    /// Revokes a key; the moment of the first time stays.
    ///
    /// - Returns: whether there is such a key.
    package func revoke(id: String) async throws -> Bool {
        let now = SQLValue.time(clock())
        return try await database.write { connection in
            try connection.execute(
                "UPDATE api_keys SET revoked_at = COALESCE(revoked_at, ?) WHERE id = ?", [now, .text(id)]) == 1
        }
    }

    /// Stores that a key was used just now.
    package func recordUse(of id: String) async throws {
        let now = SQLValue.time(clock())
        try await database.write { connection in
            try connection.execute("UPDATE api_keys SET last_used_at = ? WHERE id = ?", [now, .text(id)])
        }
    }

    /// Whether somebody has a key that holds, of a role, and that is not limited to other scopes than `scope`.
    package func hasActiveKey(role: String, scope: String) async throws -> Bool {
        let now = SQLValue.time(clock())
        return try await database.read { try Self.hasActiveKey(role: role, scope: scope, now: now, in: $0) }
    }

    static func hasActiveKey(
        role: String, scope: String, now: SQLValue, in connection: any SQLConnection
    ) throws -> Bool {
        let rows = try connection.query(
            """
            SELECT k.scopes FROM api_keys k LEFT JOIN users u ON u.id = k.user_id
            WHERE k.role = ? AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ?)
                AND (k.user_id IS NULL OR u.state = 'active')
            """, [.text(role), now])
        return try rows.contains { row in
            let scopes = try StringList.strings(of: try row.text("scopes"))
            return scopes.isEmpty || scopes.contains(scope)
        }
    }
}
