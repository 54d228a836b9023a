import Foundation
import Store
import Testing

/// A database with the whole schema, closed between uses, and a place for its backup.
struct Backups: Sendable {
    let folder: String
    var database: String { folder + "/data/pathlight.db" }
    /// Alone in a folder of its own.
    var file: String { folder + "/backups/copy" }

    static func use(_ body: (Backups) async throws -> Void) async throws {
        try await Scratch.use { folder in
            try FileManager.default.createDirectory(atPath: folder + "/backups", withIntermediateDirectories: false)
            try await body(Backups(folder: folder))
        }
    }

    @discardableResult
    func make(replacing: Bool = false) async throws -> BackupManifest {
        try await SQLiteBackup.make(of: database, to: file, replacing: replacing, program: "test")
    }

    @discardableResult
    func restore(_ file: String? = nil) async throws -> RestoreReport {
        try await SQLiteRestore.restore(file ?? self.file, over: database)
    }

    /// Adds a session with these answers.
    func write(_ answers: String) async throws {
        try await open { database in
            _ = try await SessionRepository(database).create(kind: "quiz", answers: answers)
        }
    }

    /// The answers of all sessions, in the order of their ids, which is that of time.
    func answers(in path: String? = nil) async throws -> [String] {
        try await open(path) { database in
            try await database.read { connection in
                try connection.query("SELECT answers FROM sessions ORDER BY id").map { try $0.text("answers") }
            }
        }
    }

    /// Leaves a row that refers to nothing, as only damage or a foreign program can.
    func orphan() async throws {
        try await open { database in
            let session = try await SessionRepository(database).create(kind: "quiz")
            try await CareerEventRepository(database).recordView(of: "nurse", in: session)
        }
        try runSQLite("PRAGMA foreign_keys = OFF; DELETE FROM sessions;")
    }

    /// Runs statements outside of the driver.
    func runSQLite(_ statements: String) throws {
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        shell.arguments = [
            "python3", "-c", "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])", database,
            statements,
        ]
        try shell.run()
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 0)
    }

    func names(beside file: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(
            atPath: URL(fileURLWithPath: file).deletingLastPathComponent().path
        ).sorted()
    }

    @discardableResult
    func open<T>(_ path: String? = nil, _ body: (any SQLDatabase) async throws -> T) async throws -> T {
        let opened = try await SQLiteDatabase.open(SQLiteSettings(path: path ?? database))
        do {
            _ = try await SchemaMigrator().migrate(opened)
            let result = try await body(opened)
            try await opened.close()
            return result
        } catch {
            try? await opened.close()
            throw error
        }
    }
}
