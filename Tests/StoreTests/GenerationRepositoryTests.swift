import Foundation
import Store
import Testing

struct GenerationRepositoryTests {
    @Test(arguments: DriverUnderTest.all)
    func `a generation is built, then current, then previous, then gone`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let repository = GenerationRepository(database, clock: clock.read)
            #expect(try await repository.current("careers") == nil)

            let first = try await repository.begin(kind: "careers", space: "s", planHash: "p1", format: 2)
            #expect(first.kind == "careers" && first.spaceID == "s" && first.planHash == "p1" && first.format == 2)
            #expect(first.state == .building && first.rowCount == 0 && first.document == nil)
            #expect(first.createdAt == clock.now && first.finishedAt == nil)
            #expect(try await repository.building("careers") == first)
            try await repository.putBlock(0, rowCount: 3, bytes: [1, 2, 3], of: first.id)
            clock.advance(by: 5)
            try await repository.activate(first.id, rowCount: 3, document: #"{"ok":true}"#)

            let current = try #require(try await repository.current("careers"))
            #expect(current.id == first.id && current.state == .current && current.rowCount == 3)
            #expect(current.document == #"{"ok":true}"# && current.finishedAt == clock.now)
            #expect(try await repository.building("careers") == nil)
            #expect(try await repository.previous("careers") == nil)

            let second = try await Self.activate("p2", in: repository)
            #expect(try await Self.states(repository) == [nil, second, first.id])
            #expect(try await repository.blocks(of: first.id).map(\.bytes) == [[1, 2, 3]])
            let third = try await Self.activate("p3", in: repository)
            #expect(try await Self.states(repository) == [nil, third, second])
            #expect(try await repository.blocks(of: first.id).isEmpty)
            let blocks = try await Self.countBlocks(database)
            #expect(blocks == 2)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `the same plan resumes with its blocks, and another one begins anew`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = GenerationRepository(database)
            let first = try await repository.begin(kind: "careers", space: "s", planHash: "p", format: 2)
            try await repository.putBlock(4, rowCount: 2, bytes: [4], of: first.id)
            #expect(try await repository.begin(kind: "careers", space: "s", planHash: "p", format: 2) == first)
            #expect(
                try await repository.blocks(of: first.id) == [StoredBlock(number: 4, rowCount: 2, bytes: [4])])

            // Another kind has a generation of its own.
            let jobs = try await repository.begin(kind: "jobs", space: "s", planHash: "p", format: 2)
            #expect(jobs.id != first.id)
            #expect(try await repository.building("careers") == first)

