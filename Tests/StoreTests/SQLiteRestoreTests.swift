import Foundation
import Store
import Testing

/// A backup in the place of a database, and what was there before.
struct SQLiteRestoreTests {
    @Test func `what was saved comes back, what was replaced is kept, the backup stays as it is`() async throws {
        try await Backups.use { backups in
            try await backups.write("one")
            try await backups.make()
            try await backups.write("two")
            let bytes = try Data(contentsOf: URL(fileURLWithPath: backups.file))
            let time = try #require(SQLTime.date(of: "2026-02-26T09:30:00.125Z"))
            let report = try await SQLiteRestore.restore(backups.file, over: backups.database, clock: { time })
            let kept = backups.database + ".before-restore-20260226T093000Z"
            #expect(report.kept == kept && report.check.manifest?.program == "test")
            #expect(try await backups.answers() == ["one"])
            #expect(try await backups.answers(in: kept) == ["one", "two"])
            #expect(try Data(contentsOf: URL(fileURLWithPath: backups.file)) == bytes)
            #expect(Scratch.mode(backups.database) == 0o600)
            try await backups.open { database in
                let tables = try await database.read { connection in
                    try connection.query("SELECT name FROM sqlite_schema").map { try $0.text("name") }
                }
                #expect(!tables.contains("backup_manifest") && tables.contains("sessions"))
            }
        }
    }

    @Test func `a restore is undone by another`() async throws {
        try await Backups.use { backups in
            try await backups.write("one")
            try await backups.make()
            try await backups.write("two")
            let kept = try #require(try await backups.restore().kept)
            let report = try await backups.restore(kept)
            #expect(report.check.manifest == nil, "a plain copy says nothing about what it should hold")
            #expect(try await backups.answers() == ["one", "two"])
        }
    }

    @Test func `a folder that does not exist is made`() async throws {
        try await Backups.use { backups in
            try await backups.write("one")
            try await backups.make()
            let path = backups.folder + "/new/data/pathlight.db"
            #expect(try await SQLiteRestore.restore(backups.file, over: path).kept == nil)
            #expect(Scratch.mode(backups.folder + "/new/data") == 0o700)
            #expect(try await backups.answers(in: path) == ["one"])
        }
    }

    @Test func `a log that a killed process left is kept with its database and not taken for the new one's`()
        async throws
    {
        try await Backups.use { backups in
            try await backups.write("one")
            try await backups.make()
            // The files as after a kill: the last write is in the log alone.
            let elsewhere = Backups(folder: backups.folder + "/killed")
            let opened = try await SQLiteDatabase.open(SQLiteSettings(path: backups.database))
            _ = try await SessionRepository(opened).create(kind: "quiz", answers: "two")
            try FileManager.default.createDirectory(
                atPath: elsewhere.folder + "/data", withIntermediateDirectories: true)
            for suffix in ["", "-wal"] {
                try FileManager.default.copyItem(
                    atPath: backups.database + suffix, toPath: elsewhere.database + suffix)
            }
            try await opened.close()
            let kept = try #require(try await elsewhere.restore(backups.file).kept)
            let names = try elsewhere.names(beside: elsewhere.database)
            #expect(names == ["pathlight.db", URL(fileURLWithPath: kept).lastPathComponent])
            #expect(try await elsewhere.answers() == ["one"])
            #expect(try await elsewhere.answers(in: kept) == ["one", "two"])
        }
    }

    @Test func `a database too damaged to open is kept byte for byte, log and all`() async throws {
        try await Backups.use { backups in
            try await backups.write("one")
            try await backups.make()
            let (junk, log) = (Data(repeating: 0x55, count: 10_000), Data(repeating: 0x66, count: 5_000))
            try junk.write(to: URL(fileURLWithPath: backups.database))
            try log.write(to: URL(fileURLWithPath: backups.database + "-wal"))
            let kept = try #require(try await backups.restore().kept)
            #expect(try Data(contentsOf: URL(fileURLWithPath: kept)) == junk)
            #expect(try Data(contentsOf: URL(fileURLWithPath: kept + "-wal")) == log)
            #expect(!FileManager.default.fileExists(atPath: backups.database + "-wal"))
            #expect(try await backups.answers() == ["one"])
        }
    }

