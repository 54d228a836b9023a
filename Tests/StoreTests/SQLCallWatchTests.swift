import Store
import TestSupport
import Testing

struct SQLCallWatchTests {
    private struct Broken: Error {}

    /// Gives what the watch is told while `body` runs.
    private func calls(
        _ body: (any SQLDatabase) async throws -> Void
    ) async throws -> [SQLCall] {
        let database = try await SQLiteDatabase.temporary()
        try await database.write { try $0.execute("CREATE TABLE notes (note TEXT)") }
        let told = Guarded<[SQLCall]>([])
        let watch = SQLCallWatch { call in told.withLock { $0.append(call) } }
        try await SQLCallWatch.$current.withValue(watch) { try await body(database) }
        // Outside, nobody watches; where `body` closed the database, this fails.
        _ = try? await database.read { try $0.query("SELECT 1") }
        try await database.close()
        return told.withLock { $0 }
    }

    @Test func `each read and write is told once, with when it had its turn and when it ended`() async throws {
        let begin = ContinuousClock.now
        let calls = try await calls { database in
            try await database.write { try $0.execute("INSERT INTO notes VALUES ('a')") }
            let rows = try await database.read { try $0.query("SELECT note FROM notes") }
            #expect(rows.count == 1)
        }
        #expect(calls.map(\.isWrite) == [true, false])
        for call in calls {
            let turn = try #require(call.begun)
            #expect(begin <= call.start && call.start <= turn && turn <= call.end && call.end <= .now)
            #expect(!call.hasFailed)
        }
    }

    @Test func `what fails is told as failed, also where it never had its turn`() async throws {
        let calls = try await calls { database in
            await #expect(throws: Broken.self) { try await database.read { _ in throw Broken() } }
            await #expect(throws: Broken.self) { try await database.write { _ in throw Broken() } }
            await #expect(throws: StoreError.self) { try await database.read { try $0.query("SELECT * FROM nothing") } }
            try await database.close()
            await #expect(throws: StoreError.self) { try await database.read { _ in } }
        }
        #expect(calls.map(\.hasFailed) == [true, true, true, true])
        #expect(calls.map { $0.begun == nil } == [false, false, false, true])
    }
}
