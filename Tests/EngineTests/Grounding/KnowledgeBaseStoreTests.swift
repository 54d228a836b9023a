import Engine
import Foundation
import Store
import TestSupport
import Testing
import VectorMath

/// A stored knowledge base whose bytes can be damaged.
private struct StoredBase {
    let database: any SQLDatabase
    let words = WordVectorizer()
    let store: KnowledgeBaseStore
    let base: KnowledgeBase
    /// All of it, as it was stored.
    let bytes: [UInt8]

    static let rule = Grounding.Rule(neighbours: 3, temperature: 0.07)

    init() async throws {
        database = try await EngineFixture.newDatabase()
        // A later one is later, however quickly it was made.
        let ticks = Guarded(0.0)
        store = KnowledgeBaseStore(database) {
            ticks.withLock { time in
                time += 1
                return Date(timeIntervalSince1970: 1_700_000_000 + time)
            }
        }
        base = try await store.made(of: Jobs.titles(), rule: Self.rule, encoder: EncodingQueue(words)).base
        let blocks = try await KnowledgeBaseRepository(database).blocks(of: base.checksum)
        bytes = blocks.flatMap { $0 }
        #expect(blocks.count == 1)
    }

    func makeAgain(
        _ titles: OccupationTitles = Jobs.titles(), rule: Grounding.Rule = StoredBase.rule
    ) async throws -> KnowledgeBase {
        try await store.made(of: titles, rule: rule, encoder: EncodingQueue(words)).base
    }

    var asked: Int { words.asked.withLock { $0 } }

    func write(_ bytes: [UInt8]) async throws {
        let id = base.checksum
        try await database.write { connection in
            _ = try connection.execute(
                "UPDATE knowledge_base_blocks SET bytes = ? WHERE knowledge_base_id = ? AND number = 0",
                [.blob(bytes), .text(id)])
        }
    }

    /// Whether such bytes are refused as damaged. What is read in spite of damage must be what was stored: JSON may say
    /// one number in several ways.
    func isRefused(_ bytes: [UInt8], _ what: String) async throws -> Bool {
        try await write(bytes)
        do {
            let read = try await store.read(base.checksum)
            #expect(read == base, "\(what)")
            return false
        } catch let error as GroundingError {
            guard case .damaged = error else {
                Issue.record("\(error), \(what)")
                return true
            }
            return true
        }
    }
}

