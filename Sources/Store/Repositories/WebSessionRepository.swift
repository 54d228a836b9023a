package import Foundation

/// A browser that somebody signed in with, and who it is.
package struct WebSessionRecord: Sendable, Equatable {
    /// The hash of the token that the browser holds.
    package let idHash: String
    /// What the session is called where its user sees it: half of the hash, which opens nothing.
    package var id: String { String(idHash.prefix(WebSessionRepository.idLength)) }
    package let userID: String
    package let userRole: String
    package let userState: UserState
    package let createdAt: Date
    /// To within some minutes.
    package let lastSeenAt: Date
    package let expiresAt: Date

    init(_ row: SQLRow) throws {
        idHash = try row.text("id_hash")
        userID = try row.text("user_id")
        userRole = try row.text("role")
        userState = try UserState(column: "state", of: row)
        createdAt = try row.time("created_at")
        lastSeenAt = try row.time("last_seen_at")
        expiresAt = try row.time("expires_at")
    }
}

/// The web sessions.
package struct WebSessionRepository: Sendable {
    /// Hexadecimal digits of a session's id, the first of its hash.
    static let idLength = 32

    private let database: any SQLDatabase

    package init(_ database: any SQLDatabase) { self.database = database }

    /// Stores a new session of an account that is as it was when its credential was looked at.
    ///
    /// Looking at a password takes a while. Meanwhile the account may have been disabled, or have got another password,
    /// which ended the sessions that there were.
    ///
    /// - Parameter passwordHash: the one that must still be stored; nil where there must be none.
    /// - Returns: whether it was stored; false where the account is gone, is not active, or has another password.
    package func create(
        idHash: String, userID: String, passwordHash: String?, now: Date, expiresAt: Date
    ) async throws -> Bool {
        try await database.write { connection in
            let condition = passwordHash == nil ? "password_hash IS NULL" : "password_hash = ?"
            return try connection.execute(
                """
                INSERT INTO web_sessions (id_hash, user_id, created_at, last_seen_at, expires_at)
                SELECT ?, id, ?, ?, ? FROM users WHERE id = ? AND state = 'active' AND \(condition)
                """,
                [.text(idHash), .time(now), .time(now), .time(expiresAt), .text(userID)]
                    + (passwordHash.map { [.text($0)] } ?? [])) == 1
        }
    }

    /// A session with its user, or nil.
    package func session(idHash: String) async throws -> WebSessionRecord? {
        try await database.read { connection in
            try connection.first(
                """
                SELECT s.id_hash, s.user_id, s.created_at, s.last_seen_at, s.expires_at, u.role, u.state
                FROM web_sessions s JOIN users u ON u.id = s.user_id WHERE s.id_hash = ?
                """, [.text(idHash)]
            ).map(WebSessionRecord.init)
        }
    }

    /// Stores that a session was used. One that has ended meanwhile stays so.
    package func touch(idHash: String, seenAt: Date, expiresAt: Date) async throws {
        try await database.write { connection in
            try connection.execute(
                "UPDATE web_sessions SET last_seen_at = ?, expires_at = ? WHERE id_hash = ?",
                [.time(seenAt), .time(expiresAt), .text(idHash)])
        }
    }

    /// Ends a session.
    ///
    /// - Returns: whether it was there.
    @discardableResult
    package func end(idHash: String) async throws -> Bool {
        try await database.write { connection in
            try connection.execute("DELETE FROM web_sessions WHERE id_hash = ?", [.text(idHash)]) == 1
        }
    }

    /// The sessions of a user that have not ended at `now`, newest first, `limit` of them after the first `skip`, and how
    /// many there are in all.
    package func page(
        of userID: String, now: Date, skip: Int, limit: Int
    ) async throws -> (items: [WebSessionRecord], total: Int) {
        try await database.read { connection in
            let rows = try connection.query(
                """
                SELECT s.id_hash, s.user_id, s.created_at, s.last_seen_at, s.expires_at, u.role, u.state
                FROM web_sessions s JOIN users u ON u.id = s.user_id WHERE s.user_id = ? AND s.expires_at > ?
                ORDER BY s.created_at DESC, s.id_hash LIMIT ? OFFSET ?
                """, [.text(userID), .time(now), .int(limit), .int(skip)])
            let count = try connection.first(
                "SELECT COUNT(*) AS total FROM web_sessions WHERE user_id = ? AND expires_at > ?",
                [.text(userID), .time(now)])
            return (try rows.map(WebSessionRecord.init), try count?.int("total") ?? 0)
        }
    }

    /// Ends a session of a user by its id.
    ///
    /// - Returns: whether the user had it.
    package func end(id: String, of userID: String) async throws -> Bool {
        try await database.write { connection in
            try connection.execute(
                "DELETE FROM web_sessions WHERE user_id = ? AND substr(id_hash, 1, \(Self.idLength)) = ?",
                [.text(userID), .text(id)]) == 1
        }
    }

    /// Ends the sessions of a user, all but one where `kept` names it.
    ///
    /// - Returns: how many ended.
    @discardableResult
    package func endAll(of userID: String, except kept: String? = nil) async throws -> Int {
        try await database.write { connection in
            try connection.execute(
                "DELETE FROM web_sessions WHERE user_id = ? AND id_hash <> ?", [.text(userID), .text(kept ?? "")])
        }
    }

    /// Removes the sessions that have ended by themselves.
    ///
    /// - Returns: how many went.
    package func purge(now: Date) async throws -> Int {
        try await database.write { connection in
            try connection.execute("DELETE FROM web_sessions WHERE expires_at <= ?", [.time(now)])
        }
    }
}
