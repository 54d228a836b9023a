package import Foundation

/// A career that somebody put aside.
package struct SavedCareer: Sendable, Equatable {
    package let careerID: String
    package let savedAt: Date

    package init(careerID: String, savedAt: Date) {
        self.careerID = careerID
        self.savedAt = savedAt
    }
}

/// What people do with careers: save them, look at them.
package struct CareerEventRepository: Sendable {
    private let database: any SQLDatabase
    private let clock: @Sendable () -> Date

    package init(_ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() }) {
        self.database = database
        self.clock = clock
    }

    /// Saves a career in a session; saving it again changes nothing.
    ///
    /// - Returns: whether it was new.
    /// - Throws: `StoreError` of code `foreignKeyViolation` where there is no such session.
    package func save(career: String, in session: String) async throws -> Bool {
        let now = clock()
        return try await database.write { connection in
            try connection.execute(
                """
                INSERT INTO saved_careers (session_id, career_id, created_at) VALUES (?, ?, ?)
                ON CONFLICT (session_id, career_id) DO NOTHING
                """,
                [.text(session), .text(career), .time(now)]) == 1
        }
    }

    /// Takes a saved career back.
    ///
    /// - Returns: whether it was saved.
    package func unsave(career: String, in session: String) async throws -> Bool {
        try await database.write { connection in
            try connection.execute(
                "DELETE FROM saved_careers WHERE session_id = ? AND career_id = ?", [.text(session), .text(career)])
                == 1
        }
    }

    /// The careers saved in a session, oldest first.
    package func saved(in session: String) async throws -> [SavedCareer] {
        try await database.read { connection in
            try connection.query(
                """
                SELECT career_id, created_at FROM saved_careers WHERE session_id = ? ORDER BY created_at, career_id
                """, [.text(session)]
            ).map { SavedCareer(careerID: try $0.text("career_id"), savedAt: try $0.time("created_at")) }
        }
    }

    /// The careers looked at in a session, each once, in the order of their first view.
    package func viewed(in session: String) async throws -> [String] {
        try await database.read { connection in
            try connection.query(
                """
                SELECT career_id, MIN(id) AS first_view FROM career_views WHERE session_id = ?
                GROUP BY career_id ORDER BY first_view
                """, [.text(session)]
            ).map { try $0.text("career_id") }
        }
    }

    /// Records that a career was looked at, in a session or outside of any.
    ///
    /// - Throws: `StoreError` of code `foreignKeyViolation` where there is no such session.
    package func recordView(of career: String, in session: String?) async throws {
        let now = clock()
        try await database.write { connection in
            try connection.execute(
                "INSERT INTO career_views (session_id, career_id, created_at) VALUES (?, ?, ?)",
                [.optionalText(session), .text(career), .time(now)])
        }
    }

    /// How often each career was looked at; careers never looked at are missing.
    package func viewCounts() async throws -> [String: Int] {
        try await counts("SELECT career_id, COUNT(*) AS total FROM career_views GROUP BY career_id")
    }

    /// In how many sessions each career is saved; careers never saved are missing.
    package func saveCounts() async throws -> [String: Int] {
        try await counts("SELECT career_id, COUNT(*) AS total FROM saved_careers GROUP BY career_id")
    }

    private func counts(_ sql: String) async throws -> [String: Int] {
        try await database.read { connection in
            var counts: [String: Int] = [:]
            try connection.forEachRow(sql, []) { counts[try $0.text("career_id")] = try $0.int("total") }
            return counts
        }
    }
}
