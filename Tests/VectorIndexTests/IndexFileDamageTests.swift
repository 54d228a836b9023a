import Foundation
import TestSupport
import Testing
import VectorIndex
import VectorMath

@Suite struct `Damage to an index file` {
    /// Codes are mended from rows, anything else refuses the file; nothing is ever found wrongly.
    private static func check(
        _ fixture: IndexFileFixture, _ expected: [SearchResult], _ requests: [SearchRequest], memory: IndexMemory,
        mended: Bool, _ what: String
    ) {
        do {
            let reading = try fixture.open(memory)
            #expect(mended && reading.codesRemade != nil, "\(what)")
            #expect(try reading.index.current.answers(requests) == expected, "\(what)")
        } catch let error as IndexFileError {
            #expect(!mended, "\(what): \(error)")
            if case .damaged = error {} else { Issue.record("\(what): \(error)") }
        } catch {
            Issue.record("\(what): \(error)")
        }
    }

    @Test(arguments: IndexMemory.allCases)
    func `in any one byte is found; in codes it is mended, anywhere else the file is refused`(
        memory: IndexMemory
    ) throws {
        let fixture = try IndexFileFixture(seed: 41, rows: 40)
        var random = SeededGenerator(seed: 41)
        let requests = try IndexFileFixture.requests(seed: 42, count: 2, ids: 40)
        let expected = try fixture.index.current.answers(requests)
        let whole = try fixture.bytes
        let sections = IndexFileFixture.sections(of: whole)
        // Every byte of the head's fields and of small parts, some of large parts and of the zeros between.
        var positions = Array(0..<136 + sections.count * 28 + 4)
        for section in sections {
            let all = Array(section.range)
            positions += all.count < 400 ? all : (0..<150).map { _ in all.randomElement(using: &random)! }
            positions += [section.range.lowerBound, max(section.range.lowerBound, section.range.upperBound - 1)]
        }
        positions += (0..<300).map { _ in Int.random(in: 0..<whole.count, using: &random) }
        for position in positions {
            var bytes = whole
            bytes[position] ^= UInt8.random(in: 1...255, using: &random)
            try fixture.write(bytes)
            let kind = sections.first { $0.range.contains(position) }?.kind ?? 0
            Self.check(
                fixture, expected, requests, memory: memory, mended: kind >= 16,
                "byte \(position), kind \(kind), \(random)")
        }
    }

    @Test func `by a cut at any length, by a tail of zeros or more bytes is found`() throws {
        let fixture = try IndexFileFixture(seed: 43, rows: 40)
        var random = SeededGenerator(seed: 43)
        let whole = try fixture.bytes
        let lengths = Array(0..<200) + (0..<300).map { _ in Int.random(in: 0..<whole.count, using: &random) }
        for length in lengths + [whole.count - 1] {
            try fixture.write(Array(whole.prefix(length)))
            #expect(throws: IndexFileError.self, "cut at \(length)") { try fixture.open(.lean) }
            let zeroed = Array(whole.prefix(length)) + Array(repeating: 0, count: whole.count - length)
            guard zeroed != whole else { continue }
            try fixture.write(zeroed)
            #expect(throws: IndexFileError.self, "zeros from \(length)") { try fixture.open() }
        }
        try fixture.write(whole + [0])
        #expect(throws: IndexFileError.self) { try fixture.open() }
    }

    @Test func `by parts of another file is found`() throws {
        let fixture = try IndexFileFixture(seed: 44, rows: 40)
        let other = try IndexFileFixture(seed: 45, rows: 40)
        let requests = try IndexFileFixture.requests(seed: 46, count: 2, ids: 40)
        let expected = try fixture.index.current.answers(requests)
        let (whole, foreign) = (try fixture.bytes, try other.bytes)
        for (own, theirs) in zip(IndexFileFixture.sections(of: whole), IndexFileFixture.sections(of: foreign))
        where own.range.count == theirs.range.count && whole[own.range] != foreign[theirs.range] {
            var bytes = whole
            bytes.replaceSubrange(own.range, with: foreign[theirs.range])
            try fixture.write(bytes)
            Self.check(fixture, expected, requests, memory: .full, mended: own.kind >= 16, "kind \(own.kind)")
        }
        var bytes = whole
        bytes.replaceSubrange(0..<65_536, with: foreign[0..<65_536])
        try fixture.write(bytes)
        #expect(throws: IndexFileError.self) { try fixture.open() }
    }

