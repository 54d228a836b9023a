import TestSupport
import Testing
import VectorIndex
import VectorMath

@Suite struct `Damage to a snapshot` {
    @Test func `in any one byte is found, and costs no more than the row that it is in`() throws {
        var random = SeededGenerator(seed: 21)
        let fixture = SnapshotFixture(seed: 21, blockRows: [5, 4], dimension: 12)
        let content = fixture.content
        let untouched = fixture.blocks
        for number in 0...1 {
            let whole = fixture.bytes(number)
            let header = 128
            for position in whole.indices {
                var bytes = whole
                bytes[position] ^= UInt8.random(in: 1...255, using: &random)
                var blocks = untouched
                blocks[number] = StoredSnapshotBlock(number: number, rowCount: fixture.keys[number].count, bytes: bytes)
                let reading = try SnapshotRows.read(blocks, expecting: fixture.expectation)
                #expect(reading.damage.count == 1, "byte \(position), \(reading.damage), \(random)")
                #expect(reading.damage.allSatisfy { $0.block == number }, "byte \(position), \(random)")
                #expect(reading.rows.isPart(of: content), "byte \(position), \(random)")
                let lost = fixture.rowCount - reading.rows.count
                #expect(position < header ? lost == fixture.keys[number].count : lost <= 1, "byte \(position)")
            }
        }
    }

    @Test func `in any one byte of the older format is found`() throws {
        var random = SeededGenerator(seed: 22)
        for position in `A snapshot`.goldenFormat1.indices {
            var bytes = `A snapshot`.goldenFormat1
            bytes[position] ^= UInt8.random(in: 1...255, using: &random)
            let reading = try SnapshotRows.read(
                [StoredSnapshotBlock(number: 0, rowCount: 2, bytes: bytes)],
                expecting: `A snapshot`.goldenExpectation)
            #expect(reading.damage.count == 1 && reading.rows.count == 0, "byte \(position), \(random)")
        }
    }

    @Test func `in a byte of a large block is found`() throws {
        var random = SeededGenerator(seed: 23)
        let fixture = SnapshotFixture(seed: 23, blockRows: [256], dimension: 768)
        let content = fixture.content
        let whole = fixture.bytes(0)
        for _ in 0..<300 {
            var bytes = whole
            let position = Int.random(in: bytes.indices, using: &random)
            bytes[position] ^= UInt8.random(in: 1...255, using: &random)
            let reading = try SnapshotRows.read(
                [StoredSnapshotBlock(number: 0, rowCount: 256, bytes: bytes)], expecting: fixture.expectation)
            #expect(reading.damage.count == 1, "byte \(position), \(random)")
            #expect(reading.rows.count >= (position < 128 ? 0 : 255), "byte \(position), \(random)")
            #expect(reading.rows.isPart(of: content), "byte \(position), \(random)")
        }
    }

