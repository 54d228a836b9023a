import TestSupport
import Testing
import VectorIndex
import VectorMath

@Suite struct `A snapshot` {
    @Test(arguments: [[], [0], [1], [3, 0, 5], [64, 64, 7]])
    func `gives back what was written, each row to the last bit`(blockRows: [Int]) throws {
        for dimension in [1, 4, 16, 30, 768] {
            let fixture = SnapshotFixture(seed: 1, blockRows: blockRows, dimension: dimension)
            let reading = try SnapshotRows.read(fixture.blocks, expecting: fixture.expectation)
            #expect(reading.damage == [])
            #expect(reading.rows.keys == fixture.keys.flatMap { $0 })
            #expect(reading.rows.isPart(of: fixture.content) && reading.rows.dimension == dimension)
            #expect(reading.formats == (blockRows.isEmpty ? [] : [2]))
            for (index, key) in reading.rows.keys.enumerated() { #expect(reading.rows.index(of: key.id) == index) }
            #expect(reading.rows.index(of: "nobody") == nil)
        }
    }

    @Test func `puts the floats on a cache line`() {
        let fixture = SnapshotFixture(seed: 2, blockRows: [3], dimension: 768)
        let bytes = fixture.bytes(0)
        let floats = bytes.count - 3 * 768 * 4
        #expect(floats % 64 == 0)
        var first = Float(bitPattern: 0)
        withUnsafeMutableBytes(of: &first) { target in
            for i in 0..<4 { target[i] = bytes[floats + i] }
        }
        #expect(first == fixture.rows[0][0])
    }

    @Test func `becomes rows of an index without a difference to items made from arrays`() throws {
        let fixture = SnapshotFixture(seed: 3, blockRows: [40, 30], dimension: 30)
        let layout = RowLayout(embeddingCount: 30, abilityCount: 5)
        let rows = try SnapshotRows.read(fixture.blocks, expecting: fixture.expectation).rows
        var random = SeededGenerator(seed: 3)
        let abilities = IndexFixture.unit(5, &random)
        let direct = try LiveIndex(layout: layout).apply(
            upserting: rows.keys.enumerated().map {
                IndexItem(id: ItemID($1.id), embedding: rows.row(at: $0), abilities: abilities)
            })
        let items = rows.keys.enumerated().map {
            IndexItem(id: ItemID($1.id), row: $0, of: rows, abilities: abilities)
        }
        #expect(items[7].embedding == rows.row(at: 7))
        let straight = try LiveIndex(layout: layout).apply(upserting: items)
        let query = try FusedQuery(
            embedding: IndexFixture.unit(30, &random), abilities: abilities, alpha: 0.6, lambda: 1, layout: layout)
        let request = SearchRequest(query: query, limit: 70)
        #expect(try straight.search(request) == direct.search(request))
        for id in straight.ids {
            let slots = (try #require(straight.slot(of: id)), try #require(direct.slot(of: id)))
            #expect(straight.row(at: slots.0) == direct.row(at: slots.1))
        }
        #expect(throws: IndexError.wrongDimension(what: "the embedding of “0-0”", expected: 16, found: 30)) {
            try LiveIndex(layout: RowLayout(embeddingCount: 16, abilityCount: 5)).apply(
                upserting: [IndexItem(id: ItemID("0-0"), row: 0, of: rows, abilities: [])])
        }
    }

    static let goldenKeys = [
        SnapshotKey(id: "baker", textHash: "h1"), SnapshotKey(id: "é", textHash: "hash-2"),
    ]
    static let goldenRows: [Float] = [1, 0, 0, 0, 0.6, 0, -0.8, 0]
    /// Made by another program from the description of the format.
    static let goldenFormat1 = [UInt8](
        hex: """
            89504c5645430d0a01000000f9ad7c590700000000000000000000000400000002000000050000001000000000000000
            c000000000000000e4000000000000007370616365000000000000000000000000000000000000000000000000000000
            00000000000000000000000000000000000000000000000000000000edcb6801050000000200000062616b6572683100
            0200000006000000c3a9686173682d320000000000000000000000000000000000000000000000000000000000000000
            0000803f0000000000000000000000009a99193f00000000cdcc4cbf00000000b2f0dc14
            """)
    static let goldenFormat2 = [UInt8](
        hex: """
            89504c5645430d0a02000000c0245e3b0700000000000000000000000400000002000000050000001800000000000000
            c000000000000000e0000000000000007370616365000000000000000000000000000000000000000000000000000000
            0000000000000000000000000000000000000000000000000000000019891a93046678ee8f486b4d0500000002000000
            62616b657268310017c2f64c5df01c420200000006000000c3a9686173682d3200000000000000000000000000000000
            0000803f0000000000000000000000009a99193f00000000cdcc4cbf00000000
            """)
    static let goldenExpectation = SnapshotExpectation(space: "space", generation: 7, dimension: 4, rowCount: 2)

    @Test(arguments: [(1, goldenFormat1), (2, goldenFormat2)])
    func `of the older and of the current format is read as it was written`(format: Int, bytes: [UInt8]) throws {
        let reading = try SnapshotRows.read(
            [StoredSnapshotBlock(number: 0, bytes: bytes)], expecting: Self.goldenExpectation)
        #expect(reading.damage == [] && reading.formats == [format])
        #expect(reading.rows.keys == Self.goldenKeys)
        #expect(reading.rows.row(at: 0) + reading.rows.row(at: 1) == Self.goldenRows)
    }

    @Test func `is written byte for byte as the format says`() {
        let encoded = SnapshotBlock.encode(
            keys: Self.goldenKeys, rows: Self.goldenRows, dimension: 4, space: "space", generation: 7, number: 0)
        #expect(encoded == Self.goldenFormat2)
        let older = OlderSnapshotBlock.encode(
            keys: Self.goldenKeys, rows: Self.goldenRows, dimension: 4, space: "space", generation: 7, number: 0)
        #expect(older == Self.goldenFormat1)
    }

    @Test func `may have blocks of both formats`() throws {
        let fixture = SnapshotFixture(seed: 4, blockRows: [5, 6], dimension: 20)
        let older = OlderSnapshotBlock.encode(
            keys: fixture.keys[0], rows: fixture.rows[0], dimension: 20, space: SnapshotFixture.space,
            generation: SnapshotFixture.generation, number: 0)
        let reading = try SnapshotRows.read(
            [StoredSnapshotBlock(number: 1, bytes: fixture.bytes(1)), StoredSnapshotBlock(number: 0, bytes: older)],
            expecting: fixture.expectation)
        #expect(reading.damage == [] && reading.formats == [1, 2] && reading.rows.count == 11)
        #expect(reading.rows.isPart(of: fixture.content))
    }

    @Test func `of a newer format is refused, wherever in it, and whatever else the block says`() {
        let fixture = SnapshotFixture(seed: 5, blockRows: [2, 2], dimension: 8)
        for format in [3, 4, 255, 1 << 20, UInt32.max] {
            var bytes = fixture.bytes(1)
            bytes.put(UInt32(format), at: 8)
            bytes.put(CRC32C.checksum(of: bytes.span.extracting(0..<12)), at: 12)
            // A newer program may have another header, or none at all.
            for newer in [bytes, Array(bytes.prefix(16)), Array(bytes.prefix(16)) + [1, 2, 3]] {
                #expect(throws: SnapshotError.newerFormat(found: Int(format), supported: 2)) {
                    try SnapshotRows.read(
                        [fixture.blocks[0], StoredSnapshotBlock(number: 1, bytes: newer)],
                        expecting: fixture.expectation)
                }
            }
        }
    }

    @Test func `with a damaged format is damaged, and not newer`() throws {
        let fixture = SnapshotFixture(seed: 6, blockRows: [2], dimension: 8)
        for byte in 8..<12 {
            for mask in 1...255 as ClosedRange<UInt8> {
                var bytes = fixture.bytes(0)
                bytes[byte] ^= mask
                let reading = try SnapshotRows.read(
                    [StoredSnapshotBlock(number: 0, rowCount: 2, bytes: bytes)], expecting: fixture.expectation)
                #expect(reading.reasons == [.headerChecksum] && reading.rows.count == 0)
            }
        }
        var zero = fixture.bytes(0)
        zero.put(0 as UInt32, at: 8)
        zero.sealHeader()
        let reading = try SnapshotRows.read(
            [StoredSnapshotBlock(number: 0, rowCount: 2, bytes: zero)], expecting: fixture.expectation)
        #expect(reading.reasons == [.headerField("format")])
    }
}
