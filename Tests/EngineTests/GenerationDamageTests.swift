import Engine
import Foundation
import Store
import TestSupport
import Testing
import VectorIndex

/// A stored generation of several blocks, and copies of it to damage.
private struct DamageBench {
    let database: any SQLDatabase
    let quiz: Quiz
    let careers = MadeUpCareers.make(150)
    let vectorizer = WordVectorizer()
    let generation: Int64
    let blocks: [StoredBlock]
    let rows: [String: StoredRows.Row]
    /// The served generation's rows, abilities and all.
    let served: [String: [Float]]

    init() async throws {
        database = try await EngineFixture.newDatabase()
        quiz = try BuiltIn.quiz()
        let built = try await EngineFixture.build(
            careers, encoder: EncodingQueue(vectorizer), database: database, quiz: quiz)
        served = Self.rows(of: built.generation)
        let record = try #require(try await Reembedder(database).current())
        generation = record.id
        blocks = try await GenerationRepository(database).blocks(of: record.id)
        rows = try await StoredRows.current(database)
        #expect(blocks.count == 3)
    }

    static func rows(of generation: CareerGeneration) -> [String: [Float]] {
        var rows: [String: [Float]] = [:]
        for id in generation.index.ids {
            if let slot = generation.index.slot(of: id) { rows[id.text] = generation.index.row(at: slot) }
        }
        return rows
    }

    /// Builds after `damage` was done to the generation in use, which leaves a sound one for the next.
    ///
    /// - Returns: what building said, whose rows the damage had cost, and whether all came out as before.
    func build(
        after damage: @Sendable (_ database: any SQLDatabase, _ generation: Int64) async throws -> Void
    ) async throws -> (statistics: CareerGenerationBuilder.Statistics, lost: Set<String>, isMended: Bool) {
        let record = try #require(try await Reembedder(database).current())
        try await damage(database, record.id)
        // The generation before would lend its rows.
        let generations = GenerationRepository(database)
        if let previous = try await generations.previous(Reembedder.kind) { try await generations.discard(previous.id) }
        let lost = Set(careers.map(\.id)).subtracting(try await StoredRows.rows(of: record, database).rows.keys)
        let asked = vectorizer.asked.withLock { $0 }
        let built = try await EngineFixture.build(
            careers, encoder: EncodingQueue(vectorizer), database: database, quiz: quiz)
        let texts = Set(
            careers.filter { lost.contains($0.id) }.flatMap { CareerTexts($0).all(for: vectorizer.space) })
        // Nothing but the lost careers' texts and the sample of the check goes through the model.
        #expect(vectorizer.asked.withLock { $0 } - asked <= texts.count + 8 * 4)
        let mended = Self.rows(of: built.generation)
        let isEqual =
            Set(mended.keys) == Set(served.keys)
            && mended.allSatisfy { id, row in zip(row, served[id] ?? []).allSatisfy { abs($0 - $1) < 1e-6 } }
        let now = try #require(try await Reembedder(database).current())
        let after = try await StoredRows.rows(of: now, database)
        let isSound = after.damage.isEmpty && StoredRows.difference(rows, after.rows) < 1e-6
        return (built.statistics, lost, isEqual && isSound)
    }
}

@Suite struct `Damage to what is stored` {
    @Test func `a flipped bit anywhere is named, and just what it cost is embedded anew`() async throws {
        let bench = try await DamageBench()
        var random = SeededGenerator(seed: 41)
        var places: [(block: Int, offset: Int)] = []
        for block in bench.blocks {
            let size = block.bytes.count
            // Every part has its share: header, keys, padding, numbers.
            for range in [0..<64, 64..<128, 128..<block.rowCount * 64, size / 2..<size, 0..<size, size - 8..<size] {
                places.append((block.number, Int.random(in: range, using: &random)))
            }
        }
        for (number, offset) in places {
            let bit = UInt8(1) << UInt8.random(in: 0...7, using: &random)
            let result = try await bench.build { database, generation in
                var bytes = try await GenerationRepository(database).blocks(of: generation)[number].bytes
                bytes[offset] ^= bit
                try await StoredRows.setBytes(bytes, ofBlock: number, in: generation, database)
            }
            let place = "block \(number), byte \(offset), bit \(bit), \(random)"
            #expect(!result.statistics.damaged.isEmpty, "\(place)")
            #expect(result.statistics.damaged.contains { $0.contains("block \(number)") }, "\(place)")
            #expect(result.statistics.embedded == result.lost.count && result.isMended, "\(place)")
            #expect(result.lost.count <= 64, "\(place)")
        }
    }

