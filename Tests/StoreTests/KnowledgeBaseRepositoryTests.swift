import Foundation
import Store
import Testing

struct KnowledgeBaseRepositoryTests {
    @Test(arguments: DriverUnderTest.all)
    func `one comes back as it was put, its bytes in their order`(driver: DriverUnderTest) async throws {
        try await Self.withRepository(driver) { repository, _, _ in
            // More than ten: their order is that of numbers, not of their digits.
            let seed = UInt64.random(in: 0...UInt64.max)
            var generator = SplitMix(state: seed)
            var blocks: [[UInt8]] = []
            for number in 0..<23 {
                blocks.append((0..<number * 7).map { _ in UInt8.random(in: 0...255, using: &generator) })
            }
            try await repository.put(Self.record("a"), blocks: blocks)
            #expect(try await repository.find("a") == Self.record("a"))
            #expect(try await repository.blocks(of: "a") == blocks, "seed \(seed)")
            #expect(try await repository.find("b") == nil)
            #expect(try await repository.blocks(of: "b").isEmpty)
        }
    }

    /// What is there under its id may be damaged.
    @Test(arguments: DriverUnderTest.all)
    func `one takes the place of what is there under its id, all of it`(driver: DriverUnderTest) async throws {
        try await Self.withRepository(driver) { repository, database, clock in
            try await repository.put(Self.record("a"), blocks: [[1], [2, 3], [7]])
            try await repository.put(Self.record("b"), blocks: [[9]])
            clock.advance(by: 60)
            let second = Self.record("a", titlesHash: "others", titles: 9)
            try await repository.put(second, blocks: [[4], [5]])
            #expect(try await repository.find("a") == second)
            #expect(try await repository.blocks(of: "a") == [[4], [5]])
            #expect(try await repository.blocks(of: "b") == [[9]])
            #expect(try await Self.count("knowledge_bases", database) == 2)
            #expect(try await repository.latest(textSpace: "space")?.id == "a")
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `one is found by what it was made of, the latest first`(driver: DriverUnderTest) async throws {
        try await Self.withRepository(driver) { repository, _, clock in
            for (id, space, titles, rule) in [
                ("d", "space", "titles", "rule"), ("c", "space", "titles", "rule"), ("e", "space", "others", "rule"),
                ("f", "space", "titles", "another"), ("b", "elsewhere", "titles", "rule"),
            ] {
                try await repository.put(
                    Self.record(id, textSpace: space, titlesHash: titles, rule: rule), blocks: [[0]])
                clock.advance(by: 1)
            }
            func find(_ space: String, _ titles: String, _ rule: String) async throws -> String? {
                try await repository.find(textSpace: space, titlesHash: titles, rule: rule)?.id
            }
            #expect(try await find("space", "titles", "rule") == "c")
            #expect(try await find("space", "others", "rule") == "e")
            #expect(try await find("space", "titles", "another") == "f")
            #expect(try await find("elsewhere", "titles", "rule") == "b")
            #expect(try await find("elsewhere", "others", "rule") == nil)
            #expect(try await repository.latest(textSpace: "space")?.id == "f")
            #expect(try await repository.latest(textSpace: "elsewhere")?.id == "b")
            #expect(try await repository.latest(textSpace: "nowhere") == nil)
            // Made at the same time: by id, so that everybody finds the same.
            for id in ["z", "y"] {
                try await repository.put(Self.record(id, textSpace: "new"), blocks: [[0]])
            }
            #expect(try await repository.latest(textSpace: "new")?.id == "y")
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `all of a text space but some go, with their bytes`(driver: DriverUnderTest) async throws {
        try await Self.withRepository(driver) { repository, database, _ in
            for id in ["a", "b", "c"] { try await repository.put(Self.record(id), blocks: [[1], [2]]) }
            try await repository.put(Self.record("other", textSpace: "elsewhere"), blocks: [[3]])
            #expect(try await repository.remove(textSpace: "space", keeping: ["b", "unknown"]) == 2)
            #expect(try await repository.find("a") == nil)
            #expect(try await repository.find("c") == nil)
            #expect(try await repository.find("b") == Self.record("b"))
            #expect(try await repository.blocks(of: "b") == [[1], [2]])
            #expect(try await repository.blocks(of: "a").isEmpty)
            #expect(try await repository.blocks(of: "other") == [[3]])
            // Two of the one that was kept, and one of another text space.
            #expect(try await Self.count("knowledge_base_blocks", database) == 3)
            #expect(try await repository.remove(textSpace: "space", keeping: ["b"]) == 0)
            #expect(try await repository.remove(textSpace: "space", keeping: []) == 1)
            #expect(try await repository.remove(textSpace: "nowhere", keeping: []) == 0)
            #expect(try await Self.count("knowledge_base_blocks", database) == 1)
            // What went may come again.
            try await repository.put(Self.record("a"), blocks: [[9]])
            #expect(try await repository.blocks(of: "a") == [[9]])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `one of nothing is refused, and nothing of it stays`(driver: DriverUnderTest) async throws {
        try await Self.withRepository(driver) { repository, database, _ in
            await expectError(.checkViolation) {
                try await repository.put(Self.record("a", titles: 0), blocks: [[1]])
            }
            await expectError(.checkViolation) {
                try await repository.put(Self.record("a", occupations: 0), blocks: [[1]])
            }
            let left = [
                try await Self.count("knowledge_bases", database),
                try await Self.count("knowledge_base_blocks", database),
            ]
            #expect(left == [0, 0])
        }
    }

    private static func withRepository(
        _ driver: DriverUnderTest,
        _ body: (KnowledgeBaseRepository, any SQLDatabase, TestClock) async throws -> Void
    ) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            try await body(KnowledgeBaseRepository(database, clock: clock.read), database, clock)
        }
    }

    private static func count(_ table: String, _ database: any SQLDatabase) async throws -> Int {
        try await database.read { connection in
            try connection.first("SELECT count(*) AS number FROM \(table)", [])?.int("number") ?? 0
        }
    }

    private static func record(
        _ id: String, textSpace: String = "space", titlesHash: String = "titles", rule: String = "rule",
        titles: Int = 3, occupations: Int = 2
    ) -> KnowledgeBaseRecord {
        KnowledgeBaseRecord(
            id: id, textSpaceID: textSpace, titlesHash: titlesHash, rule: rule, titles: titles,
            occupations: occupations)
    }
}