    @Test func `by a cut at any length is found, and whole rows before it are kept`() throws {
        let fixture = SnapshotFixture(seed: 24, blockRows: [5], dimension: 12)
        let whole = fixture.bytes(0)
        let firstRow = whole.count - 5 * 48
        for length in 0..<whole.count {
            let reading = try SnapshotRows.read(
                [StoredSnapshotBlock(number: 0, rowCount: 5, bytes: Array(whole.prefix(length)))],
                expecting: fixture.expectation)
            let kept = max(0, (length - firstRow) / 48)
            #expect(!reading.damage.isEmpty && reading.rows.count == kept, "cut at \(length)")
            #expect(reading.rows.isPart(of: fixture.content))
            let named = reading.damage.compactMap(\.id)
            if length >= firstRow { #expect(named == fixture.keys[0].dropFirst(kept).map(\.id)) }
        }
        for length in `A snapshot`.goldenFormat1.indices {
            let bytes = Array(`A snapshot`.goldenFormat1.prefix(length))
            let reading = try SnapshotRows.read(
                [StoredSnapshotBlock(number: 0, rowCount: 2, bytes: bytes)],
                expecting: `A snapshot`.goldenExpectation)
            #expect(reading.damage.count == 1 && reading.rows.count == 0, "cut at \(length)")
        }
    }

    @Test func `by a tail of zeros, as a lost page leaves it, is found`() throws {
        let fixture = SnapshotFixture(seed: 25, blockRows: [5], dimension: 12)
        let whole = fixture.bytes(0)
        for length in stride(from: 0, to: whole.count - 1, by: 3) {
            let bytes = Array(whole.prefix(length)) + Array(repeating: 0, count: whole.count - length)
            let reading = try SnapshotRows.read(
                [StoredSnapshotBlock(number: 0, rowCount: 5, bytes: bytes)], expecting: fixture.expectation)
            #expect(!reading.damage.isEmpty && reading.rows.isPart(of: fixture.content), "zeros from \(length)")
        }
    }

    @Test func `by bytes behind the end is found, and costs nothing`() throws {
        let fixture = SnapshotFixture(seed: 26, blockRows: [5], dimension: 12)
        let reading = try SnapshotRows.read(
            [StoredSnapshotBlock(number: 0, rowCount: 5, bytes: fixture.bytes(0) + [0, 0])],
            expecting: fixture.expectation)
        #expect(reading.reasons == [.trailingBytes(2)] && reading.rows.count == 5)
    }

    @Test func `by blocks of another place is found`() throws {
        let fixture = SnapshotFixture(seed: 27, blockRows: [3, 3], dimension: 12)
        func read(_ bytes: [UInt8]) throws -> SnapshotReading {
            try SnapshotRows.read(
                [fixture.blocks[0], StoredSnapshotBlock(number: 1, rowCount: 3, bytes: bytes)],
                expecting: fixture.expectation)
        }
        #expect(try read(fixture.bytes(1, generation: 13)).reasons == [.otherGeneration(13)])
        #expect(try read(fixture.bytes(1, space: "model-b")).reasons == [.otherSpace("model-b")])
        #expect(try read(fixture.bytes(0)).reasons == [.otherNumber(0)])
        #expect(try read([]).reasons == [.cutOff(bytes: 0)])
        #expect(try read(Array("SQLite format 3 and so on".utf8)).reasons == [.notABlock])
        let other = SnapshotFixture(seed: 1, blockRows: [1, 3], dimension: 13)
        #expect(try read(other.bytes(1)).reasons == [.otherDimension(expected: 12, found: 13)])
        let swapped = try SnapshotRows.read(
            [
                StoredSnapshotBlock(number: 0, bytes: fixture.bytes(1)),
                StoredSnapshotBlock(number: 1, bytes: fixture.bytes(0)),
            ], expecting: fixture.expectation)
        #expect(swapped.rows.count == 0 && swapped.damage.map(\.block) == [nil, 0, 1])
    }

    @Test func `by a row from another place is found`() throws {
        // Rows of equal sizes, moved with their key slots within the block and from another generation's.
        let keys = (0..<4).map { SnapshotKey(id: "id-\($0)", textHash: "h") }
        var random = SeededGenerator(seed: 28)
        let rows = (0..<4).flatMap { _ in IndexFixture.unit(16, &random) }
        func block(_ generation: UInt64) -> [UInt8] {
            SnapshotBlock.encode(
                keys: keys, rows: rows, dimension: 16, space: "s", generation: generation, number: 0)
        }
        let expectation = SnapshotExpectation(space: "s", generation: 1, dimension: 16, rowCount: 4)
        let slot = 24
        for (source, from) in [(block(1), 0), (block(2), 2)] {
            var bytes = block(1)
            bytes.replaceSubrange(
                128 + 2 * slot..<128 + 3 * slot, with: source[128 + from * slot..<128 + (from + 1) * slot])
            let floats = bytes.count - 4 * 64
            bytes.replaceSubrange(
                floats + 128..<floats + 192, with: source[floats + from * 64..<floats + (from + 1) * 64])
            let reading = try SnapshotRows.read(
                [StoredSnapshotBlock(number: 0, bytes: bytes)], expecting: expectation)
            #expect(reading.damage == [SnapshotDamage(block: 0, row: 2, reason: .keyChecksum)])
            #expect(reading.rows.keys.map(\.id) == ["id-0", "id-1", "id-3"])
        }
    }

    @Test func `by missing, repeated and impossible blocks is found`() throws {
        let fixture = SnapshotFixture(seed: 29, blockRows: [2, 2, 2, 2, 2], dimension: 8)
        let blocks = fixture.blocks
        func read(_ blocks: [StoredSnapshotBlock]) throws -> SnapshotReading {
            try SnapshotRows.read(blocks, expecting: fixture.expectation)
        }
        #expect(
            try read([blocks[0], blocks[3], blocks[4]]).damage == [
                SnapshotDamage(block: nil, reason: .rowTotal(expected: 10, found: 6)),
                SnapshotDamage(block: 1, reason: .missing(through: 2)),
            ])
        #expect(try read(Array(blocks.dropLast())).reasons == [.rowTotal(expected: 10, found: 8)])
        #expect(try read([]).reasons == [.rowTotal(expected: 10, found: 0)])
        #expect(try read(blocks + [blocks[2]]).reasons == [.repeatedNumber])
        for number in [-1, Int.min, Int.max, 1 << 32] {
            let reading = try read(blocks + [StoredSnapshotBlock(number: number, bytes: fixture.bytes(0))])
            #expect(reading.reasons == [.numberOutOfRange] && reading.rows.count == 10)
        }
        let last = StoredSnapshotBlock(number: Int(UInt32.max), rowCount: .max, bytes: [])
        #expect(
            try read(blocks + [last]).reasons == [
                .rowTotal(expected: 10, found: .max), .missing(through: Int(UInt32.max) - 1), .cutOff(bytes: 0),
            ])
        let wrongCount = StoredSnapshotBlock(number: 4, rowCount: 7, bytes: fixture.bytes(4))
        let reading = try read(Array(blocks.dropLast()) + [wrongCount])
        #expect(reading.reasons == [.rowCount(stored: 7, found: 2)] && reading.rows.count == 10)
    }

    @Test func `by rows that are no unit vectors is found`() throws {
        var fixture = SnapshotFixture(seed: 30, blockRows: [6], dimension: 8)
        fixture.rows[0][8 + 3] = .nan
        fixture.rows[0][16 + 1] = -.infinity
        for i in 24..<32 { fixture.rows[0][i] = 0 }
        for i in 32..<40 { fixture.rows[0][i] *= 1.001 }
        let reading = try SnapshotRows.read(fixture.blocks, expecting: fixture.expectation)
        #expect(reading.damage.map(\.row) == [1, 2, 3, 4])
        #expect(reading.damage.map(\.id) == fixture.keys[0][1...4].map(\.id))
        #expect(reading.reasons.prefix(3) == [.notFinite, .notFinite, .notUnitLength(squaredNorm: 0)])
        #expect(reading.rows.keys == [fixture.keys[0][0], fixture.keys[0][5]])
        #expect(reading.rows.isPart(of: fixture.content))
    }

    @Test func `by an id in two rows makes neither count`() throws {
        var fixture = SnapshotFixture(seed: 31, blockRows: [3, 3], dimension: 8)
        fixture.keys[1][2] = SnapshotKey(id: fixture.keys[0][1].id, textHash: "another")
        let reading = try SnapshotRows.read(fixture.blocks, expecting: fixture.expectation)
        let id = fixture.keys[0][1].id
        #expect(
            reading.damage == [
                SnapshotDamage(block: 0, row: 1, id: id, reason: .repeatedID),
                SnapshotDamage(block: 1, row: 2, id: id, reason: .repeatedID),
            ])
        #expect(reading.rows.count == 4 && reading.rows.index(of: id) == nil)
    }

    @Test func `in a header that contradicts itself is named, checksums or no checksums`() throws {
        let fixture = SnapshotFixture(seed: 32, blockRows: [3], dimension: 8)
        for (field, name) in [
            (28, "offset of the floats, or size of the block"), (32, "offset of the floats, or size of the block"),
            (40, "size of a key slot, or count of rows"), (48, "offset of the floats"), (56, "size of the block"),
        ] {
            var bytes = fixture.bytes(0)
            bytes[field] += 1
            bytes.sealHeader()
            let reading = try SnapshotRows.read(
                [StoredSnapshotBlock(number: 0, rowCount: 3, bytes: bytes)], expecting: fixture.expectation)
            #expect(reading.rows.count == 0 && reading.damage.count == 1)
            guard case .headerField(let found) = reading.reasons.first else {
                Issue.record("byte \(field): \(reading.damage)")
                continue
            }
            #expect(name.contains(found), "byte \(field)")
        }
    }

    @Test func `is said in words that name the block, the row and the item`() {
        let damage = SnapshotDamage(block: 3, row: 7, id: "baker", reason: .rowChecksum)
        #expect(damage.description == "block 3, row 7 (“baker”): the numbers have another checksum than was written")
        let total = SnapshotDamage(block: nil, reason: .rowTotal(expected: 9, found: 8))
        #expect(total.description == "the stored embeddings: the blocks have 8 rows where 9 were written")
    }
}

