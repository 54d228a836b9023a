import Foundation
import Store
import Testing

struct OwnThreadTests {
    /// A system at its limit.
    private static let none = ThreadStarter { _, _ in false }

    @Test func `work has a thread of its own, and its result and its error come back`() async throws {
        let isMain = try await OwnThread.run { Thread.isMainThread }
        #expect(!isMain)
        await expectError(.conflict) { try await OwnThread.run { throw StoreError(.conflict, "so it is") } }
    }

    @Test func `where the system gives no thread, the work does not run and its caller is told`() async throws {
        let hasRun = Guarded(false)
        let error = await expectError(.overloaded) {
            try await OwnThread.$starter.withValue(Self.none) {
                try await OwnThread.run { hasRun.withLock { $0 = true } }
            }
        }
        let ran = hasRun.withLock { $0 }
        #expect(error?.isTransient == true && !ran)
    }

    @Test func `a database is closed also where the system gives no thread`() async throws {
        try await Scratch.use { folder in
            let database = try await SQLiteDatabase.open(SQLiteSettings(path: folder + "/a.sqlite"))
            _ = try await SchemaMigrator().migrate(database)
            try await OwnThread.$starter.withValue(Self.none) {
                await expectError(.overloaded) { try await database.emptyLog() }
                try await database.close()
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.sqlite"])
        }
    }
}
