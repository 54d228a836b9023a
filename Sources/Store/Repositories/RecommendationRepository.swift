package import Foundation

/// What a recommendation showed, for what people do with it later to be understood.
package struct RecommendationRecord: Sendable, Equatable {
    /// Unguessable, as a session's.
    package let id: String
    /// Of the index it came from.
    package let generation: UInt64
    /// The careers shown, best first.
    package let careerIDs: [String]
    /// What ranked them, as JSON: alpha, the ability profile, …
    package let query: String?

    package init(id: String, generation: UInt64, careerIDs: [String], query: String? = nil) {
        self.id = id
        self.generation = generation
        self.careerIDs = careerIDs
        self.query = query
    }
}

/// A recommendation as it is stored.
package struct StoredRecommendation: Sendable, Equatable {
    package let record: RecommendationRecord
    package let sessionID: String
    /// What was asked, as JSON.
    package let request: String?
    package let createdAt: Date

    init(_ row: SQLRow) throws {
        record = RecommendationRecord(
            id: try row.text("id"), generation: UInt64(bitPattern: try row.integer("generation")),
            careerIDs: try StringList.strings(of: try row.text("career_ids")), query: try row.optionalText("query"))
        sessionID = try row.text("session_id")
        request = try row.optionalText("request")
        createdAt = try row.time("created_at")
    }
}

/// The recommendations that were given; `SessionRepository` stores each with its session.
package struct RecommendationRepository: Sendable {
    private let database: any SQLDatabase

    package init(_ database: any SQLDatabase) { self.database = database }

    /// A recommendation, or nil.
    ///
    /// - Throws: `StoreError` of code `unexpectedValue` where it is damaged.
    package func recommendation(id: String) async throws -> StoredRecommendation? {
        try await database.read { connection in
            try connection.first(
                """
                SELECT id, session_id, generation, career_ids, request, query, created_at FROM recommendations
                WHERE id = ?
                """, [.text(id)]
            ).map(StoredRecommendation.init)
        }
    }

    /// How many recommendations there are.
    package func count() async throws -> Int {
        try await database.read { connection in
            try connection.first("SELECT COUNT(*) AS count FROM recommendations")?.int("count") ?? 0
        }
    }

    /// The session of a recommendation, or nil where there is no such one.
    static func session(of id: String, in connection: any SQLConnection) throws -> String? {
        try connection.first("SELECT session_id FROM recommendations WHERE id = ?", [.text(id)])?.text("session_id")
    }

    /// Adds a recommendation within the transaction that stores its session.
    ///
    /// - Throws: `StoreError` of code `uniqueViolation` for an id that is taken.
    static func insert(
        _ record: RecommendationRecord, session: String, request: String?, now: SQLValue,
        into connection: any SQLConnection
    ) throws {
        try connection.execute(
            """
            INSERT INTO recommendations (id, session_id, generation, career_ids, request, query, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .text(record.id), .text(session), .integer(Int64(bitPattern: record.generation)),
                .text(StringList.text(of: record.careerIDs)), .optionalText(request),
                .optionalText(record.query), now,
            ])
    }
}
