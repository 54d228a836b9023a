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
            #expect(try await migrator.version(of: database) == names.count)
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

    private static func record(_ database: any SQLDatabase) async throws -> [String] {
        try await database.read { connection in
            try connection.query("SELECT version, name, applied_at FROM schema_migrations ORDER BY version").map {
                "\(try $0.int("version")) \(try $0.text("name"))"
            }
        }
    }
}