@Suite struct `A stored knowledge base` {
    /// The JSON after its length: then come the codes after theirs, and the projection.
    private static func jsonEnd(_ bytes: [UInt8]) -> Int {
        8 + bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    private static func part(_ bytes: [UInt8]) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: bytes.count >> ($0 * 8)) } + bytes
    }

    @Test func `is read as it was made`() async throws {
        let stored = try await StoredBase()
        #expect(try await stored.store.read(stored.base.checksum) == stored.base)
        #expect(try await stored.store.read("another") == nil)
        #expect(stored.base.titles == Jobs.titles() && stored.base.rule == StoredBase.rule)
        let record = try #require(try await KnowledgeBaseRepository(stored.database).find(stored.base.checksum))
        #expect(record.textSpaceID == stored.words.space.id && record.titlesHash == Jobs.titles().hash)
        #expect(record.titles == Jobs.titles().titles.count && record.occupations == 5)
    }

    @Test func `is read from several blocks where it is large`() async throws {
        let careers = (0..<300).map { number in
            let word = MadeUpCareers.word(number)
            return Jobs.career("id-\(number)", word, (0..<12).map { "\(word) \(MadeUpCareers.word(500 + $0))" })
        }
        let database = try await EngineFixture.newDatabase()
        let store = KnowledgeBaseStore(database)
        let base = try await store.made(
            of: OccupationTitles(of: careers), rule: StoredBase.rule, encoder: EncodingQueue(WordVectorizer())
        ).base
        let blocks = try await KnowledgeBaseRepository(database).blocks(of: base.checksum)
        #expect(blocks.count > 1 && blocks.dropLast().allSatisfy { $0.count == 1 << 20 })
        #expect(try await store.read(base.checksum) == base)
    }

    @Test func `is made once, and what is new is all that is embedded`() async throws {
        let stored = try await StoredBase()
        let asked = stored.asked
        #expect(asked == Jobs.titles().titles.count)
        #expect(try await stored.makeAgain() == stored.base && stored.asked == asked)
        // Other titles, and another rule: another one, of the vectors that are had.
        let more = OccupationTitles(of: Jobs.few + [Jobs.career("vet", "Animal Doctor")])
        let second = try await stored.makeAgain(more)
        #expect(stored.asked == asked + 1 && second.titles == more)
        let warmer = try await stored.makeAgain(more, rule: .init(neighbours: 3, temperature: 0.08))
        #expect(stored.asked == asked + 1 && warmer.checksum != second.checksum && warmer.codes == second.codes)
        // The first is still there.
        #expect(try await stored.store.read(stored.base.checksum) == stored.base)
        #expect(try await stored.makeAgain() == stored.base && stored.asked == asked + 1)
    }

    @Test func `that is damaged is made anew, and stored`() async throws {
        let stored = try await StoredBase()
        var bytes = stored.bytes
        bytes[bytes.count / 2] ^= 4
        #expect(try await stored.isRefused(bytes, "one bit"))
        #expect(try await stored.makeAgain() == stored.base)
        // Who asks for it by its sum, as a space does, finds it whole again.
        #expect(try await stored.store.read(stored.base.checksum) == stored.base)
    }

    @Test func `with any bit of its words or lengths flipped is refused`() async throws {
        let stored = try await StoredBase()
        var random = SeededGenerator(seed: 370)
        let end = Self.jsonEnd(stored.bytes)
        try #require(end > 300 && end + 8 < stored.bytes.count)
        let codesEnd = end + 8 + Jobs.titles().titles.count * 384
        let lengths = Array(0..<8) + Array(end..<end + 8) + Array(codesEnd..<codesEnd + 8)
        for place in lengths {
            for bit in 0..<8 {
                var bytes = stored.bytes
                bytes[place] ^= 1 << UInt8(bit)
                #expect(try await stored.isRefused(bytes, "bit \(bit) of byte \(place)"))
            }
        }
        var refused = 0
        for place in 8..<end {
            var bytes = stored.bytes
            bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
            if try await stored.isRefused(bytes, "byte \(place), \(random)") { refused += 1 }
        }
        // Hardly a digit may be another without saying another number.
        #expect(refused >= end - 8 - 20, "\(random)")
    }

    @Test func `with any of its numbers changed is refused`() async throws {
        let stored = try await StoredBase()
        var random = SeededGenerator(seed: 371)
        for _ in 0..<500 {
            var bytes = stored.bytes
            let place = Int.random(in: Self.jsonEnd(bytes) + 8..<bytes.count, using: &random)
            bytes[place] ^= UInt8.random(in: 1...255, using: &random)
            #expect(try await stored.isRefused(bytes, "byte \(place), \(random)"))
        }
    }

    @Test func `that was cut off, or has more than it should, is refused`() async throws {
        let stored = try await StoredBase()
        var random = SeededGenerator(seed: 372)
        let end = Self.jsonEnd(stored.bytes)
        let lengths =
            [0, 1, 7, 8, 9, end - 1, end, end + 1, end + 7, end + 8, stored.bytes.count - 1, stored.bytes.count - 4]
            + (0..<150).map { _ in Int.random(in: 0..<stored.bytes.count, using: &random) }
        for length in lengths {
            #expect(try await stored.isRefused(Array(stored.bytes.prefix(length)), "\(length) bytes, \(random)"))
        }
        for _ in 0..<150 {
            var bytes = stored.bytes
            let place = Int.random(in: 0...bytes.count, using: &random)
            var added: [UInt8] = []
            for _ in 0..<Int.random(in: 1...9, using: &random) {
                added.append(UInt8.random(in: 0...255, using: &random))
            }
            bytes.insert(contentsOf: added, at: place)
            #expect(try await stored.isRefused(bytes, "\(added.count) bytes at \(place), \(random)"))
        }
        #expect(try await stored.isRefused(stored.bytes + stored.bytes, "twice"))
        #expect(try await stored.isRefused(stored.bytes, "whole") == false)
    }

    /// Under a sum that is theirs, words that are JSON and say what cannot be: told before anything is reckoned with them.
    @Test(arguments: [
        #"{"format":1,"dimension":9223372036854775807,"rule":{"neighbours":3,"temperature":1},"occupations":[],"#
            + #""titles":[{"text":"a","occupations":[0]},{"text":"b","occupations":[0]}]}"#,
        #"{"format":1,"dimension":-2,"rule":{"neighbours":3,"temperature":1},"occupations":[],"titles":[]}"#,
        #"{"format":1,"dimension":0,"rule":{"neighbours":3,"temperature":1},"occupations":[],"titles":[]}"#,
        #"{"format":2,"dimension":4,"rule":{"neighbours":3,"temperature":1},"occupations":[],"titles":[]}"#,
        #"{"format":1,"dimension":4,"rule":{"neighbours":0,"temperature":1},"occupations":[],"titles":[]}"#,
        #"{"format":1,"dimension":4,"rule":{"neighbours":3,"temperature":0},"occupations":[],"titles":[]}"#,
        #"{"format":1,"dimension":4,"rule":{"neighbours":3,"temperature":-1},"occupations":[],"titles":[]}"#,
        #"{"format":1,"dimension":4,"rule":{"neighbours":3,"temperature":1},"occupations":[],"#
            + #""titles":[{"text":"a","occupations":[0]}]}"#,
        #"{"format":1,"dimension":4,"rule":{"neighbours":3,"temperature":1},"occupations":[],"titles":[]}"#,
        "{}", "[]", "", "null", "\u{0}",
    ])
    func `that says what cannot be is refused`(json: String) async throws {
        let stored = try await StoredBase()
        // Without a code and with four, the first title's; without a number.
        for codes in [[], [1, 2, 3, 4]] as [[UInt8]] {
            let bytes = Self.part(Array(json.utf8)) + Self.part(codes) + Self.part([])
            let sum = SHA256.hash(bytes)
            let record = KnowledgeBaseRecord(
                id: sum, textSpaceID: "space", titlesHash: "titles", rule: "rule", titles: 1, occupations: 1)
            try await KnowledgeBaseRepository(stored.database).put(record, blocks: [bytes])
            let error = await #expect(throws: GroundingError.self) { _ = try await stored.store.read(sum) }
            guard case .damaged? = error else {
                Issue.record("\(String(describing: error)), \(json)")
                continue
            }
        }
    }
}
