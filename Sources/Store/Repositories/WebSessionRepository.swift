package import Foundation

/// A browser that somebody signed in with, and who it is.
package struct WebSessionRecord: Sendable, Equatable {
    /// The hash of the token that the browser holds.
    package let idHash: String
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
    private let database: any SQLDatabase

    package init(_ database: any SQLDatabase) { self.database = database }

    /// Stores a new session.
    ///
    /// - Throws: `StoreError` of code `foreignKeyViolation` where there is no such user.
    package func create(idHash: String, userID: String, now: Date, expiresAt: Date) async throws {
        try await database.write { connection in
            try connection.execute(
                """
                INSERT INTO web_sessions (id_hash, user_id, created_at, last_seen_at, expires_at)
                VALUES (?, ?, ?, ?, ?)
                """, [.text(idHash), .text(userID), .time(now), .time(now), .time(expiresAt)])
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