    @Test func `a block that is gone, cut off, emptied or another's costs its own rows alone`() async throws {
        let bench = try await DamageBench()
        let other = try await EngineFixture.newDatabase()
        // Blocks of another generation, but of the same space and number.
        let encoder = EncodingQueue(bench.vectorizer)
        for _ in 0..<2 {
            _ = try await Reembedder(other).run(bench.careers, encoder: encoder, options: .init(isForced: true))
        }
        let strange = try #require(try await Reembedder(other).current())
        let stranger = try await GenerationRepository(other).blocks(of: strange.id)[1].bytes
        typealias Damage = @Sendable (any SQLDatabase, Int64) async throws -> Void
        func cut(to size: Int) -> Damage {
            { database, generation in
                let bytes = try await GenerationRepository(database).blocks(of: generation)[1].bytes
                try await StoredRows.setBytes(Array(bytes.prefix(size)), ofBlock: 1, in: generation, database)
            }
        }
        let size = bench.blocks[1].bytes.count
        let damages: [(String, Damage)] = [
            (
                "gone",
                { database, generation in
                    try await database.write { connection in
                        _ = try connection.execute(
                            "DELETE FROM index_blocks WHERE generation_id = ? AND number = 1", [.integer(generation)])
                    }
                }
            ),
            ("emptied", cut(to: 0)), ("cut in the header", cut(to: 40)), ("cut in the keys", cut(to: 1_000)),
            ("cut in the numbers", cut(to: size / 2)), ("cut by a byte", cut(to: size - 1)),
            (
                "another generation's",
                { try await StoredRows.setBytes(stranger, ofBlock: 1, in: $1, $0) }
            ),
            (
                "another number's",
                { database, generation in
                    let bytes = try await GenerationRepository(database).blocks(of: generation)[0].bytes
                    try await StoredRows.setBytes(bytes, ofBlock: 1, in: generation, database)
                }
            ),
            (
                "zeros",
                { database, generation in
                    try await StoredRows.setBytes(
                        Array(repeating: 0, count: size), ofBlock: 1, in: generation, database)
                }
            ),
        ]
        for (name, damage) in damages {
            let result = try await bench.build(after: damage)
            #expect(!result.statistics.damaged.isEmpty && result.isMended, "\(name)")
            #expect((1...64).contains(result.lost.count), "\(name)")
            #expect(result.statistics.embedded == result.lost.count, "\(name)")
        }
    }

    @Test func `the last block gone is found by the count`() async throws {
        let bench = try await DamageBench()
        let result = try await bench.build { database, generation in
            try await database.write { connection in
                _ = try connection.execute(
                    "DELETE FROM index_blocks WHERE generation_id = ? AND number = 2", [.integer(generation)])
            }
        }
        #expect(!result.statistics.damaged.isEmpty && result.isMended && result.lost.count == 150 - 128)
    }

    @Test func `rows that the generation before has too are taken from it`() async throws {
        let bench = try await DamageBench()
        let encoder = EncodingQueue(bench.vectorizer)
        _ = try await Reembedder(bench.database).run(bench.careers, encoder: encoder, options: .init(isForced: true))
        let record = try #require(try await Reembedder(bench.database).current())
        try await StoredRows.setBytes([], ofBlock: 1, in: record.id, bench.database)
        let built = try await EngineFixture.build(
            bench.careers, encoder: encoder, database: bench.database, quiz: bench.quiz)
        #expect(!built.statistics.damaged.isEmpty && built.statistics.embedded == 0)
        #expect(try await StoredRows.difference(bench.rows, StoredRows.current(bench.database)) < 1e-6)
    }

