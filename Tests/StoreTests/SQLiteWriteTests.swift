import Dispatch
import Foundation
import Store
import Testing

/// How writes are joined into transactions, and what becomes of them when one cannot be committed.
struct SQLiteWriteTests {
    @Test func `writes that wait share a transaction`() async throws {
        try await Self.withTable { database in
            let before = database.writeStatistics
            let hasBegun = DispatchSemaphore(value: 0)
            let mayGoOn = DispatchSemaphore(value: 0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await database.write { connection in
                        hasBegun.signal()
                        mayGoOn.wait()
                        try connection.execute("INSERT INTO t (id) VALUES (0)")
                    }
                }
                group.addTask { try await Self.wait(for: hasBegun) }
                try await group.next()
                for id in 1..<40 as Range<Int64> { group.addTask { try await database.insert(id) } }
                while database.waitingWrites < 39 { await Task.yield() }
                mayGoOn.signal()
                try await group.waitForAll()
            }
            let after = database.writeStatistics
            #expect(after.writes - before.writes == 40)
            #expect(after.commits - before.commits == 1)
            #expect(after.largestGroup == 40)
            #expect(after.rejected == 0 && after.failed == 0)
            #expect(try await database.ids() == Array(0..<40))
        }
    }

    @Test func `nobody hears of a write before it is committed`() async throws {
        try await Self.withTable { database in
            let hasBegun = DispatchSemaphore(value: 0)
            let mayGoOn = DispatchSemaphore(value: 0)
            let told = Flag()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await database.write { _ in
                        hasBegun.signal()
                        mayGoOn.wait()
                    }
                }
                try await Self.wait(for: hasBegun)
                group.addTask {
                    try await database.insert(1)
                    told.raise()
                    #expect(try await database.ids() == [1])
                }
                while database.waitingWrites < 1 { await Task.yield() }
                // Runs after the insertion, in the same transaction.
                group.addTask {
                    try await database.write { connection in
                        let rows = try connection.query("SELECT id FROM t").count
                        #expect(rows == 1)
                        #expect(!told.isRaised)
                    }
                }
                while database.waitingWrites < 2 { await Task.yield() }
                mayGoOn.signal()
                try await group.waitForAll()
            }
            #expect(told.isRaised)
        }
    }

    @Test func `a full disk fails what was in the transaction, keeps what was confirmed, and passes`() async throws {
        try await Self.withTable { database in
            for id in 0..<20 as Range<Int64> { try await database.insert(id, value: "kept") }
            let pages = try await database.write { connection in
                let pages = try connection.first("PRAGMA page_count")?.integer("page_count") ?? 0
                _ = try connection.query("PRAGMA max_page_count = \(pages + 4)")
                return pages
            }
            let large = String(repeating: "x", count: 3000)
            let outcomes = try await withThrowingTaskGroup(of: (Int64, Bool).self) { group in
                for id in 100..<140 as Range<Int64> {
                    group.addTask {
                        do {
                            try await database.insert(id, value: large)
                            return (id, true)
                        } catch let error as StoreError {
                            #expect([.diskFull, .transactionAborted].contains(error.code), "\(error)")
                            return (id, false)
                        }
                    }
                }
                return try await group.reduce(into: [Int64: Bool]()) { $0[$1.0] = $1.1 }
            }
            #expect(outcomes.values.contains(false))
            let confirmed = outcomes.filter(\.value).keys.sorted()
            #expect(try await database.ids() == Array(0..<20) + confirmed)
            #expect(try await database.check().isEmpty)
            try await database.write { _ = try $0.query("PRAGMA max_page_count = \(pages + 1000)") }
            try await database.insert(200, value: large)
            #expect(try await database.ids().last == 200)
        }
    }

    @Test func `who waits too long for another process gets a typed error`() async throws {
        try await Scratch.use { folder in
            let path = folder + "/a.sqlite"
            let holder = try await SQLiteDatabase.open(SQLiteSettings(path: path))
            try await holder.write { _ = try $0.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, value TEXT)") }
            let other = try await SQLiteDatabase.open(SQLiteSettings(path: path, busyTimeout: .milliseconds(20)))
            let hasBegun = DispatchSemaphore(value: 0)
            let mayGoOn = DispatchSemaphore(value: 0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await holder.write { connection in
                        try connection.execute("INSERT INTO t (id) VALUES (1)")
                        hasBegun.signal()
                        mayGoOn.wait()
                    }
                }
                try await Self.wait(for: hasBegun)
                let error = await expectError(.busy) { try await other.insert(2) }
                #expect(error?.isTransient == true)
                #expect(error?.location == path)
                // Reading goes on meanwhile, in the state before.
                #expect(try await other.ids().isEmpty)
                mayGoOn.signal()
                try await group.waitForAll()
            }
            try await other.insert(2)
            #expect(try await holder.ids() == [1, 2])
            try await holder.close()
            try await other.close()
        }
    }

    @Test func `more than may wait are refused at once`() async throws {
        try await Scratch.use { folder in
            let database = try await SQLiteDatabase.open(
                SQLiteSettings(path: folder + "/a.sqlite", maximumGroup: 2, maximumWaiting: 3))
            try await database.write { _ = try $0.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, value TEXT)") }
            let hasBegun = DispatchSemaphore(value: 0)
            let mayGoOn = DispatchSemaphore(value: 0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await database.write { _ in
                        hasBegun.signal()
                        mayGoOn.wait()
                    }
                }
                try await Self.wait(for: hasBegun)
                for id in 1...3 as ClosedRange<Int64> { group.addTask { try await database.insert(id) } }
                while database.waitingWrites < 3 { await Task.yield() }
                await expectError(.overloaded) { try await database.insert(4) }
                mayGoOn.signal()
                try await group.waitForAll()
            }
            #expect(try await database.ids() == [1, 2, 3])
            #expect(database.writeStatistics.largestGroup <= 2)
            try await database.close()
        }
    }

    @Test func `a body that ends the transaction itself fails, and only its group with it`() async throws {
        try await Self.withTable { database in
            await #expect(throws: StoreError.self) {
                try await database.write { connection in
                    try connection.execute("INSERT INTO t (id) VALUES (1)")
                    try connection.execute("ROLLBACK")
                }
            }
            try await database.insert(2)
            #expect(try await database.ids() == [2])
        }
    }

    @Test func `the log is copied beside those who write without a pause, and does not grow for ever`() async throws {
        try await Self.withTable { database in
            let text = String(repeating: "x", count: 20_000)
            try await database.write { try $0.execute("CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT)") }
            var longest = 0
            // 240 MB in all, in commits that follow each other: the log could not begin anew by itself.
            for _ in 0..<60 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<200 {
                        group.addTask {
                            try await database.write {
                                _ = try $0.execute("INSERT INTO texts (text) VALUES (?)", [.text(text)])
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                let log = try FileManager.default.attributesOfItem(atPath: database.location + "-wal")
                longest = max(longest, (log[.size] as? NSNumber)?.intValue ?? 0)
            }
            #expect(longest > 0 && longest < 120_000_000, "\(longest)")
            let count = try await database.read { try $0.first("SELECT COUNT(*) AS n FROM texts")?.int("n") }
            #expect(count == 12_000)
            #expect(try await database.check().isEmpty)
        }
    }

    @Test func `a write that finds no room is told until one is stored`() async throws {
        try await Self.withTable { database in
            try await database.insert(1)
            #expect(database.writeFailure == nil)
            // As on a full disk: the connection that writes takes no page more than there are.
            _ = try await database.write { try $0.query("PRAGMA max_page_count = 1").count }
            await expectError(.diskFull) {
                try await database.insert(2, value: String(repeating: "x", count: 100_000))
            }
            #expect(database.writeFailure == .diskFull)
            // Neither what has nothing to store nor what the data's rules refuse says anything of the disk.
            try await database.write { _ = try $0.execute("DELETE FROM t WHERE id = 3") }
            await expectError(.uniqueViolation) { try await database.insert(1) }
            #expect(database.writeFailure == .diskFull)
            try await database.insert(4)
            #expect(database.writeFailure == nil)
        }
    }

    @Test func `a broken file is told until it is opened anew, whatever is stored in the rest of it`() async throws {
        try await Scratch.use { folder in
            let path = folder + "/a.sqlite"
            let whole = try await SQLiteDatabase.open(SQLiteSettings(path: path))
            let page = try await whole.write { connection in
                for table in ["t", "sound"] {
                    try connection.execute("CREATE TABLE \(table) (id INTEGER PRIMARY KEY, value TEXT)")
                }
                return try connection.first("SELECT rootpage FROM sqlite_schema WHERE name = 't'")?.int("rootpage")
            }
            try await whole.close()
            let broken = try #require(page)
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            for offset in (broken - 1) * 4096..<broken * 4096 { bytes[offset] = 0xFF }
            try bytes.write(to: URL(fileURLWithPath: path))

            let database = try await SQLiteDatabase.open(SQLiteSettings(path: path))
            #expect(database.writeFailure == nil)
            await expectError(.damaged) { try await database.insert(1) }
            #expect(database.writeFailure == .damaged)
            try await database.write { _ = try $0.execute("INSERT INTO sound (id) VALUES (1)") }
            #expect(database.writeFailure == .damaged)
            try await database.close()
        }
    }

    private static func withTable(_ body: (SQLiteDatabase) async throws -> Void) async throws {
        let database = try await SQLiteDatabase.temporary()
        try await database.write { _ = try $0.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, value TEXT)") }
        try await body(database)
        try await database.close()
    }

    /// Waits away from the cooperative pool.
    private static func wait(for semaphore: DispatchSemaphore) async throws {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                semaphore.wait()
                continuation.resume()
            }
        }
    }
}

/// Raised once, from anywhere.
private final class Flag: Sendable {
    private let state = Guarded(false)
    var isRaised: Bool { state.withLock { $0 } }
    func raise() { state.withLock { $0 = true } }
}
