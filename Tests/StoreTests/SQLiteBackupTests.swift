import Foundation
import Store
import Synchronization
import Testing

/// Copies of a database in use: whole, checked, and nobody else's business.
struct SQLiteBackupTests {
    @Test func `a copy made among writes is the one state that it began with`() async throws {
        try await Scratch.use { folder in
            let path = folder + "/data/a.sqlite"
            let database = try await SQLiteDatabase.open(SQLiteSettings(path: path, durability: .normal))
            _ = try await SchemaMigrator().migrate(database)
            try await Ledger.make(in: database)
            let turns = Turns()
            let writer = Task {
                await turns.begun()
                while !turns.isOver {
                    try await Ledger.transfer(in: database)
                    turns.noteCommit()
                }
            }
            let manifest = try await SQLiteBackup.make(
                of: path, to: folder + "/copy", program: "test", pagesPerStep: 1
            ) { done, _ in
                turns.begin()
                // Others commit between the first steps, whatever the threads are doing.
                if done < 30 { turns.waitForCommit() }
            }
            turns.end()
            try await writer.value
            let live = try await Ledger.read(from: database)
            #expect(live.sum == Ledger.accounts * 100 && live.transfers >= 20, "nothing was written meanwhile")
            try await database.close()
            #expect(manifest.tables.first { $0.name == "accounts" }?.rows == Ledger.accounts)

            let copy = try await SQLiteDatabase.open(SQLiteSettings(path: folder + "/copy"))
            let found = try await Ledger.read(from: copy)
            #expect(found.transfers == 0 && found.sum == Ledger.accounts * 100 && found.touched == 0)
            try await copy.close()
        }
    }

    @Test func `a copy is one file for this user alone and says what it holds`() async throws {
        try await Backups.use { backups in
            try await backups.write("one")
            let time = try #require(SQLTime.date(of: "2026-02-26T09:30:00.125Z"))
            let manifest = try await SQLiteBackup.make(
                of: backups.database, to: backups.file, program: "pathlight 1.2.3", clock: { time })
            #expect(manifest.program == "pathlight 1.2.3" && manifest.createdAt == "2026-02-26T09:30:00.125Z")
            #expect(manifest.schemaVersion == Migration.all.count)
            #expect(manifest.tables.first { $0.name == "sessions" }?.rows == 1)
            #expect(Scratch.mode(backups.file) == 0o600)
            #expect(try backups.names(beside: backups.file) == ["copy"])
            let check = try await SQLiteBackup.check(backups.file)
            #expect(check.manifest == manifest && check.rows == manifest.rows)
            #expect(try backups.names(beside: backups.file) == ["copy"])
        }
    }

    @Test func `a file that exists stays unless it is to be replaced`() async throws {
        try await Backups.use { backups in
            try await backups.write("one")
            try Data("mine".utf8).write(to: URL(fileURLWithPath: backups.file))
            let error = await expectError(.conflict) { try await backups.make() }
            #expect(error?.location == backups.file && error?.mend?.contains("--force") == true)
            #expect(try Data(contentsOf: URL(fileURLWithPath: backups.file)) == Data("mine".utf8))
            try await backups.make(replacing: true)
            #expect(try await SQLiteBackup.check(backups.file).manifest != nil)
        }
    }

    @Test func `the database is never its own backup`() async throws {
        try await Backups.use { backups in
            try await backups.write("one")
            try FileManager.default.linkItem(atPath: backups.database, toPath: backups.file)
            for target in [backups.database, backups.file] {
                await expectError(.conflict) {
                    _ = try await SQLiteBackup.make(
                        of: backups.database, to: target, replacing: true, program: "test")
                }
            }
            #expect(try await backups.answers() == ["one"])
        }
    }

    @Test func `folders and links are no place for a copy`() async throws {
        try await Backups.use { backups in
            try await backups.write("one")
            try FileManager.default.createSymbolicLink(atPath: backups.file, withDestinationPath: "elsewhere")
            await expectError(.conflict) { try await backups.make(replacing: true) }
            await expectError(.conflict) {
                _ = try await SQLiteBackup.make(
                    of: backups.database, to: backups.folder, replacing: true, program: "test")
            }
            await expectError(.cannotOpen) {
                _ = try await SQLiteBackup.make(of: backups.database, to: "/proc/none/copy", program: "test")
            }
        }
    }

