package import Foundation

/// What the career monitor wrote or read last, by file: another sum means that somebody else has written since. What was
/// read of a file stands under a name of its own.
package struct MonitorFileRepository: Sendable {
    private let database: any SQLDatabase
    private let clock: @Sendable () -> Date

    package init(_ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() }) {
        self.database = database
        self.clock = clock
    }

    /// The sum and size that were noted, or nil.
    package func state(of name: String) async throws -> (sha256: String, bytes: Int64)? {
        try await database.read { connection in
            try connection.first("SELECT sha256, bytes FROM monitor_files WHERE name = ?", [.text(name)])
                .map { (try $0.text("sha256"), try $0.integer("bytes")) }
        }
    }

    /// The revision of the students that a file was written of, or nil.
    package func revision(of name: String) async throws -> Int64? {
        try await database.read { connection in
            let row = try connection.first(
                "SELECT revision FROM monitor_files WHERE name = ? AND revision IS NOT NULL", [.text(name)])
            return try row?.integer("revision")
        }
    }

    /// Notes the sum and size of a file, in place of what was noted.
    ///
    /// - Parameter revision: of the students (`StudentRepository.revision`), where the file was written of them.
    package func set(_ name: String, sha256: String, bytes: Int64, revision: Int64? = nil) async throws {
        let now = SQLValue.time(clock())
        try await database.write { connection in
            try connection.execute(
                """
                INSERT INTO monitor_files (name, sha256, bytes, revision, updated_at) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, bytes = excluded.bytes,
                    revision = excluded.revision, updated_at = excluded.updated_at
                """, [.text(name), .text(sha256), .integer(bytes), .optionalInteger(revision), now])
        }
    }

    /// Forgets a file.
    ///
    /// - Returns: whether it was known.
    @discardableResult
    package func remove(_ name: String) async throws -> Bool {
        try await database.write { connection in
            try connection.execute("DELETE FROM monitor_files WHERE name = ?", [.text(name)]) == 1
        }
    }
}
