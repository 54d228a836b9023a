import Foundation
import Store
import Testing

/// A driver that the shared suite runs on. A further driver joins by one more element in `all`.
struct DriverUnderTest: Sendable, CustomTestStringConvertible {
    let name: String
    /// An empty database that nobody else uses.
    let makeDatabase: @Sendable () async throws -> any SQLDatabase

    var testDescription: String { name }

    static let all: [DriverUnderTest] = [
        DriverUnderTest(name: "sqlite") { try await SQLiteDatabase.temporary() }
    ]

    /// Runs `body` on an empty database and closes it.
    func withDatabase(_ body: (any SQLDatabase) async throws -> Void) async throws {
        let database = try await makeDatabase()
        do {
            try await body(database)
        } catch {
            try? await database.close()
            throw error
        }
        try await database.close()
    }

    /// Runs `body` on a database with the whole schema.
    func withSchema(_ body: (any SQLDatabase) async throws -> Void) async throws {
        try await withDatabase { database in
            _ = try await SchemaMigrator().migrate(database)
            try await body(database)
        }
    }

    /// Runs `body` on a database with one table, `t (id, value)`.
    func withTable(_ body: (any SQLDatabase) async throws -> Void) async throws {
        try await withDatabase { database in
            try await database.write { connection in
                let dialect = connection.dialect
                try connection.execute(
                    """
                    CREATE TABLE t (id \(dialect.integer) NOT NULL PRIMARY KEY, value \(dialect.text))
                    \(dialect.tableOptions)
                    """)
            }
            try await body(database)
        }
    }
}

/// A clock that stands still until it is moved.
final class TestClock: Sendable {
    private let time: Guarded<Date>

    init(_ text: String = "2026-02-26T09:30:00.125Z") {
        guard let time = SQLTime.date(of: text) else { fatalError("\(text) is not a time") }
        self.time = Guarded(time)
    }

    var now: Date { time.withLock { $0 } }

    var read: @Sendable () -> Date { { self.now } }

    func advance(by seconds: TimeInterval) { time.withLock { $0 += seconds } }
}

/// An error that only tests throw.
struct Refusal: Error, Equatable {}

extension SQLDatabase {
    /// The ids in `t`, ascending.
    func ids() async throws -> [Int64] {
        try await read { connection in
            try connection.query("SELECT id FROM t ORDER BY id").map { try $0.integer("id") }
        }
    }

    func insert(_ id: Int64, value: String? = nil) async throws {
        try await write { connection in
            try connection.execute(
                "INSERT INTO t (id, value) VALUES (?, ?)", [.integer(id), .optionalText(value)])
        }
    }
}

/// Expects a `StoreError` of a code, and gives it for a closer look.
@discardableResult
func expectError(
    _ code: StoreError.Code, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async -> StoreError? {
    do {
        try await body()
        Issue.record("nothing was thrown, expected \(code)", sourceLocation: sourceLocation)
    } catch let error as StoreError {
        #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
        return error
    } catch {
        Issue.record("\(error) was thrown, expected \(code)", sourceLocation: sourceLocation)
    }
    return nil
}