    @Test func `a restore that was cut off is finished by the next`() async throws {
        try await Backups.use { backups in
            try await backups.write("one")
            try await backups.make()
            try await backups.write("two")
            // As after a kill between the last two steps.
            let link = backups.database + ".before-restore-20260101T000000Z"
            try FileManager.default.linkItem(atPath: backups.database, toPath: link)
            try Data(repeating: 1, count: 5_000).write(to: URL(fileURLWithPath: backups.database + ".restoring"))
            #expect(try await backups.restore().kept == link)
            #expect(
                try backups.names(beside: backups.database) == [
                    "pathlight.db", "pathlight.db.before-restore-20260101T000000Z",
                ])
            #expect(try await backups.answers() == ["one"])
            #expect(try await backups.answers(in: link) == ["one", "two"])
        }
    }

    @Test func `nothing is restored under those who use the data`() async throws {
        try await Backups.use { backups in
            try await backups.write("one")
            try await backups.make()
            try await backups.write("two")
            let user = try FolderLock.share(backups.folder + "/data")
            let error = await expectError(.busy) { try await backups.restore() }
            #expect(error?.mend?.contains("Stop the service") == true)
            user.release()
            let restore = try FolderLock.hold(backups.folder + "/data")
            #expect(throws: StoreError.self) { _ = try FolderLock.share(backups.folder + "/data") }
            await expectError(.busy) { _ = try await backups.make(replacing: true) }
            restore.release()
            #expect(try await backups.answers() == ["one", "two"])
        }
    }

    @Test func `a later program's backup is refused, an earlier one's is taken`() async throws {
        try await Backups.use { backups in
            try await backups.write("one")
            try await backups.open { database in
                try await database.write { connection in
                    try connection.execute(
                        "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (?, 'x', 'x', 'x')",
                        [.int(Migration.all.count + 1)])
                }
            }
            // An older program may still save what it cannot read.
            try await backups.make()
            let current = Backups(folder: backups.folder + "/current")
            try await current.write("kept")
            let error = await expectError(.newerSchema) { try await current.restore(backups.file) }
            #expect(error?.location == backups.file)
            #expect(try await current.answers() == ["kept"])

            let old = backups.folder + "/old/pathlight.db"
            let opened = try await SQLiteDatabase.open(SQLiteSettings(path: old))
            _ = try await SchemaMigrator(migrations: Array(Migration.all.prefix(3))).migrate(opened)
            try await opened.close()
            _ = try await SQLiteBackup.make(of: old, to: backups.folder + "/backups/old", program: "test")
            let report = try await current.restore(backups.folder + "/backups/old")
            #expect(report.check.schemaVersion == 3)
            let answers = try await current.answers()
            #expect(answers.isEmpty)
        }
    }

    @Test(arguments: ["text", "other program", "missing", "itself"])
    func `what is no backup is refused by name`(what: String) async throws {
        try await Backups.use { backups in
            try await backups.write("one")
            var file = backups.folder + "/backups/file"
            switch what {
            case "text": try Data("not a database, by any means at all".utf8).write(to: URL(fileURLWithPath: file))
            case "other program":
                try await backups.make()
                try FileManager.default.copyItem(atPath: backups.file, toPath: file)
                // The mark of the program, at byte 68 of an SQLite file.
                var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
                bytes.replaceSubrange(68..<72, with: [0, 0, 0, 0])
                try bytes.write(to: URL(fileURLWithPath: file))
            case "itself": file = backups.database
            default: break
            }
            do {
                try await backups.restore(file)
                Issue.record("\(what) was restored")
            } catch let error as StoreError {
                #expect(error.location == file && error.mend != nil, "\(error)")
            }
            #expect(try await backups.answers() == ["one"])
        }
    }
}
