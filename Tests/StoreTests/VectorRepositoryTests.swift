import Foundation
import Store
import Testing

struct VectorRepositoryTests {
    @Test(arguments: DriverUnderTest.all)
    func `vectors come back bit for bit, in order of their keys`(driver: DriverUnderTest) async throws {
        try await Self.withRepository(driver) { repository, _ in
            let seed = UInt64.random(in: 0...UInt64.max)
            var generator = SplitMix(state: seed)
            var given = (0..<50).map { index in
                Self.record(
                    "career-\(index % 25)", view: index < 25 ? "work" : "needs",
                    vector: (0..<384).map { _ in Float.random(in: -1...1, using: &generator) })
            }
            given.append(
                Self.record("extremes", vector: [-0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, .pi, 1]))
            try await repository.put(given, in: "space")
            let found = try await repository.vectors(of: "space")
            #expect(found.damaged.isEmpty)
            let sorted = given.sorted { ($0.key.itemID, $0.key.view) < ($1.key.itemID, $1.key.view) }
            #expect(found.vectors.map(\.key) == sorted.map(\.key), "seed \(seed)")
            #expect(
                found.vectors.map { $0.vector.map(\.bitPattern) } == sorted.map { $0.vector.map(\.bitPattern) },
                "seed \(seed)")
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a vector is replaced by its key`(driver: DriverUnderTest) async throws {
        try await Self.withRepository(driver) { repository, _ in
            try await repository.put([Self.record("a", hash: "old", vector: [1, 0])], in: "space")
            let new = Self.record("a", hash: "new", vector: [0, 1, 0])
            try await repository.put([new], in: "space")
            #expect(try await repository.vectors(of: "space").vectors == [new])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `spaces and kinds are kept apart`(driver: DriverUnderTest) async throws {
        try await Self.withRepository(driver) { repository, _ in
            #expect(try await repository.register(Self.space("other")))
            let career = Self.record("a", vector: [1])
            let phrase = Self.record("a", kind: "phrase", vector: [2])
            let elsewhere = Self.record("a", vector: [3])
            try await repository.put([career, phrase], in: "space")
            try await repository.put([elsewhere], in: "other")
            #expect(try await repository.vectors(of: "space").vectors == [career, phrase])
            #expect(try await repository.vectors(of: "space", kind: "phrase").vectors == [phrase])
            #expect(try await repository.vectors(of: "other").vectors == [elsewhere])
            #expect(try await repository.vectors(of: "nowhere").vectors.isEmpty)
            #expect(try await repository.textHashes(of: "space", kind: "phrase") == [phrase.key: "hash"])
            #expect(try await repository.textHashes(of: "space").count == 2)

            #expect(try await repository.remove(itemKind: "career", itemID: "a", from: "other") == 1)
            #expect(try await repository.vectors(of: "space").vectors.count == 2)
            #expect(try await repository.remove(itemKind: "phrase", itemID: "a") == 1)
            #expect(try await repository.remove(itemKind: "phrase", itemID: "a") == 0)
            #expect(try await repository.vectors(of: "space").vectors == [career])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `vectors of named items come in the order asked for`(driver: DriverUnderTest) async throws {
        try await Self.withRepository(driver) { repository, _ in
            let records = ["a", "b", "c"].flatMap { id in
                ["needs", "work"].map { Self.record(id, view: $0, vector: [1, 2]) }
            }
            try await repository.put(records, in: "space")
            let found = try await repository.vectors(of: "space", kind: "career", ids: ["c", "none", "a"])
            #expect(
                found.vectors.map { "\($0.key.itemID) \($0.key.view)" } == ["c needs", "c work", "a needs", "a work"])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `one bad vector stores none`(driver: DriverUnderTest) async throws {
        try await Self.withRepository(driver) { repository, _ in
            let good = Self.record("good", vector: [1])
            for bad in [[], [Float.nan], [1, .infinity], [1, -.infinity, 2]] as [[Float]] {
                await expectError(.invalidValue) {
                    try await repository.put([good, Self.record("bad", vector: bad)], in: "space")
                }
            }
            await expectError(.foreignKeyViolation) { try await repository.put([good], in: "unregistered") }
            let stored = try await repository.vectors(of: "space").vectors
            #expect(stored.isEmpty)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `damaged vectors are set aside and the sound ones served`(driver: DriverUnderTest) async throws {
        try await Self.withRepository(driver) { repository, database in
            let names = [
                "a-sound", "b-bit", "c-short", "d-empty", "e-dimension", "f-hash", "g-swapped", "h-nan", "i-huge",
            ]
            try await repository.put(
                names.enumerated().map { Self.record($0.element, vector: [Float($0.offset), 1, 2]) }, in: "space")
            try await database.write { connection in
                func damage(_ id: String, _ column: String, _ value: SQLValue) throws {
                    try connection.execute(
                        "UPDATE vectors SET \(column) = ? WHERE item_id = ?", [value, .text(id)])
                }
                let sound = try #require(
                    try connection.first("SELECT vector FROM vectors WHERE item_id = 'a-sound'")
                ).blob("vector")
                var flipped = sound
                flipped[5] ^= 0x10
                try damage("b-bit", "vector", .blob(flipped))
                try damage("c-short", "vector", .blob(Array(sound.dropLast())))
                try damage("d-empty", "vector", .blob([]))
                try damage("e-dimension", "dimension", .integer(4))
                try damage("f-hash", "text_hash", .text("another"))
                // Sound in itself, but not of this item.
                let other = try #require(
                    try connection.first("SELECT vector, checksum FROM vectors WHERE item_id = 'a-sound'"))
                try damage("g-swapped", "vector", .blob(try other.blob("vector")))
                try damage("g-swapped", "checksum", .integer(try other.integer("checksum")))
                try damage("h-nan", "vector", .blob([0, 0, 0xC0, 0x7F] + sound.dropFirst(4)))
                try damage("i-huge", "dimension", .integer(.max))
            }
            let found = try await repository.vectors(of: "space")
            #expect(found.vectors.map(\.key.itemID) == ["a-sound"])
            #expect(
                found.damaged.map { "\($0.key.itemID) \($0.reason.rawValue)" } == [
                    "b-bit checksum", "c-short length", "d-empty length", "e-dimension length", "f-hash checksum",
                    "g-swapped checksum", "h-nan checksum", "i-huge length",
                ])
            // Embedding them anew heals them.
            try await repository.put(
                found.damaged.map { VectorRecord(key: $0.key, textHash: "hash", vector: [1, 1, 1]) }, in: "space")
            #expect(try await repository.vectors(of: "space").damaged.isEmpty)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a space is registered once and takes its vectors and facts with it`(driver: DriverUnderTest) async throws {
        try await Self.withRepository(driver) { repository, database in
            let facts = GenerationFactRepository(database)
            #expect(try await repository.register(Self.space("space")) == false)
            #expect(try await repository.register(Self.space("another")))
            #expect(try await repository.spaces() == [Self.space("another"), Self.space("space")])
            try await repository.put([Self.record("a", vector: [1])], in: "space")
            try await facts.set("lambda", of: "space", to: "0.2")
            try await facts.set("lambda", of: "space", to: "0.25")
            try await facts.set("reference", of: "space", to: "[1,2]")
            #expect(try await facts.fact("lambda", of: "space") == "0.25")
            #expect(try await facts.fact("lambda", of: "another") == nil)
            #expect(try await facts.facts(of: "space") == ["lambda": "0.25", "reference": "[1,2]"])
            await expectError(.foreignKeyViolation) { try await facts.set("lambda", of: "nowhere", to: "1") }

            #expect(try await repository.remove(space: "space"))
            #expect(try await repository.remove(space: "space") == false)
            #expect(try await repository.vectors(of: "space").vectors.isEmpty)
            #expect(try await facts.facts(of: "space").isEmpty)
        }
    }

    private static func withRepository(
        _ driver: DriverUnderTest, _ body: (VectorRepository, any SQLDatabase) async throws -> Void
    ) async throws {
        try await driver.withSchema { database in
            let repository = VectorRepository(database, clock: TestClock().read)
            try await repository.register(space("space"))
            try await body(repository, database)
        }
    }

    private static func space(_ id: String) -> SpaceRecord {
        SpaceRecord(id: id, modelID: "model", weightsSHA256: "00ff", description: #"{"views":2}"#)
    }

    private static func record(
        _ id: String, kind: String = "career", view: String = "work", hash: String = "hash", vector: [Float]
    ) -> VectorRecord {
        VectorRecord(key: VectorKey(itemKind: kind, itemID: id, view: view), textHash: hash, vector: vector)
    }
}