    @Test func `a newer format is refused and left as it is`() async throws {
        let bench = try await DamageBench()
        // The format stands at byte 8, and bytes 0…11 have their checksum at byte 12.
        var bytes = bench.blocks[1].bytes
        bytes[8] = 9
        var sum = CRC32C()
        sum.update(Array(bytes[0..<12]))
        for i in 0..<4 { bytes[12 + i] = UInt8(sum.value >> (8 * i) & 0xFF) }
        try await StoredRows.setBytes(bytes, ofBlock: 1, in: bench.generation, bench.database)
        let before = try await Self.dump(bench.database)
        let encoder = EncodingQueue(bench.vectorizer)
        for completing in [.always, .upTo(1_000), .never] as [CareerGenerationBuilder.Completion] {
            await #expect(throws: SnapshotError.newerFormat(found: 9, supported: 2)) {
                try await EngineFixture.build(
                    bench.careers, encoder: encoder, database: bench.database, quiz: bench.quiz,
                    completing: completing)
            }
        }
        for isForced in [false, true] {
            await #expect(throws: SnapshotError.newerFormat(found: 9, supported: 2)) {
                try await Reembedder(bench.database).run(
                    bench.careers, encoder: encoder, options: .init(isForced: isForced))
            }
        }
        #expect(try await Self.dump(bench.database) == before)
        #expect("\(SnapshotError.newerFormat(found: 9, supported: 2))".contains("format 9"))
    }

    private static func dump(_ database: any SQLDatabase) async throws -> [String] {
        try await database.read { connection in
            let generations = try connection.query("SELECT id, state, row_count FROM index_generations ORDER BY id")
            let blocks = try connection.query(
                "SELECT generation_id, number, hex(bytes) AS bytes FROM index_blocks ORDER BY 1, 2")
            return try generations.map { "\(try $0.int("id")) \(try $0.text("state")) \(try $0.int("row_count"))" }
                + blocks.map { "\(try $0.int("generation_id")) \(try $0.int("number")) \(try $0.text("bytes"))" }
        }
    }
}

@Suite struct `What a build completes` {
    @Test func `never: old rows for changed texts, none for new careers, and the counts say so`() async throws {
        let database = try await EngineFixture.newDatabase()
        let vectorizer = WordVectorizer()
        let encoder = EncodingQueue(vectorizer)
        let quiz = try BuiltIn.quiz()
        var careers = MadeUpCareers.make(60)
        let first = try await EngineFixture.build(careers, encoder: encoder, database: database, quiz: quiz)
        let generation = try #require(try await Reembedder(database).current()?.id)
        #expect(first.generation.embedding.current == 60 && first.generation.embedding.generation == generation)
        careers[0].description += " changed"
        careers[1].aliases.append("another title")
        careers.append(MadeUpCareers.make(number: 500))
        careers[2].cluster = "elsewhere"

        let asked = vectorizer.asked.withLock { $0 }
        let served = try await EngineFixture.build(
            careers, encoder: encoder, database: database, quiz: quiz, completing: .never)
        #expect(vectorizer.asked.withLock { $0 } == asked)
        let state = served.generation.embedding
        #expect(state.current == 58 && state.stale == 2 && state.pending == 1 && state.generation == generation)
        #expect(served.statistics.embedded == 0 && served.statistics.careers == 61)
        #expect(served.generation.careers.count == 60 && served.generation.careers["career-0500"] == nil)
        // The old vector, and what is not embedded, anew.
        #expect(served.generation.careers["career-0000"]?.description == careers[0].description)
        #expect(served.generation.careers["career-0002"]?.cluster == "elsewhere")
        #expect(
            Self.embedding(of: "career-0000", in: served.generation)
                == Self.embedding(of: "career-0000", in: first.generation))

        for limit in [0, 1, 2] {
            let some = try await EngineFixture.build(
                careers, encoder: encoder, database: database, quiz: quiz, completing: .upTo(limit))
            #expect(some.generation.embedding == state)
        }
        let all = try await EngineFixture.build(
            careers, encoder: encoder, database: database, quiz: quiz, completing: .upTo(3))
        #expect(all.statistics.embedded == 3 && all.generation.careers.count == 61)
        #expect(all.generation.embedding.current == 61 && all.generation.embedding.generation != generation)
    }

    private static func embedding(of id: String, in generation: CareerGeneration) -> [Float]? {
        generation.index.slot(of: ItemID(id)).map { Array(generation.index.row(at: $0).prefix(768)) }
    }

    @Test func `up to a number: everything, where there is no generation yet`() async throws {
        let fixture = try await EngineFixture(careers: MadeUpCareers.make(30), completing: .upTo(0))
        #expect(fixture.recommender.current.embedding.current == 30)
    }

    @Test func `a generation's number is the revision that its vectors gave`() async throws {
        let fixture = try await EngineFixture(careers: MadeUpCareers.make(30))
        let revision = try await CareerRepository(fixture.database).revision()
        #expect(fixture.recommender.current.number == UInt64(revision) && revision > 0)
    }

    @Test func `no careers are told as such`() async throws {
        let database = try await EngineFixture.newDatabase()
        let quiz = try BuiltIn.quiz()
        await #expect(throws: CatalogueError.empty) {
            try await EngineFixture.build([], encoder: nil, database: database, quiz: quiz)
        }
    }
}