            var last = first.id
            for (space, plan, format) in [("s", "q", 2), ("t", "q", 2), ("t", "q", 3)] {
                let next = try await repository.begin(kind: "careers", space: space, planHash: plan, format: format)
                #expect(next.id > last)
                #expect(try await repository.building("careers") == next)
                #expect(try await repository.blocks(of: last).isEmpty)
                try await repository.putBlock(0, rowCount: 1, bytes: [9], of: next.id)
                last = next.id
            }
            #expect(try await repository.building("jobs") == jobs)
            let blocks = try await Self.countBlocks(database)
            #expect(blocks == 1)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `blocks come in order of their numbers and are replaced by them`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = GenerationRepository(database)
            let id = try await repository.begin(kind: "careers", space: "s", planHash: "p", format: 2).id
            let large = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
            for (number, bytes) in [(10, large), (2, [2]), (0, []), (2, [7, 7])] {
                try await repository.putBlock(number, rowCount: bytes.count, bytes: bytes, of: id)
            }
            #expect(
                try await repository.blocks(of: id) == [
                    StoredBlock(number: 0, rowCount: 0, bytes: []), StoredBlock(number: 2, rowCount: 2, bytes: [7, 7]),
                    StoredBlock(number: 10, rowCount: large.count, bytes: large),
                ])
            await expectError(.foreignKeyViolation) {
                try await repository.putBlock(0, rowCount: 1, bytes: [1], of: id + 1)
            }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `only what is being built is activated`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = GenerationRepository(database)
            let first = try await Self.activate("p1", in: repository)
            let second = try await Self.activate("p2", in: repository)
            for id in [first, second, second + 100] {
                await expectError(.conflict) { try await repository.activate(id, rowCount: 1, document: "{}") }
            }
            #expect(try await Self.states(repository) == [nil, second, first])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a rollback swaps, and a second one swaps back`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = GenerationRepository(database)
            #expect(try await repository.rollback("careers") == nil)
            let first = try await Self.activate("p1", in: repository)
            #expect(try await repository.rollback("careers") == nil)
            #expect(try await repository.current("careers")?.id == first)

            let second = try await Self.activate("p2", in: repository)
            let building = try await repository.begin(kind: "careers", space: "s", planHash: "p3", format: 2).id
            #expect(try await repository.rollback("careers")?.id == first)
            #expect(try await Self.states(repository) == [building, first, second])
            #expect(try await repository.rollback("careers")?.planHash == "p2")
            #expect(try await Self.states(repository) == [building, second, first])
            #expect(try await repository.blocks(of: first).count == 1)
            #expect(try await repository.blocks(of: second).count == 1)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `one that takes the place of the current generation leaves the previous one`(
        driver: DriverUnderTest
    ) async throws {
        try await driver.withSchema { database in
            let repository = GenerationRepository(database)
            var ids: [Int64] = []
            for (plan, keepsPrevious) in [("p1", true), ("p2", false), ("p3", true)] {
                let id = try await repository.begin(kind: "careers", space: "s", planHash: plan, format: 2).id
                try await repository.putBlock(0, rowCount: 1, bytes: [1], of: id)
                try await repository.activate(id, rowCount: 1, document: "{}", keepsPrevious: keepsPrevious)
                ids.append(id)
            }
            #expect(try await Self.states(repository) == [nil, ids[2], ids[0]])
            let blocks = try await Self.countBlocks(database)
            #expect(blocks == 2)
            #expect(try await repository.rollback("careers")?.id == ids[0])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `anything but the current generation can be discarded`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = GenerationRepository(database)
            let first = try await Self.activate("p1", in: repository)
            let second = try await Self.activate("p2", in: repository)
            let building = try await repository.begin(kind: "careers", space: "s", planHash: "p3", format: 2).id
            try await repository.putBlock(0, rowCount: 1, bytes: [1], of: building)
            await expectError(.conflict) { try await repository.discard(second) }
            try await repository.discard(building)
            try await repository.discard(first)
            try await repository.discard(first)
            #expect(try await Self.states(repository) == [nil, second, nil])
            let blocks = try await Self.countBlocks(database)
            #expect(blocks == 1)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `many that activate at once leave one current and one previous`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = GenerationRepository(database)
            _ = try await Self.activate("first", in: repository)
            _ = try await Self.activate("second", in: repository)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<24 {
                    group.addTask {
                        do {
                            _ = try await Self.activate("p\(index % 5)", in: repository)
                            if index.isMultiple(of: 4) { _ = try await repository.rollback("careers") }
                        } catch let error as StoreError where [.conflict, .foreignKeyViolation].contains(error.code) {
                            // Another task began anew or was first.
                        }
                    }
                }
                try await group.waitForAll()
            }
            let rows = try await database.read { connection in
                try connection.query("SELECT state FROM index_generations ORDER BY state").map { try $0.text("state") }
            }
            #expect(rows.filter { $0 != "building" } == ["current", "previous"])
            #expect(rows.count <= 3)
            let orphans = try await database.read { connection in
                try connection.query(
                    "SELECT number FROM index_blocks WHERE generation_id NOT IN (SELECT id FROM index_generations)")
            }
            #expect(orphans.isEmpty)
        }
    }

    /// A file can be altered by anybody; a server's tables take values of their types alone.
    private static let files = DriverUnderTest.all.filter { $0.name == "sqlite" }

    @Test(arguments: files)
    func `damaged blocks have no bytes and hide no sound ones`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = GenerationRepository(database)
            let id = try await Self.activate("p", in: repository)
            try await Self.loosen(database)
            try await database.write { connection in
                for (number, rowCount, bytes): (SQLValue, SQLValue, SQLValue) in [
                    (1, "many", .blob([1])), (2, 5, "text"), (3, 5, nil), (4, -5, .blob([4])), (5, 2.5, .blob([5])),
                    (6, 6, .blob([6])), ("seven", 7, .blob([7])),
                ] {
                    try connection.execute(
                        "INSERT INTO index_blocks (generation_id, number, row_count, bytes) VALUES (?, ?, ?, ?)",
                        [.integer(id), number, rowCount, bytes])
                }
            }
            #expect(
                try await repository.blocks(of: id) == [
                    StoredBlock(number: 0, rowCount: 1, bytes: [1]), StoredBlock(number: 1, rowCount: 0, bytes: []),
                    StoredBlock(number: 2, rowCount: 5, bytes: []), StoredBlock(number: 3, rowCount: 5, bytes: []),
                    StoredBlock(number: 4, rowCount: 0, bytes: []), StoredBlock(number: 5, rowCount: 0, bytes: []),
                    StoredBlock(number: 6, rowCount: 6, bytes: [6]), StoredBlock(number: -1, rowCount: 7, bytes: []),
                ])
        }
    }

    @Test(arguments: [
        ("kind", SQLValue.integer(1)), ("space_id", nil), ("format", "two"), ("plan_hash", 3), ("row_count", -1),
        ("row_count", "many"), ("document", 4), ("created_at", "yesterday"), ("finished_at", "tomorrow"),
        ("state", "swapping"), ("state", 5),
    ])
    func `a damaged record is refused where it is read and replaced where it was being built`(
        column: String, value: SQLValue
    ) async throws {
        for driver in Self.files {
            try await driver.withSchema { database in
                let repository = GenerationRepository(database)
                let sound = try await Self.activate("p1", in: repository)
                let id = try await repository.begin(kind: "careers", space: "s", planHash: "p2", format: 2).id
                try await Self.loosen(database)
                try await database.write { connection in
                    try connection.execute(
                        "UPDATE index_generations SET \(column) = ? WHERE id = ?", [value, .integer(id)])
                }
                // Without its kind or state it is not found at all.
                if column == "kind" || column == "state" {
                    #expect(try await repository.building("careers") == nil)
                } else {
                    await expectError(.unexpectedValue) { _ = try await repository.building("careers") }
                }
                #expect(try await repository.current("careers")?.id == sound)
                let next = try await repository.begin(kind: "careers", space: "s", planHash: "p2", format: 2)
                #expect(next.id > id)
                #expect(try await repository.building("careers") == next)
            }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a rollback to a damaged record is refused and changes nothing`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = GenerationRepository(database)
            let first = try await Self.activate("p1", in: repository)
            let second = try await Self.activate("p2", in: repository)
            try await database.write { connection in
                try connection.execute(
                    "UPDATE index_generations SET created_at = 'once' WHERE id = ?", [.integer(first)])
            }
            await expectError(.unexpectedValue) { _ = try await repository.rollback("careers") }
            #expect(try await repository.current("careers")?.id == second)
            #expect(try await repository.blocks(of: first).count == 1)
            // The next activation clears it away.
            let third = try await Self.activate("p3", in: repository)
            #expect(try await Self.states(repository) == [nil, third, second])
        }
    }

    /// Puts tables that take anything in the place of the strict ones, for rows as damage leaves them.
    private static func loosen(_ database: any SQLDatabase) async throws {
        try await database.write { connection in
            for (table, columns) in [
                ("index_blocks", "generation_id, number, row_count, bytes"),
                (
                    "index_generations",
                    "id, kind, space_id, state, format, plan_hash, row_count, document, created_at, finished_at"
                ),
            ] {
                try connection.execute("CREATE TABLE loose_\(table) AS SELECT \(columns) FROM \(table)")
                try connection.execute("DROP TABLE \(table)")
                try connection.execute(
                    "CREATE TABLE \(table) (\(columns.replacingOccurrences(of: "id, kind", with: Self.identity)))")
                try connection.execute("INSERT INTO \(table) (\(columns)) SELECT \(columns) FROM loose_\(table)")
            }
        }
    }

    private static let identity = "id \(SQLDialect.sqlite.autoIdentity), kind"

    /// Fills a generation with one block and makes it current.
    private static func activate(_ plan: String, in repository: GenerationRepository) async throws -> Int64 {
        let id = try await repository.begin(kind: "careers", space: "s", planHash: plan, format: 2).id
        try await repository.putBlock(0, rowCount: 1, bytes: [1], of: id)
        try await repository.activate(id, rowCount: 1, document: "{}")
        return id
    }

    /// The ids of the generations that are being built, current and previous.
    private static func states(_ repository: GenerationRepository) async throws -> [Int64?] {
        [
            try await repository.building("careers")?.id, try await repository.current("careers")?.id,
            try await repository.previous("careers")?.id,
        ]
    }

    private static func countBlocks(_ database: any SQLDatabase) async throws -> Int {
        try await database.read { connection in
            try connection.first("SELECT COUNT(*) AS count FROM index_blocks")?.int("count") ?? 0
        }
    }
}
