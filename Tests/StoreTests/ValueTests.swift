import Foundation
import Store
import Testing

/// What goes into a database comes out the same, on every driver, or is refused.
struct ValueTests {
    static let values: [SQLValue] = [
        .null, .integer(0), .integer(-1), .integer(.max), .integer(.min),
        .real(0), .real(0.1), .real(-1.5e300), .real(.leastNonzeroMagnitude), .real(.greatestFiniteMagnitude),
        .real(.infinity), .real(-.infinity), .real(1), .real(9_007_199_254_740_992),
        .text(""), .text("plain"), .text("O'Reilly -- \"quoted\"; ?"), .text("naïve café 中文 🧭 e\u{301}"),
        .text("\u{1}\n\t\u{FEFF}\u{10FFFF}"), .text(String(repeating: "é", count: 100_000)),
        .blob([]), .blob([0]), .blob([0, 255, 39, 92]), .blob([UInt8](repeating: 7, count: 1_000_000)),
    ]

    @Test(arguments: DriverUnderTest.all)
    func `every kind of value comes back as it was`(driver: DriverUnderTest) async throws {
        try await driver.withDatabase { database in
            try await Self.makeTypedTable(database)
            for (index, value) in Self.values.enumerated() {
                try await database.write { connection in
                    try connection.execute(
                        "INSERT INTO typed (id, \(Self.column(of: value))) VALUES (?, ?)",
                        [.int(index), value])
                }
                let found = try await database.read { connection in
                    try connection.first("SELECT * FROM typed WHERE id = ?", [.int(index)])?
                        .value(Self.column(of: value))
                }
                #expect(found == value)
            }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `what no two databases store alike is refused`(driver: DriverUnderTest) async throws {
        try await driver.withDatabase { database in
            try await Self.makeTypedTable(database)
            for value in [SQLValue.real(.nan), .real(.signalingNaN), .text("a\0b"), .text("\0")] {
                let error = await expectError(.invalidValue) {
                    _ = try await database.write { connection in
                        try connection.execute(
                            "INSERT INTO typed (id, \(Self.column(of: value))) VALUES (1, ?)", [value])
                    }
                }
                #expect(error?.location == database.location)
            }
            let count = try await database.read { try $0.query("SELECT id FROM typed").count }
            #expect(count == 0)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a value of another type than its column is refused`(driver: DriverUnderTest) async throws {
        try await driver.withDatabase { database in
            try await Self.makeTypedTable(database)
            await expectError(.typeMismatch) {
                _ = try await database.write { connection in
                    try connection.execute("INSERT INTO typed (id, whole) VALUES (1, ?)", [.text("twelve")])
                }
            }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `text sorts by code points`(driver: DriverUnderTest) async throws {
        let words = ["b", "a", "B", "é", "Z", "_", "10", "9", "a b", "ab", "🧭", "\u{FFFD}"]
        try await driver.withDatabase { database in
            try await Self.makeTypedTable(database)
            let sorted = try await database.write { connection in
                try connection.executeMany(
                    "INSERT INTO typed (id, words) VALUES (?, ?)",
                    words.enumerated().map { [.int($0.offset), .text($0.element)] })
                return try connection.query("SELECT words FROM typed ORDER BY words").map { try $0.text("words") }
            }
            #expect(
                sorted == words.sorted { Array($0.unicodeScalars).lexicographicallyPrecedes(Array($1.unicodeScalars)) })
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `identities increase and are not given twice`(driver: DriverUnderTest) async throws {
        try await driver.withDatabase { database in
            let given = try await database.write { connection in
                let dialect = connection.dialect
                try connection.execute(
                    "CREATE TABLE events (id \(dialect.autoIdentity), name \(dialect.text))\(dialect.tableOptions)")
                func add(_ name: SQLValue) throws -> Int64 {
                    try connection.first("INSERT INTO events (name) VALUES (?) RETURNING id", [name])?.integer("id")
                        ?? 0
                }
                let first = [try add("a"), try add("b")]
                #expect(try connection.execute("DELETE FROM events") == 2)
                return first + [try add("c")]
            }
            #expect(given == [1, 2, 3])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `execute counts the rows it changed`(driver: DriverUnderTest) async throws {
        try await driver.withTable { database in
            let counts = try await database.write { connection in
                [
                    try connection.executeMany("INSERT INTO t (id) VALUES (?)", (1...5).map { [.int($0)] }),
                    try connection.execute("UPDATE t SET value = 'x' WHERE id > 2"),
                    try connection.execute("UPDATE t SET value = 'x' WHERE id > 20"),
                    try connection.execute("CREATE TABLE other (id \(connection.dialect.integer))"),
                    try connection.execute("INSERT INTO t (id) VALUES (1) ON CONFLICT (id) DO NOTHING"),
                    try connection.execute(
                        "INSERT INTO t (id, value) VALUES (1, 'y') ON CONFLICT (id) DO UPDATE SET value = excluded.value"
                    ),
                    try connection.execute("DELETE FROM t"),
                    try connection.execute("DROP TABLE other"),
                    try connection.executeMany("INSERT INTO t (id) VALUES (?)", [] as [[SQLValue]]),
                ]
            }
            #expect(counts == [5, 3, 0, 0, 0, 1, 5, 0, 0])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `constraints are told apart`(driver: DriverUnderTest) async throws {
        try await driver.withDatabase { database in
            try await database.write { connection in
                let dialect = connection.dialect
                try connection.execute(
                    "CREATE TABLE parent (id \(dialect.integer) NOT NULL PRIMARY KEY, code \(dialect.text) UNIQUE)")
                try connection.execute(
                    """
                    CREATE TABLE child (
                        id \(dialect.integer) NOT NULL PRIMARY KEY,
                        parent_id \(dialect.integer) NOT NULL REFERENCES parent (id),
                        size \(dialect.integer) CHECK (size > 0)
                    )
                    """)
                try connection.execute("INSERT INTO parent (id, code) VALUES (1, 'a')")
                try connection.execute("INSERT INTO child (id, parent_id) VALUES (1, 1)")
            }
            let cases: [(String, StoreError.Code)] = [
                ("INSERT INTO parent (id) VALUES (1)", .uniqueViolation),
                ("INSERT INTO parent (id, code) VALUES (2, 'a')", .uniqueViolation),
                ("INSERT INTO child (id, parent_id) VALUES (2, 9)", .foreignKeyViolation),
                ("DELETE FROM parent WHERE id = 1", .foreignKeyViolation),
                ("INSERT INTO child (id) VALUES (2)", .notNullViolation),
                ("INSERT INTO child (id, parent_id, size) VALUES (2, 1, 0)", .checkViolation),
                ("INSERT INTO nowhere (id) VALUES (1)", .invalidStatement),
                ("INSERT INTO parent (id) VALUE", .invalidStatement),
                ("INSERT INTO parent (id) VALUES (?)", .invalidStatement),
            ]
            for (sql, code) in cases {
                let error = await expectError(code) { _ = try await database.write { try $0.execute(sql) } }
                #expect(error?.location == database.location)
            }
            await expectError(.invalidStatement) {
                _ = try await database.write { connection in
                    try connection.execute("INSERT INTO parent (id) VALUES (?)", [.integer(5), .integer(6)])
                }
            }
        }
    }

    @Test func `a row's getters throw instead of guessing`() throws {
        let row = SQLRow(
            columns: SQLColumns(["n", "t", "r", "z"]),
            values: [.integer(2), .text("2"), .real(2.5), .null])
        #expect(try row.integer("n") == 2)
        #expect(try row.int("n") == 2)
        #expect(try row.real("n") == 2)
        #expect(try row.real("r") == 2.5)
        #expect(try row.optionalText("z") == nil)
        #expect(try row.optionalText("t") == "2")
        let refused: [() throws -> Void] = [
            { _ = try row.integer("t") }, { _ = try row.integer("z") }, { _ = try row.bool("n") },
            { _ = try row.text("n") }, { _ = try row.optionalText("n") }, { _ = try row.blob("t") },
            { _ = try row.real("t") }, { _ = try row.time("t") }, { _ = try row.text("missing") },
        ]
        for read in refused {
            #expect { try read() } throws: { ($0 as? StoreError)?.code == .unexpectedValue }
        }
    }

    private static func makeTypedTable(_ database: any SQLDatabase) async throws {
        try await database.write { connection in
            let dialect = connection.dialect
            try connection.execute(
                """
                CREATE TABLE typed (
                    id \(dialect.integer) NOT NULL PRIMARY KEY, whole \(dialect.integer), number \(dialect.double),
                    words \(dialect.text), bytes \(dialect.blob)
                )\(dialect.tableOptions)
                """)
        }
    }

    private static func column(of value: SQLValue) -> String {
        switch value {
        case .null, .integer: "whole"
        case .real: "number"
        case .text: "words"
        case .blob: "bytes"
        }
    }
}
