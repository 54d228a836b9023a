/// Whose a session is, without what it holds: asked before each write into one.
package struct SessionOwnerRepository: Sendable {
    package enum Owner: Sendable, Equatable {
        /// Somebody anonymous: who knows the session's id has it.
        case nobody
        case user(id: String)
    }

    private let database: any SQLDatabase

    package init(_ database: any SQLDatabase) { self.database = database }

    /// The owner of a session, or nil where there is no such session.
    package func owner(of session: String) async throws -> Owner? {
        try await database.read { connection in
            try connection.first("SELECT owner FROM sessions WHERE id = ?", [.text(session)]).map { row in
                try row.optionalText("owner").map { .user(id: $0) } ?? .nobody
            }
        }
    }

    /// Gives a session that is nobody's to a user; one that is somebody's stays theirs.
    ///
    /// - Returns: whose it is now, or nil where there is no such session.
    package func adopt(_ session: String, by user: String) async throws -> Owner? {
        try await database.write { connection in
            try connection.execute(
                "UPDATE sessions SET owner = ? WHERE id = ? AND owner IS NULL", [.text(user), .text(session)])
            return try connection.first("SELECT owner FROM sessions WHERE id = ?", [.text(session)]).map { row in
                try row.optionalText("owner").map { .user(id: $0) } ?? .nobody
            }
        }
    }
}
