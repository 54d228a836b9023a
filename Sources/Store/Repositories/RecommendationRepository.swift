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

    init(_ row: SQLRow, cipher: any ColumnCipher) throws {
        record = RecommendationRecord(
            id: try row.text("id"), generation: UInt64(bitPattern: try row.integer("generation")),
            careerIDs: try StringList.strings(of: try row.text("career_ids")),
            query: try cipher.open(try row.optionalText("query"), column: "recommendations.query"))
        sessionID = try row.text("session_id")
        request = try cipher.open(try row.optionalText("request"), column: "recommendations.request")
        createdAt = try row.time("created_at")
    }
}

/// The recommendations that were given; `SessionRepository` stores each with its session.
package struct RecommendationRepository: Sendable {
    /// A recommendation with what people said sealed, ready to be stored.
    struct Sealed: Sendable {
        let record: RecommendationRecord
        fileprivate let request: String?
        fileprivate let query: String?

        init(_ record: RecommendationRecord, request: String?, cipher: any ColumnCipher) throws {
            self.record = record
            self.request = try cipher.seal(request, column: "recommendations.request")
            query = try cipher.seal(record.query, column: "recommendations.query")
        }
    }

    private let database: any SQLDatabase
    private let cipher: any ColumnCipher

    package init(_ database: any SQLDatabase, cipher: any ColumnCipher = PlainColumns()) {
        self.database = database
        self.cipher = cipher
    }

    /// A recommendation, or nil.
    ///
    /// - Throws: `StoreError` of code `unexpectedValue` where it is damaged, `ColumnCipherError` where it cannot be
    ///   opened.
    package func recommendation(id: String) async throws -> StoredRecommendation? {
        let row = try await database.read { connection in
            try connection.first(
                """
                SELECT id, session_id, generation, career_ids, request, query, created_at FROM recommendations
                WHERE id = ?
                """, [.text(id)])
        }
        return try row.map { try StoredRecommendation($0, cipher: cipher) }
    }

    /// Whether a session has such a recommendation, without opening it.
    package func contains(id: String, in session: String) async throws -> Bool {
        try await database.read { try Self.session(of: id, in: $0) == session }
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
        _ sealed: Sealed, session: String, now: SQLValue, into connection: any SQLConnection
    ) throws {
        let record = sealed.record
        try connection.execute(
            """
            INSERT INTO recommendations (id, session_id, generation, career_ids, request, query, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .text(record.id), .text(session), .integer(Int64(bitPattern: record.generation)),
                .text(StringList.text(of: record.careerIDs)), .optionalText(sealed.request),
                .optionalText(sealed.query), now,
            ])
    }
}
