package import Foundation

/// What was measured over a space and is needed to score in it: λ, the reference distribution.
package struct GenerationFactRepository: Sendable {
    private let database: any SQLDatabase
    private let clock: @Sendable () -> Date

    package init(_ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() }) {
        self.database = database
        self.clock = clock
    }

    /// Stores a fact as a JSON document, in place of the one of that name.
    ///
    /// - Throws: `StoreError` of code `foreignKeyViolation` where the space is not registered.
    package func set(_ name: String, of space: String, to document: String) async throws {
        let now = clock()
        try await database.write { connection in
            try connection.execute(
                """
                INSERT INTO generation_facts (space_id, name, document, created_at) VALUES (?, ?, ?, ?)
                ON CONFLICT (space_id, name) DO UPDATE SET document = excluded.document,
                    created_at = excluded.created_at
                """,
                [.text(space), .text(name), .text(document), .time(now)])
        }
    }

    /// The JSON document of a fact, or nil.
    package func fact(_ name: String, of space: String) async throws -> String? {
        try await database.read { connection in
            try connection.first(
                "SELECT document FROM generation_facts WHERE space_id = ? AND name = ?", [.text(space), .text(name)])?
                .text("document")
        }
    }

    /// Every fact of a space by its name.
    package func facts(of space: String) async throws -> [String: String] {
        try await database.read { connection in
            let rows = try connection.query(
                "SELECT name, document FROM generation_facts WHERE space_id = ?", [.text(space)])
            return Dictionary(
                try rows.map { (try $0.text("name"), try $0.text("document")) }, uniquingKeysWith: { _, last in last })
        }
    }
}
