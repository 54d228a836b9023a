package import Foundation

/// A prompt that an administrator put in place of the one that the program or a folder has.
package struct PromptRecord: Sendable, Equatable {
    package let id: String
    package let text: String
    package let updatedAt: Date
    /// The user or key that put it there, where known.
    package let updatedBy: String?

    init(_ row: SQLRow) throws {
        id = try row.text("id")
        text = try row.text("text")
        updatedAt = try row.time("updated_at")
        updatedBy = try row.optionalText("updated_by")
    }
}

/// The prompts that administrators replaced.
package struct PromptRepository: Sendable {
    private let database: any SQLDatabase
    private let clock: @Sendable () -> Date

    package init(_ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() }) {
        self.database = database
        self.clock = clock
    }

    package func all() async throws -> [PromptRecord] {
        try await database.read { connection in
            try connection.query("SELECT id, text, updated_at, updated_by FROM prompts ORDER BY id")
                .map(PromptRecord.init)
        }
    }

    package func prompt(id: String) async throws -> PromptRecord? {
        try await database.read { connection in
            try connection.first("SELECT id, text, updated_at, updated_by FROM prompts WHERE id = ?", [.text(id)])
                .map(PromptRecord.init)
        }
    }

    /// Stores a text, in place of the one of that id.
    package func set(_ id: String, to text: String, by author: String?) async throws {
        let now = clock()
        try await database.write { connection in
            try connection.execute(
                """
                INSERT INTO prompts (id, text, updated_at, updated_by) VALUES (?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET text = excluded.text, updated_at = excluded.updated_at,
                    updated_by = excluded.updated_by
                """,
                [.text(id), .text(text), .time(now), .optionalText(author)])
        }
    }

    /// - Returns: whether it was there.
    @discardableResult
    package func remove(_ id: String) async throws -> Bool {
        try await database.write { connection in
            try connection.execute("DELETE FROM prompts WHERE id = ?", [.text(id)]) == 1
        }
    }
}