    @Test func `what a killed attempt left behind is used again`() async throws {
        try await Backups.use { backups in
            try await backups.write("one")
            for suffix in ["", "-journal", "-wal"] {
                let junk = Data(repeating: 7, count: 9_000)
                try junk.write(to: URL(fileURLWithPath: backups.file + ".partial" + suffix))
            }
            try await backups.make()
            #expect(try await SQLiteBackup.check(backups.file).manifest?.rows ?? 0 > 0)
            #expect(try backups.names(beside: backups.file) == ["copy"])
        }
    }

    @Test func `a database that is not there is told, not made`() async throws {
        try await Scratch.use { folder in
            await expectError(.cannotOpen) {
                _ = try await SQLiteBackup.make(of: folder + "/none.db", to: folder + "/copy", program: "test")
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(left.isEmpty)
        }
    }

    @Test func `a damaged database gives no backup`() async throws {
        try await Backups.use { backups in
            try await backups.write("one")
            try await backups.orphan()
            let error = await expectError(.damaged) { try await backups.make() }
            #expect(error?.location == backups.database && error?.description.contains("career_events") == true)
            let left = try backups.names(beside: backups.file)
            #expect(left.isEmpty)
        }
    }
}

/// Lets a copy and a writer take turns.
private final class Turns: Sendable {
    private let started = DispatchSemaphore(value: 0)
    private let commits = DispatchSemaphore(value: 0)
    private let isBegun = Atomic(false)
    private let ended = Atomic(false)

    var isOver: Bool { ended.load(ordering: .acquiring) }

    func begin() {
        guard !isBegun.exchange(true, ordering: .acquiringAndReleasing) else { return }
        started.signal()
    }

    func begun() async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                self.started.wait()
                continuation.resume()
            }
        }
    }

    func noteCommit() { commits.signal() }

    /// Returns once a commit has happened since it was called.
    func waitForCommit() {
        while commits.wait(timeout: .now()) == .success {}
        #expect(commits.wait(timeout: .now() + 60) == .success, "no commit in a minute")
    }

    func end() { ended.store(true, ordering: .releasing) }
}

/// Money that only moves: a copy of half a transfer has more or less of it.
private enum Ledger {
    static let accounts = 400

    static func make(in database: any SQLDatabase) async throws {
        try await database.write { connection in
            try connection.execute("CREATE TABLE accounts (id INTEGER PRIMARY KEY, amount INTEGER, filler TEXT) STRICT")
            try connection.execute("CREATE TABLE transfers (count INTEGER) STRICT")
            try connection.execute("INSERT INTO transfers (count) VALUES (0)")
            let filler = String(repeating: "x", count: 500)
            try connection.executeMany(
                "INSERT INTO accounts (id, amount, filler) VALUES (?, 100, ?)",
                (0..<accounts).map { [.int($0), .text(filler)] })
        }
    }

    /// From a page at the beginning to one at the end, and a note of it on a third.
    static func transfer(in database: any SQLDatabase) async throws {
        try await database.write { connection in
            try connection.execute("UPDATE transfers SET count = count + 1")
            try connection.execute(
                "UPDATE accounts SET amount = amount - 1 WHERE id = (SELECT count % 100 FROM transfers)")
            try connection.execute(
                "UPDATE accounts SET amount = amount + 1 WHERE id = 399 - (SELECT count % 100 FROM transfers)")
        }
    }

    static func read(from database: any SQLDatabase) async throws -> (sum: Int, transfers: Int, touched: Int) {
        try await database.read { connection in
            let accounts = try connection.first(
                "SELECT SUM(amount) AS sum, SUM(amount <> 100) AS touched FROM accounts")
            let transfers = try connection.first("SELECT count FROM transfers")
            return (
                try accounts?.int("sum") ?? -1, try transfers?.int("count") ?? -1, try accounts?.int("touched") ?? -1
            )
        }
    }
}
