package import Foundation

/// Links that sign somebody in once.
package struct SignInLinkRepository: Sendable {
    private let database: any SQLDatabase
    private let clock: @Sendable () -> Date
    private let makeID: @Sendable () -> String

    package init(
        _ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() },
        makeID: @escaping @Sendable () -> String = { RandomID.make() }
    ) {
        self.database = database
        self.clock = clock
        self.makeID = makeID
    }

    /// Stores a link for the first administrator, in place of earlier ones, where nobody can sign in as one yet: no
    /// administrator has a password, no administrator's key holds. The account is made where there is none.
    ///
    /// - Returns: whether the link was stored.
    package func createForFirstAdmin(hash: String, expiresAt: Date) async throws -> Bool {
        let now = SQLValue.time(clock())
        let id = makeID()
        return try await database.write { connection in
            let withPassword = try connection.first(
                "SELECT id FROM users WHERE role = 'admin' AND state = 'active' AND password_hash IS NOT NULL LIMIT 1")
            guard withPassword == nil,
                try !APIKeyRepository.hasActiveKey(role: "admin", now: now, in: connection)
            else { return false }
            let existing = try connection.first(
                "SELECT id FROM users WHERE role = 'admin' AND state = 'active' ORDER BY created_at, id LIMIT 1")
            let admin = try existing?.text("id") ?? id
            if existing == nil {
                try connection.execute(
                    "INSERT INTO users (id, role, state, created_at, updated_at) VALUES (?, 'admin', 'active', ?, ?)",
                    [.text(id), now, now])
            }
            try connection.execute("DELETE FROM sign_in_links WHERE user_id = ?", [.text(admin)])
            try connection.execute(
                "INSERT INTO sign_in_links (hash, user_id, expires_at) VALUES (?, ?, ?)",
                [.text(hash), .text(admin), .time(expiresAt)])
            return true
        }
    }

    /// Stores a link for a user.
    ///
    /// - Throws: `StoreError` of code `foreignKeyViolation` where there is no such user.
    package func create(hash: String, userID: String, expiresAt: Date) async throws {
        try await database.write { connection in
            try connection.execute(
                "INSERT INTO sign_in_links (hash, user_id, expires_at) VALUES (?, ?, ?)",
                [.text(hash), .text(userID), .time(expiresAt)])
        }
    }

    /// Uses a link up.
    ///
    /// - Returns: whose it was, or nil where there is no such link or it has ended.
    package func take(hash: String) async throws -> String? {
        let now = clock()
        return try await database.write { connection in
            let row = try connection.first(
                "DELETE FROM sign_in_links WHERE hash = ? RETURNING user_id, expires_at", [.text(hash)])
            guard let row, try row.time("expires_at") > now else { return nil }
            return try row.text("user_id")
        }
    }

    /// Removes the links that have ended.
    ///
    /// - Returns: how many went.
    package func purge() async throws -> Int {
        let now = SQLValue.time(clock())
        return try await database.write { connection in
            try connection.execute("DELETE FROM sign_in_links WHERE expires_at <= ?", [now])
        }
    }
}
