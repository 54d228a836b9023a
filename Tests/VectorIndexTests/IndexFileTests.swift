import Foundation
import Synchronization
import TestSupport
import Testing
import VectorIndex
import VectorMath

@Suite struct `An index file` {
    @Test(arguments: IndexMemory.allCases, [0, 1, 31, 90, 700])
    func `gives back the same index: hits, ranks, bits and rescored rows`(memory: IndexMemory, rows: Int) throws {
        for seed in UInt64(0)..<4 {
            let fixture = try IndexFileFixture(seed: seed, rows: rows)
            let reading = try fixture.open(memory)
            let (before, after) = (fixture.index.current, reading.index.current)
            after.checkInvariants()
            #expect(reading.codesRemade == nil && reading.fingerprint == "of seed \(seed)")
            #expect(after.number == before.number && after.count == rows && after.ids == before.ids)
            #expect(after.bytesPerRow == before.bytesPerRow && after.attributeNames == before.attributeNames)
            for slot in (0..<rows).map({ Slot($0) }) {
                #expect(after.row(at: slot) == before.row(at: slot))
                #expect(after.cluster(of: slot) == before.cluster(of: slot))
            }
            // Of few rows none may have the attribute that a filter names.
            let requests = try IndexFileFixture.requests(seed: seed, count: 30, ids: rows).map { request in
                var request = request
                if rows < 30 { request.filter = nil }
                return request
            }
            let countsWork = memory == .full
            #expect(
                try after.answers(requests, countsBatchWork: countsWork)
                    == before.answers(requests, countsBatchWork: countsWork), "seed \(seed)")
        }
    }

    @Test(arguments: Shape.allCases, IndexMemory.allCases)
    func `takes changes, is saved and opened again, and finds what the naive scan finds`(
        shape: Shape, memory: IndexMemory
    ) throws {
        let layout = RowLayout(embeddingCount: 320, abilityCount: 15)
        var (first, oracle, random) = try `Search by codes`.fixture(
            shape, rows: 500, layout: layout, clusters: 20, codesFrom: 32, seed: 31)
        let folder = try TemporaryDirectory("index-file")
        let path = folder.file("a.index").path
        try first.save(to: path)
        var index = try LiveIndex.open(path, layout: layout, memory: memory, codesFrom: 32).index
        for round in 0..<12 {
            let changed = (0..<Int.random(in: 1...120, using: &random)).map { number in
                IndexItem(
                    id: ItemID("item-\(number * 5 + round)"),
                    embedding: Shape.allCases[round % 4].embedding(layout.embeddingCount, number, &random),
                    abilities: [], cluster: "c\(number % 3)", attributes: ["pay": .number(7)])
            }
            let deleted = (0..<9).map { ItemID("item-\(450 - round * 9 + $0)") }
            try index.apply(upserting: changed, deleting: deleted)
            for id in deleted { oracle.items[id] = nil }
            for item in changed { oracle.items[item.id] = item }
            if round % 3 == 2 { try index.save(to: path) }
            if round % 4 == 3 {
                try index.save(to: path)
                index = try LiveIndex.open(path, layout: layout, memory: memory, codesFrom: 32).index
            }
            index.current.checkInvariants()
            for _ in 0..<4 {
                let request = try `Search by codes`.request(shape, layout: layout, random: &random)
                `Search by codes`.expect(
                    try index.current.search(request), equals: oracle.search(request), request, random)
            }
        }
    }

    @Test func `of several segments and dead rows has the live ones, in order, along one set of axes`() throws {
        let fixture = try IndexFileFixture(seed: 5, rows: 300)
        var more = IndexFixture(seed: 55, layout: IndexFileFixture.layout)
        try fixture.index.apply(
            upserting: (280..<400).map { more.item($0) }, deleting: (0..<40).map { ItemID("item-\($0 * 3)") })
        let before = fixture.index.current
        try fixture.index.save(to: fixture.path)
        let after = try fixture.open().index.current
        #expect(after.ids == before.ids && after.footprint.codeBytes == after.count * after.codeBytesPerRow)
        let requests = try IndexFileFixture.requests(seed: 6, count: 30, ids: 400)
        for (a, b) in zip(try before.answers(requests), try after.answers(requests)) {
            #expect(a.found == b.found && a.matched == b.matched)
        }
        // Written again, nothing is different.
        let bytes = try fixture.bytes
        try fixture.open().index.save(to: fixture.path)
        #expect(try fixture.bytes == bytes)
    }

    @Test func `keeps float32 rows out of memory where that is asked for, until rows come`() throws {
        let fixture = try IndexFileFixture(seed: 7, rows: 200)
        let index = try fixture.open(.lean).index
        let rowBytes = IndexFileFixture.layout.rowCount * 4
        #expect(index.current.footprint.rowBytes == 0 && index.current.footprint.mappedBytes == 200 * rowBytes)
        var more = IndexFixture(seed: 77, layout: IndexFileFixture.layout)
        // More rows than the mapped ones: these stay where they are all the same.
        for start in stride(from: 1_000, to: 1_500, by: 50) {
            try index.apply(upserting: (start..<start + 50).map { more.item($0) })
        }
        #expect(index.current.footprint.rowBytes == 500 * rowBytes)
        #expect(index.current.footprint.mappedBytes == 200 * rowBytes)
        try index.save(to: fixture.path)
        #expect(index.current.footprint.rowBytes == 0 && index.current.footprint.mappedBytes == 700 * rowBytes)
        #expect(index.current.count == 700)
    }

    @Test func `may be replaced and taken away under an index that maps it`() throws {
        let fixture = try IndexFileFixture(seed: 8, rows: 200)
        let index = try fixture.open(.lean).index
        let requests = try IndexFileFixture.requests(seed: 9, ids: 200)
        let before = try index.current.answers(requests)
        let other = try IndexFileFixture(seed: 10, rows: 20)
        try other.index.save(to: fixture.path)
        #expect(try index.current.answers(requests) == before)
        try FileManager.default.removeItem(atPath: fixture.path)
        #expect(try index.current.answers(requests) == before)
    }

    @Test func `is not disturbed by what an interrupted writer left, which the next one takes over`() throws {
        let fixture = try IndexFileFixture(seed: 11)
        let left = fixture.path + ".new"
        try Data(repeating: 7, count: 3 << 20).write(to: URL(fileURLWithPath: left))
        #expect(try fixture.open().index.current.count == 90)
        try fixture.index.apply(deleting: [ItemID("item-0")])
        try fixture.index.save(to: fixture.path)
        #expect(try fixture.open().index.current.count == 89)
        #expect(!FileManager.default.fileExists(atPath: left))
    }

    @Test func `that cannot be written leaves everything as it was`() throws {
        let fixture = try IndexFileFixture(seed: 12, memory: .lean)
        let requests = try IndexFileFixture.requests(seed: 12)
        let before = try fixture.index.current.answers(requests)
        #expect(throws: IndexFileError.self) { try fixture.index.save(to: fixture.folder.path + "/nowhere/a.index") }
        // The writer's file is a folder.
        try FileManager.default.createDirectory(atPath: fixture.path + ".new", withIntermediateDirectories: false)
        #expect(throws: IndexFileError.self) { try fixture.index.save(to: fixture.path) }
        #expect(try fixture.index.current.answers(requests) == before)
        #expect(try fixture.open().index.current.answers(requests) == before)
    }

    @Test func `is written by one at a time`() throws {
        let fixture = try IndexFileFixture(seed: 13)
        let writer = try BlockFileWriter(replacing: fixture.path)
        #expect(throws: IndexFileError.notSaved(path: fixture.path, cause: .busy(path: fixture.path + ".new"))) {
            try fixture.index.save(to: fixture.path)
        }
        _ = consume writer
    }

    @Test func `is read by nobody who expects other rows`() throws {
        let fixture = try IndexFileFixture(seed: 14)
        #expect(throws: IndexFileError.otherLayout(path: fixture.path)) { try LiveIndex.open(fixture.path) }
        #expect(throws: IndexFileError.missing(path: "/nowhere")) { try LiveIndex.open("/nowhere") }
        var bytes = try fixture.bytes
        bytes.put(UInt32(9), at: 8)
        IndexFileFixture.sealHead(&bytes)
        try fixture.write(bytes)
        #expect(throws: IndexFileError.newerFormat(path: fixture.path, found: 9, supported: 1)) { try fixture.open() }
    }

    @Test func `without codes gets them when it is read, and the same ones`() throws {
        let fixture = try IndexFileFixture(seed: 15, codesFrom: .max)
        let reading = try fixture.open()
        #expect(reading.codesRemade == "the file has none")
        let direct = LiveIndex(layout: IndexFileFixture.layout, codesFrom: IndexFileFixture.codesFrom)
        var items = IndexFixture(seed: 15, layout: IndexFileFixture.layout)
        try direct.replaceAll(with: (0..<90).map { items.item($0) })
        let requests = try IndexFileFixture.requests(seed: 16)
        #expect(try reading.index.current.answers(requests) == direct.current.answers(requests))
    }

    @Test(arguments: [Shape.flat, .leading])
    func `is refitted where the rows have drifted from the axes, and only there`(shape: Shape) throws {
        let layout = RowLayout(embeddingCount: 256, abilityCount: 0)
        var random = SeededGenerator(seed: 17)
        let folder = try TemporaryDirectory("index-file")
        let path = folder.file("a.index").path
        let index = LiveIndex(layout: layout, codesFrom: 100)
        func items(_ shape: Shape, _ numbers: Range<Int>) -> [IndexItem] {
            numbers.map {
                IndexItem(id: ItemID("\($0)"), embedding: shape.embedding(256, $0, &random), abilities: [])
            }
        }
        func axes() throws -> [UInt8] {
            let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
            let section = try #require(IndexFileFixture.sections(of: bytes).first { $0.kind == 17 })
            return Array(bytes[section.range])
        }
        try index.replaceAll(with: items(.leading, 0..<600))
        try index.save(to: path)
        let before = try axes()
        // In shares too small to be merged with the first rows, whose axes are thus those that the writer asks for.
        for start in stride(from: 600, to: shape == .leading ? 650 : 900, by: 50) {
            try index.apply(upserting: items(shape, start..<start + 50))
        }
        try index.save(to: path)
        let areSame = try axes() == before
        #expect(areSame == (shape == .leading))
        let opened = try LiveIndex.open(path, layout: layout, codesFrom: 100).index.current
        let query = try FusedQuery(
            embedding: Shape.leading.embedding(256, 0, &random), abilities: [], alpha: 1, lambda: 1, layout: layout)
        let request = SearchRequest(query: query, limit: 10)
        #expect(try opened.search(request).found == index.current.search(request).found)
    }

    @Test(arguments: [false, true])
    func `has an attribute in one kind: that of the items that are left`(numbersFirst: Bool) throws {
        let folder = try TemporaryDirectory("index-file")
        let path = folder.file("a.index").path
        let kinds: [AttributeValue] = [.keywords(["high"]), .number(3)]
        let (first, second) = numbersFirst ? (kinds[1], kinds[0]) : (kinds[0], kinds[1])
        func item(_ number: Int, _ level: AttributeValue? = nil) -> IndexItem {
            IndexItem(
                id: ItemID("\(number)"), embedding: [], abilities: [], attributes: level.map { ["level": $0] } ?? [:])
        }
        // One item after ten is not merged with them, so that words and numbers lie side by side: the dead one's, the living's.
        let index = LiveIndex(layout: IndexFileFixture.layout)
        try index.apply(upserting: [item(0, first)] + (1..<10).map { item($0) })
        try index.apply(upserting: [item(10, second)], deleting: [ItemID("0")])
        try index.save(to: path)
        let opened = try LiveIndex.open(path, layout: IndexFileFixture.layout).index.current
        opened.checkInvariants()
        #expect(opened.count == 10 && opened.attributeNames == ["level"])

        let refusal = IndexFileError.unwritable(path: path, reason: "no")
        #expect("\(refusal)" == "the index cannot be written to \(path): no")

        // One after two, of which one goes in the same change, is merged with them.
        let small = LiveIndex(layout: IndexFileFixture.layout)
        try small.apply(upserting: [item(0, first), item(1)])
        let merged = try small.apply(upserting: [item(2, second)], deleting: [ItemID("0")])
        merged.checkInvariants()
        #expect(merged.count == 2 && merged.attributeNames == ["level"])
        // With both kinds alive it is refused, and nothing changes.
        #expect(throws: IndexError.self) { try small.apply(upserting: [item(3, first), item(4)]) }
        #expect(small.current.number == merged.number)
    }

    @Test func `is saved and read while others search`() throws {
        let fixture = try IndexFileFixture(seed: 18, rows: 300, memory: .lean)
        let requests = try IndexFileFixture.requests(seed: 19, count: 4, ids: 300).map { request in
            var request = request
            request.filter = nil
            return request
        }
        let before = try fixture.index.current.answers(requests).map(\.hits)
        let done = Atomic<Bool>(false)
        let wrong = Atomic<Int>(0)
        WorkerThreads.concurrently(2) { worker in
            // On one processor the second begins when the first has ended, so the first waits for nobody.
            if worker == 0 {
                for _ in 0..<15 where (try? fixture.index.save(to: fixture.path)) == nil {
                    wrong.add(1, ordering: .relaxed)
                }
                done.store(true, ordering: .releasing)
            } else {
                repeat {
                    let found = try? fixture.index.current.answers(requests).map(\.hits)
                    if found != before { wrong.add(1, ordering: .relaxed) }
                } while !done.load(ordering: .acquiring)
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
    }

    @Test(arguments: IndexMemory.allCases)
    func `spares making an index of the same items, and of no others`(memory: IndexMemory) throws {
        let folder = try TemporaryDirectory("index-file")
        let place = IndexPlace(path: folder.file("a.index").path, memory: memory)
        var fixture = IndexFixture(seed: 20, layout: IndexFileFixture.layout)
        var items = (0..<90).map { fixture.item($0) }
        func kept() throws -> (generation: Generation, notes: [String], wasRead: Bool) {
            let before = Self.identity(of: place.path)
            let (index, notes) = try LiveIndex.kept(items, at: place, layout: IndexFileFixture.layout, codesFrom: 32)
            return (index.current, notes, before != nil && before == Self.identity(of: place.path))
        }
        let requests = try IndexFileFixture.requests(seed: 21)
        let first = try kept()
        #expect(first.notes == [] && !first.wasRead)
        let second = try kept()
        #expect(second.notes == [] && second.wasRead)
        #expect(try second.generation.answers(requests) == first.generation.answers(requests))
        // Anything that an item has makes it another.
        let id = items[40].id
        for change in 0..<6 {
            switch change {
            case 0: items[40].id = ItemID("other")
            case 1: items[40].id = id
            case 2: items[40].cluster += "x"
            case 3: items[40].attributes["pay"] = .number(1_000)
            case 4: items[40].abilities = IndexFixture.unit(5, &fixture.random)
            default: items[40].embedding = IndexFixture.unit(30, &fixture.random)
            }
            #expect(try !kept().wasRead, "change \(change)")
            #expect(try kept().wasRead, "change \(change)")
        }
        // A damaged file is made anew, and said to have been.
        var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: place.path)))
        let sections = IndexFileFixture.sections(of: bytes)
        for kind in [6, 19] {
            let section = try #require(sections.first { $0.kind == kind })
            bytes[section.range.lowerBound + 5] ^= 1
            try Data(bytes).write(to: URL(fileURLWithPath: place.path))
            let healed = try kept()
            #expect(healed.notes.count == 1 && !healed.wasRead, "kind \(kind)")
            #expect(try kept().wasRead)
            bytes = Array(try Data(contentsOf: URL(fileURLWithPath: place.path)))
        }
        // Where nothing can be written, it is made every time.
        let nowhere = IndexPlace(path: folder.path + "/nowhere/a.index", memory: memory)
        let made = try LiveIndex.kept(items, at: nowhere, layout: IndexFileFixture.layout, codesFrom: 32)
        #expect(made.notes.count == 1 && made.index.current.count == 90)
    }

    private static func identity(of path: String) -> Int? {
        try? FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
    }
}

extension Generation {
    fileprivate var codeBytesPerRow: Int { bytesPerRow - layout.rowCount * 4 }
}