    @Test func `to codes of fewer rows than get any is no matter, and nothing is said to be made anew`() throws {
        let fixture = try IndexFileFixture(seed: 49, rows: 40)
        let requests = try IndexFileFixture.requests(seed: 50, count: 2, ids: 40)
        var bytes = try fixture.bytes
        let codes = try #require(IndexFileFixture.sections(of: bytes).first { $0.kind == 19 })
        bytes[codes.range.lowerBound] ^= 1
        try fixture.write(bytes)
        let reading = try LiveIndex.open(fixture.path, layout: IndexFileFixture.layout, codesFrom: 1_000)
        let index = reading.index.current
        #expect(reading.codesRemade == nil && index.footprint.codeBytes == 0)
        #expect(try index.answers(requests).map(\.hits) == fixture.index.current.answers(requests).map(\.hits))
    }

    @Test(arguments: [(-1.0).bitPattern, Double.infinity.bitPattern, Double.nan.bitPattern])
    func `a greatest norm that is none is refused`(norm: UInt64) throws {
        try Self.checkHead(norm, at: 56)
    }

    @Test func `the last number that a generation can have is refused, since changes count on from it`() throws {
        try Self.checkHead(.max, at: 64)
    }

    /// A field of the head is refused although every checksum is right.
    private static func checkHead(_ field: UInt64, at offset: Int) throws {
        let fixture = try IndexFileFixture(seed: 48, rows: 40)
        var bytes = try fixture.bytes
        bytes.put(UInt32(truncatingIfNeeded: field), at: offset)
        bytes.put(UInt32(truncatingIfNeeded: field >> 32), at: offset + 4)
        IndexFileFixture.sealHead(&bytes)
        try fixture.write(bytes)
        let refusal = IndexFileError.damaged(path: fixture.path, part: "the head's fields do not fit each other")
        #expect(throws: refusal) { try fixture.open() }
    }

    /// With all checksums made right again what is behind them is reached: any error is good, a trap is not.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `never traps even where every checksum is right`(seed: UInt64) throws {
        let fixture = try IndexFileFixture(seed: 47, rows: 40)
        var random = SeededGenerator(seed: seed)
        let whole = try fixture.bytes
        let extremes: [UInt32] = [0, 1, 7, 64, 65_536, 1 << 24, 1 << 31, .max - 1, .max]
        let sections = IndexFileFixture.sections(of: whole)
        for round in 0..<700 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                if Bool.random(using: &random) {
                    // A field of the head.
                    let place = Int.random(in: 2..<(136 + sections.count * 24) / 4, using: &random) * 4
                    if place == 8 { continue }
                    bytes.put(extremes.randomElement(using: &random)!, at: place)
                } else {
                    // A number of a part that is not the rows or codes themselves.
                    let section = sections.filter { ![6, 19, 20].contains($0.kind) && $0.range.count >= 4 }
                        .randomElement(using: &random)!
                    let place =
                        section.range.lowerBound
                        + Int.random(in: 0..<section.range.count / 4, using: &random) * 4
                    bytes.put(
                        Bool.random(using: &random)
                            ? extremes.randomElement(using: &random)! : UInt32(random.next() & 0xFFFF_FFFF), at: place)
                }
            }
            let isTableWhole =
                bytes[136..<136 + sections.count * 24] == whole[136..<136 + sections.count * 24]
                && bytes[16..<24] == whole[16..<24]
            if isTableWhole { IndexFileFixture.seal(&bytes) } else { IndexFileFixture.sealHead(&bytes) }
            try fixture.write(bytes)
            do {
                let generation = try fixture.open(round % 2 == 0 ? .full : .lean).index.current
                #expect(generation.count <= 40, "round \(round), \(random)")
                _ = generation.ids
                _ = generation.attributeNames
            } catch is IndexFileError {}
        }
    }
}