@Suite struct `Random bytes for a snapshot` {
    private static let extremes: [UInt32] = [
        0, 1, 2, 7, 8, 63, 64, 1 << 16, .max / 2, 1 << 31, .max - 7, .max - 3, .max,
    ]

    /// Changes `bytes` in one of the ways in which stored bytes go wrong.
    private static func mutate(_ bytes: inout [UInt8], with other: [UInt8], _ random: inout SeededGenerator) {
        guard !bytes.isEmpty else { return }
        switch Int.random(in: 0..<7, using: &random) {
        case 0:
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
        case 1:
            bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
        case 2:
            // The beginning of one and the end of another.
            let cut = Int.random(in: 0...min(bytes.count, other.count), using: &random)
            bytes = Array(bytes.prefix(cut)) + Array(other.dropFirst(cut))
        case 3:
            let start = Int.random(in: bytes.indices, using: &random)
            let end = min(bytes.count, start + Int.random(in: 1...64, using: &random))
            bytes.removeSubrange(start..<end)
        case 4:
            let start = Int.random(in: bytes.indices, using: &random)
            let end = min(bytes.count, start + Int.random(in: 1...64, using: &random))
            bytes.insert(contentsOf: bytes[start..<end], at: Int.random(in: 0...bytes.count, using: &random))
        case 5:
            // A size or offset of the header or of a key slot.
            let offset = Int.random(in: 0..<max(1, bytes.count / 4), using: &random) * 4
            if offset + 4 <= bytes.count { bytes.put(extremes.randomElement(using: &random)!, at: offset) }
        default:
            let start = Int.random(in: bytes.indices, using: &random)
            let end = min(bytes.count, start + Int.random(in: 1...64, using: &random))
            for i in start..<end { bytes[i] = UInt8.random(in: 0...255, using: &random) }
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `never trap and never give a wrong row`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let fixture = SnapshotFixture(seed: seed, blockRows: [4, 3], dimension: 6)
        let content = fixture.content
        let wholes = [fixture.bytes(0), fixture.bytes(1)]
        let others = wholes + [fixture.bytes(0, generation: 11), fixture.bytes(1, space: "model-b"), []]
        for round in 0..<8_000 {
            var blocks = fixture.blocks
            let number = Int.random(in: 0...1, using: &random)
            var bytes = wholes[number]
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                Self.mutate(&bytes, with: others.randomElement(using: &random)!, &random)
            }
            if bytes == wholes[number] { continue }
            blocks[number] = StoredSnapshotBlock(number: number, rowCount: blocks[number].rowCount, bytes: bytes)
            let reading = try SnapshotRows.read(blocks, expecting: fixture.expectation)
            #expect(!reading.damage.isEmpty, "round \(round), \(random)")
            #expect(reading.rows.isPart(of: content), "round \(round), \(random)")
        }
    }

