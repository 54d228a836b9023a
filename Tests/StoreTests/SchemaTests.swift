import Foundation
import Store
import Testing

/// What every driver promises about the schema.
struct SchemaTests {
    private static let first = Migration(version: 1, name: "first") { dialect in
        ["CREATE TABLE a (id \(dialect.text) NOT NULL PRIMARY KEY)\(dialect.tableOptions)"]
    }
    private static let second = Migration(version: 2, name: "second") { dialect in
        ["ALTER TABLE a ADD COLUMN size \(dialect.integer)", "INSERT INTO a (id, size) VALUES ('x', 1)"]
    }

    @Test(arguments: DriverUnderTest.all)
    func `a new database gets every step, and a second run changes nothing`(driver: DriverUnderTest) async throws {
        try await driver.withDatabase { database in
            let clock = TestClock()
            let migrator = SchemaMigrator(clock: clock.read)
            #expect(try await migrator.version(of: database) == 0)
            // Asking has left no trace.
            let record = try await database.read { try $0.first($0.dialect.tableLookup, [.text("schema_migrations")]) }
            #expect(record == nil)
            let names = Migration.all.map(\.name)
            #expect(
                try await migrator.migrate(database)
                    == MigrationReport(from: 0, to: names.count, applied: names))
            let before = try await Self.record(database)
            clock.advance(by: 60)
            #expect(
                try await migrator.migrate(database)
                    == MigrationReport(from: names.count, to: names.count, applied: []))
            #expect(try await Self.record(database) == before)
            #expect(try await migrator.version(of: database) == names.count && migrator.latestVersion == names.count)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `an older database gets what is missing`(driver: DriverUnderTest) async throws {
        try await driver.withDatabase { database in
            _ = try await SchemaMigrator(migrations: [Self.first]).migrate(database)
            let report = try await SchemaMigrator(migrations: [Self.first, Self.second]).migrate(database)
            #expect(report == MigrationReport(from: 1, to: 2, applied: ["second"]))
            let size = try await database.read { try $0.first("SELECT size FROM a")?.int("size") }
            #expect(size == 1)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a newer database is refused and left alone`(driver: DriverUnderTest) async throws {
        try await driver.withDatabase { database in
            _ = try await SchemaMigrator(migrations: [Self.first, Self.second]).migrate(database)
            let before = try await Self.record(database)
            let error = await expectError(.newerSchema) {
                _ = try await SchemaMigrator(migrations: [Self.first]).migrate(database)
            }
            #expect(error?.location == database.location)
            #expect(error?.mend?.contains("Install the version") == true)
            #expect(try await Self.record(database) == before)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a step that was altered after it was applied is refused`(driver: DriverUnderTest) async throws {
        try await driver.withDatabase { database in
            _ = try await SchemaMigrator(migrations: [Self.first]).migrate(database)
            let altered = Migration(version: 1, name: "first") { dialect in
                ["CREATE TABLE a (id \(dialect.text) NOT NULL PRIMARY KEY, extra \(dialect.text))"]
            }
            await expectError(.changedMigration) {
                _ = try await SchemaMigrator(migrations: [altered, Self.second]).migrate(database)
            }
            #expect(try await Self.record(database).count == 1)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a step that fails leaves nothing of itself and all before it`(driver: DriverUnderTest) async throws {
        try await driver.withDatabase { database in
            let broken = Migration(version: 3, name: "broken") { dialect in
                ["CREATE TABLE b (id \(dialect.text))", "CREATE TABLE a (id \(dialect.text))"]
            }
            await expectError(.invalidStatement) {
                _ = try await SchemaMigrator(migrations: [Self.first, Self.second, broken]).migrate(database)
            }
            let recorded = try await Self.record(database)
            #expect(recorded == ["1 first", "2 second"])
            await expectError(.invalidStatement) { _ = try await database.read { try $0.query("SELECT id FROM b") } }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `many that migrate at once apply each step once`(driver: DriverUnderTest) async throws {
        try await driver.withDatabase { database in
            let applied = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<8 {
                    group.addTask { try await SchemaMigrator().migrate(database).applied }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(applied.sorted() == Migration.all.map(\.name).sorted())
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `what was saved and viewed before there were events is kept`(driver: DriverUnderTest) async throws {
        try await driver.withDatabase { database in
            _ = try await SchemaMigrator(migrations: Array(Migration.all.prefix(4))).migrate(database)
            let clock = TestClock()
            let sessions = ["s1", "s2"]
            try await database.write { connection in
                func add(_ table: String, _ columns: String, _ values: [SQLValue]) throws {
                    let marks = values.map { _ in "?" }.joined(separator: ", ")
                    try connection.execute("INSERT INTO \(table) (\(columns)) VALUES (\(marks))", values)
                }
                let time = { (seconds: Double) in SQLValue.time(clock.now + seconds) }
                for id in sessions {
                    try add(
                        "sessions", "id, kind, reply, created_at, updated_at",
                        [.text(id), "quiz", "{}", time(0), time(0)])
                }
                for (session, career, seconds): (String, String, Double) in [
                    ("s1", "pilot", 3), ("s1", "baker", 1), ("s2", "pilot", 1), ("s1", "nurse", 1),
                ] {
                    try add(
                        "saved_careers", "session_id, career_id, created_at",
                        [.text(session), .text(career), time(seconds)])
                }
                // The clock went back once: the order of the rows counts.
                for (session, career, seconds): (String?, String, Double) in [
                    ("s1", "baker", 4), ("s1", "pilot", 2), (nil, "pilot", 2), ("s1", "baker", 2), ("s2", "nurse", 9),
                ] {
                    try add(
                        "career_views", "session_id, career_id, created_at",
                        [.optionalText(session), .text(career), time(seconds)])
                }
            }

            let report = try await SchemaMigrator().migrate(database)
            #expect(
                report
                    == MigrationReport(
                        from: 4, to: Migration.all.count, applied: Migration.all.dropFirst(4).map(\.name)))
            let events = CareerEventRepository(database, clock: clock.read)
            #expect(
                try await events.saved(in: "s1") == [
                    SavedCareer(careerID: "baker", savedAt: clock.now + 1),
                    SavedCareer(careerID: "nurse", savedAt: clock.now + 1),
                    SavedCareer(careerID: "pilot", savedAt: clock.now + 3),
                ])
            #expect(try await events.saved(in: "s2") == [SavedCareer(careerID: "pilot", savedAt: clock.now + 1)])
            #expect(try await events.viewed(in: "s1") == ["baker", "pilot"])
            #expect(try await events.viewed(in: "s2") == ["nurse"])
            #expect(try await events.viewCounts() == ["baker": 2, "pilot": 2, "nurse": 1])
            #expect(try await events.saveCounts() == ["baker": 1, "nurse": 1, "pilot": 2])
            #expect(
                try await events.events(in: "s1").map { "\($0.kind) \($0.careerID)" } == [
                    "saved baker", "saved nurse", "viewed pilot", "viewed baker", "saved pilot", "viewed baker",
                ])
            let total = try await database.read { connection in
                try connection.first("SELECT COUNT(DISTINCT id) AS count FROM career_events")?.int("count")
            }
            #expect(total == 9)
            for table in ["saved_careers", "career_views"] {
                await expectError(.invalidStatement) {
                    _ = try await database.read { try $0.query("SELECT * FROM \(table)") }
                }
            }
            #expect(try await database.check().isEmpty)

            // What was saved stays saved once, and new events come after.
            #expect(try await events.save(career: "pilot", in: "s1") == false)
            try await events.recordView(of: "nurse", in: "s1")
            #expect(try await events.viewed(in: "s1") == ["baker", "pilot", "nurse"])
            #expect(try await SessionRepository(database).session(id: "s1")?.reply == "{}")
            #expect(try await SessionRepository(database).purge(olderThan: .distantFuture) == 2)
            #expect(try await events.viewCounts() == ["pilot": 1])
        }
    }

    private static func record(_ database: any SQLDatabase) async throws -> [String] {
        try await database.read { connection in
            try connection.query("SELECT version, name, applied_at FROM schema_migrations ORDER BY version").map {
                "\(try $0.int("version")) \(try $0.text("name"))"
            }
        }
    }
}
