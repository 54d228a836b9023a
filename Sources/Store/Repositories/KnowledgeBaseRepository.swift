package import Foundation

/// A knowledge base as the store knows it, without its bytes.
package struct KnowledgeBaseRecord: Sendable, Equatable {
    /// SHA-256 of its bytes.
    package let id: String
    /// The space that the titles' vectors are of.
    package let textSpaceID: String
    /// Of the titles and their occupations.
    package let titlesHash: String
    /// JSON: how titles vote.
    package let rule: String
    package let titles: Int
    package let occupations: Int

    package init(
        id: String, textSpaceID: String, titlesHash: String, rule: String, titles: Int, occupations: Int
    ) {
        self.id = id
        self.textSpaceID = textSpaceID
        self.titlesHash = titlesHash
        self.rule = rule
        self.titles = titles
        self.occupations = occupations
    }
}

/// The knowledge bases that texts are grounded by. One is never changed: another is another id.
package struct KnowledgeBaseRepository: Sendable {
    private let database: any SQLDatabase
    private let clock: @Sendable () -> Date

    private static let columns = "id, text_space_id, titles_hash, rule, titles, occupations"

    package init(_ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() }) {
        self.database = database
        self.clock = clock
    }

    /// Stores one with its bytes, in one transaction; in place of what is there, whose bytes may be damaged.
    package func put(_ record: KnowledgeBaseRecord, blocks: [[UInt8]]) async throws {
        let now = clock()
        try await database.write { connection in
            try connection.execute("DELETE FROM knowledge_bases WHERE id = ?", [.text(record.id)])
            try connection.execute(
                """
                INSERT INTO knowledge_bases (\(Self.columns), created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    .text(record.id), .text(record.textSpaceID), .text(record.titlesHash), .text(record.rule),
                    .int(record.titles), .int(record.occupations), .time(now),
                ])
            for (number, bytes) in blocks.enumerated() {
                try connection.execute(
                    "INSERT INTO knowledge_base_blocks (knowledge_base_id, number, bytes) VALUES (?, ?, ?)",
                    [.text(record.id), .int(number), .blob(bytes)])
            }
        }
    }

    /// The one of that id, or nil.
    package func find(_ id: String) async throws -> KnowledgeBaseRecord? {
        try await first("id = ?", [.text(id)])
    }

    /// The latest that was made of these titles in this way, or nil.
    package func find(textSpace: String, titlesHash: String, rule: String) async throws -> KnowledgeBaseRecord? {
        try await first(
            "text_space_id = ? AND titles_hash = ? AND rule = ?", [.text(textSpace), .text(titlesHash), .text(rule)])
    }

    /// The latest of a text space, whatever titles it was made of, or nil: most of its vectors may be wanted again.
    package func latest(textSpace: String) async throws -> KnowledgeBaseRecord? {
        try await first("text_space_id = ?", [.text(textSpace)])
    }

    /// The bytes of one, in the order of its blocks; empty where there are none.
    package func blocks(of id: String) async throws -> [[UInt8]] {
        try await database.read { connection in
            try connection.query(
                "SELECT bytes FROM knowledge_base_blocks WHERE knowledge_base_id = ? ORDER BY number", [.text(id)]
            ).map { try $0.blob("bytes") }
        }
    }

    /// Removes one with its bytes.
    ///
    /// - Returns: whether it was there.
    @discardableResult
    package func remove(_ id: String) async throws -> Bool {
        try await database.write { connection in
            try connection.execute("DELETE FROM knowledge_bases WHERE id = ?", [.text(id)]) == 1
        }
    }

    /// Removes all of a text space but those of these ids.
    ///
    /// - Returns: how many were removed.
    @discardableResult
    package func remove(textSpace: String, keeping ids: Set<String>) async throws -> Int {
        try await database.write { connection in
            let all = try connection.query(
                "SELECT id FROM knowledge_bases WHERE text_space_id = ?", [.text(textSpace)]
            ).map { try $0.text("id") }
            var removed = 0
            for id in all where !ids.contains(id) {
                removed += try connection.execute("DELETE FROM knowledge_bases WHERE id = ?", [.text(id)])
            }
            return removed
        }
    }

    private func first(_ condition: String, _ values: [SQLValue]) async throws -> KnowledgeBaseRecord? {
        try await database.read { connection in
            try connection.first(
                """
                SELECT \(Self.columns) FROM knowledge_bases WHERE \(condition) ORDER BY created_at DESC, id LIMIT 1
                """, values
            ).map { row in
                KnowledgeBaseRecord(
                    id: try row.text("id"), textSpaceID: try row.text("text_space_id"),
                    titlesHash: try row.text("titles_hash"), rule: try row.text("rule"),
                    titles: try row.int("titles"), occupations: try row.int("occupations"))
            }
        }
    }
}
