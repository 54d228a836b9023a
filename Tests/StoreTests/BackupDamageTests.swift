import Foundation
import Store
import TestSupport
import Testing

/// Whatever happens to a backup between its making and its use: it passes only with the contents that it had.
struct BackupDamageTests {
    @Test func `no flipped bit passes with other contents`() async throws {
        try await Backups.use { backups in
            try await Self.fill(backups)
            let good = try await Self.contents(of: backups.file, in: backups)
            let whole = try Data(contentsOf: URL(fileURLWithPath: backups.file))
            let seed = UInt64.random(in: 0...UInt64.max)
            var generator = SeededGenerator(seed: seed)
            var refused = 0
            for trial in 0..<150 {
                var bytes = whole
                let position = Int.random(in: 0..<whole.count, using: &generator)
                bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                let broken = backups.folder + "/backups/broken-\(trial)"
                try bytes.write(to: URL(fileURLWithPath: broken))
                do {
                    _ = try await SQLiteBackup.check(broken)
                } catch let error as StoreError {
                    refused += 1
                    #expect(error.location == broken, "\(error), seed \(seed)")
                    continue
                }
                // One that passes and cannot be opened for writing gives no other contents either.
                if let found = try? await Self.contents(of: broken, in: backups) {
                    #expect(found == good, "byte \(position) of \(whole.count) passed, seed \(seed)")
                }
            }
            #expect(refused > 50, "seed \(seed)")
        }
    }

    @Test func `a backup cut short is refused by name and changes nothing`() async throws {
        try await Backups.use { backups in
            try await Self.fill(backups)
            try await backups.write("after")
            let before = try await backups.answers()
            let names = try backups.names(beside: backups.database)
            let whole = try Data(contentsOf: URL(fileURLWithPath: backups.file))
            for size in [0, 10, 100, 512, 4096, 5000, whole.count / 2, whole.count - 4096, whole.count - 1] {
                let cut = backups.folder + "/backups/cut-\(size)"
                try whole.prefix(size).write(to: URL(fileURLWithPath: cut))
                do {
                    try await backups.restore(cut)
                    Issue.record("\(size) of \(whole.count) bytes passed for a backup")
                } catch let error as StoreError {
                    #expect(error.location == cut, "\(size): \(error)")
                    #expect(error.mend != nil)
                }
            }
            #expect(try await backups.answers() == before)
            #expect(try backups.names(beside: backups.database) == names)
        }
    }

    @Test func `a row that was changed by hand is found`() async throws {
        try await Backups.use { backups in
            try await Self.fill(backups)
            let path = backups.folder + "/data/other.db"
            try FileManager.default.copyItem(atPath: backups.file, toPath: path)
            let opened = try await SQLiteDatabase.open(SQLiteSettings(path: path))
            try await opened.write { connection in
                try connection.execute("UPDATE sessions SET answers = 'zero' WHERE answers = 'answers 0'")
            }
            try await opened.close()
            let error = await expectError(.damaged) { _ = try await SQLiteBackup.check(path) }
            #expect(error?.message.contains("sessions") == true)
        }
    }

    private static func fill(_ backups: Backups) async throws {
        try await backups.open { database in
            let sessions = SessionRepository(database)
            for number in 0..<60 {
                _ = try await sessions.create(
                    kind: "quiz", answers: "answers \(number)", request: String(repeating: "é\(number)", count: 1_500))
            }
        }
        try await backups.make()
    }

    /// Every value of every table but the manifest, read by the driver and not by what is tested.
    private static func contents(of file: String, in backups: Backups) async throws -> [String: [[SQLValue]]] {
        let copy = backups.folder + "/data/dump-\(UUID().uuidString)"
        try FileManager.default.copyItem(atPath: file, toPath: copy)
        defer { try? FileManager.default.removeItem(atPath: copy) }
        let opened = try await SQLiteDatabase.open(SQLiteSettings(path: copy))
        let found = try await opened.read { connection in
            let names = try connection.query("SELECT name FROM sqlite_schema WHERE type = 'table'")
                .map { try $0.text("name") }.filter { $0 != "backup_manifest" }
            return try Dictionary(
                uniqueKeysWithValues: names.map { name in
                    (name, try connection.query("SELECT * FROM \"\(name)\"").map(\.values))
                })
        }
        try await opened.close()
        return found
    }
}