    /// With checksums made right again, what is behind them is reached too; then anything may be read but memory that
    /// is not the block's.
    @Test(arguments: [1, 2])
    func `never trap even where the header's checksums are right`(format: UInt32) throws {
        var random = SeededGenerator(seed: UInt64(format))
        let fixture = SnapshotFixture(seed: 40, blockRows: [4], dimension: 6)
        let older = OlderSnapshotBlock.encode(
            keys: fixture.keys[0], rows: fixture.rows[0], dimension: 6, space: SnapshotFixture.space,
            generation: SnapshotFixture.generation, number: 0)
        let whole = format == 1 ? older : fixture.bytes(0)
        let fields = [28, 32, 36, 40, 48, 52, 56, 60]
        for round in 0..<12_000 {
            var bytes = whole
            if round % 2 == 0 {
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let field = fields.randomElement(using: &random)!
                    let near = UInt32(truncatingIfNeeded: Int.random(in: -9...9, using: &random))
                    let value =
                        Bool.random(using: &random)
                        ? Self.extremes.randomElement(using: &random)! : UInt32(bytes[field]) &+ near
                    bytes.put(value, at: field)
                }
            } else {
                Self.mutate(&bytes, with: fixture.bytes(0, generation: 11), &random)
            }
            guard bytes.count >= 64 else { continue }
            bytes.put(format, at: 8)
            // Consistent offsets, so that extremes of rows and slots get past them.
            if Bool.random(using: &random) { Self.reconcile(&bytes) }
            bytes.sealHeader()
            if format == 1, bytes.count > 128 {
                bytes.put(CRC32C.checksum(of: bytes.span.extracting(0..<bytes.count - 4)), at: bytes.count - 4)
            }
            for dimension in [6, Int(UInt32.max), 1] {
                let reading = try SnapshotRows.read(
                    [StoredSnapshotBlock(number: 0, bytes: bytes)],
                    expecting: SnapshotExpectation(
                        space: SnapshotFixture.space, generation: SnapshotFixture.generation, dimension: dimension))
                // Never more rows than the bytes can hold.
                #expect(reading.rows.count * dimension * 4 <= bytes.count, "round \(round), \(random)")
            }
        }
    }

    /// Makes the offset of the floats and the size of the block what the other fields say.
    private static func reconcile(_ bytes: inout [UInt8]) {
        func field(_ offset: Int) -> UInt64 {
            UInt64(bytes[offset]) | UInt64(bytes[offset + 1]) << 8 | UInt64(bytes[offset + 2]) << 16
                | UInt64(bytes[offset + 3]) << 24
        }
        let header = (68 &+ field(36) &+ 63) / 64 &* 64
        let floats = (header &+ field(32) &* field(40) &+ 63) / 64 &* 64
        let size = floats &+ field(28) &* field(32) &* 4 &+ (bytes[8] == 1 ? 4 : 0)
        bytes.put(floats, at: 48)
        bytes.put(size, at: 56)
    }
}
