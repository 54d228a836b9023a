import Synchronization
import TestSupport
import Testing
import VectorIndex
import VectorMath

@Suite struct `Changes to a live index` {
    /// Merged by the writer, or beside it but for the smallest, so that changes meet merges under way.
    @Test(arguments: 0..<12, [LiveIndex.defaultMergedAtOnce, 10, 0])
    func `random upserts and deletes leave what a dictionary would hold`(seed: Int, mergedAtOnce: Int) throws {
        var fixture = IndexFixture(seed: UInt64(1_000 + seed))
        let index = LiveIndex(layout: fixture.layout, mergedAtOnce: mergedAtOnce)
        var model: [ItemID: IndexItem] = [:]
        for step in 0..<80 {
            let upserts = Set(
                (0..<Int.random(in: 0...12, using: &fixture.random)).map { _ in
                    Int.random(in: 0..<150, using: &fixture.random)
                }
            ).sorted().map { fixture.item($0) }
            let deletes = (0..<Int.random(in: 0...6, using: &fixture.random)).map { _ in
                ItemID("item-\(Int.random(in: 0..<150, using: &fixture.random))")
            }
            let before = index.current
            let beforeCount = before.count
            try index.apply(upserting: upserts, deleting: deletes)
            for id in deletes { model[id] = nil }
            for item in upserts { model[item.id] = item }
            let now = index.current
            now.checkInvariants()
            #expect(now.count == model.count && now.number == UInt64(step + 1), "\(fixture.random)")
            #expect(Set(now.ids) == Set(model.keys), "\(fixture.random)")
            #expect(before.count == beforeCount)
            if step % 8 == 7 {
                let request = try fixture.request(ids: 150)
                if let result = try? now.search(request) {
                    #expect(
                        result.found == NaiveScan(items: model, layout: fixture.layout).search(request),
                        "\(fixture.random)")
                }
            }
        }
        #expect(index.current.slot(of: ItemID("never")) == nil)
        index.finishMerging()
        index.current.checkInvariants()
        #expect(Set(index.current.ids) == Set(model.keys) && index.current.number == 80)
        // Each is twice as large as the next, but where the last change came while others were merged.
        #expect(index.current.segmentCount <= 10)
    }

    @Test func `what dies while its segment is merged beside stays dead`() throws {
        var fixture = IndexFixture(seed: 7)
        let index = LiveIndex(layout: fixture.layout, mergedAtOnce: 0)
        let first = (0..<3_000).map { fixture.item($0) }
        try index.apply(upserting: first)
        // Makes a merge of all due, and goes on while it runs.
        try index.apply(upserting: (3_000..<5_000).map { fixture.item($0) })
        for start in stride(from: 0, to: 3_000, by: 100) {
            try index.apply(deleting: first[start..<start + 50].map(\.id))
        }
        index.finishMerging()
        let generation = index.current
        generation.checkInvariants()
        #expect(generation.count == 3_500 && generation.segmentCount == 1)
        #expect(generation.slot(of: first[149].id) == nil && generation.slot(of: first[150].id) != nil)
    }

    @Test func `replacing everything while a merge runs leaves nothing of what was there`() throws {
        var fixture = IndexFixture(seed: 8)
        let index = LiveIndex(layout: fixture.layout, mergedAtOnce: 0)
        for start in stride(from: 0, to: 4_000, by: 2_000) {
            try index.apply(upserting: (start..<start + 2_000).map { fixture.item($0) })
        }
        try index.replaceAll(with: (9_000..<9_010).map { fixture.item($0) })
        index.finishMerging()
        #expect(index.current.count == 10 && index.current.slot(of: ItemID("item-3")) == nil)
    }

    @Test(arguments: [LiveIndex.defaultMergedAtOnce, 0])
    func `an item whose attribute is of another kind than a living one's is refused at once`(mergedAtOnce: Int) throws {
        let layout = RowLayout(embeddingCount: 16, abilityCount: 0)
        let index = LiveIndex(layout: layout, mergedAtOnce: mergedAtOnce)
        let vector: [Float] = [1] + Array(repeating: 0, count: 15)
        func item(_ id: Int, _ value: AttributeValue) -> IndexItem {
            IndexItem(id: ItemID("\(id)"), embedding: vector, abilities: [], attributes: ["pay": value])
        }
        // The first is so large that nothing is merged with it.
        try index.apply(upserting: (0..<50).map { item($0, .number(5)) })
        #expect(throws: IndexError.attributeKind("pay", expected: "numbers")) {
            try index.apply(upserting: [item(60, .keywords(["high"]))])
        }
        #expect(index.current.count == 50 && index.current.number == 1)
        // Nobody has the other kind any more.
        try index.apply(upserting: (0..<50).map { item($0, .keywords(["high"])) })
        #expect(throws: IndexError.attributeKind("pay", expected: "words")) {
            try index.apply(upserting: [item(60, .number(1))])
        }
        // Whether the dead ones have been merged away makes no difference to a filter.
        let query = try FusedQuery(embedding: vector, abilities: [], alpha: 1, lambda: 1, layout: layout)
        let wanted = SearchRequest(query: query, limit: 100, maxPerCluster: nil, filter: .anyOf("pay", ["high"]))
        #expect(try index.current.search(wanted).hits.count == 50)
        try index.apply(upserting: [item(60, .keywords([]))])
        index.finishMerging()
        #expect(try index.current.search(wanted).hits.count == 50)
        index.current.checkInvariants()
        #expect(index.current.count == 51)
    }

    @Test func `an item's row, cluster and inner product are read back`() throws {
        var fixture = IndexFixture(seed: 5)
        let index = LiveIndex(layout: fixture.layout)
        let items = (0..<40).map { fixture.item($0) }
        for item in items { try index.apply(upserting: [item]) }
        let generation = index.current
        for item in items {
            let slot = try #require(generation.slot(of: item.id))
            #expect(generation.id(of: slot) == item.id && generation.cluster(of: slot) == item.cluster)
            let row = generation.row(at: slot)
            #expect(Array(row.prefix(item.embedding.count)) == item.embedding)
            let query = (0..<fixture.layout.rowCount).map { Float($0) }
            #expect(
                generation.innerProduct(query, at: slot) == RowScan.canonicalScore(query: query.span, row: row.span))
        }
    }

    @Test(arguments: [0, 1, 7, 100, 173, 1_000])
    func `a sample of its items is spread evenly over the living`(most: Int) throws {
        var fixture = IndexFixture(seed: 9)
        let index = LiveIndex(layout: fixture.layout)
        try index.apply(upserting: (0..<150).map { fixture.item($0) })
        try index.apply(
            upserting: (150..<200).map { fixture.item($0) },
            deleting: stride(from: 0, to: 81, by: 3).map { ItemID("item-\($0)") })
        let generation = index.current
        let living = generation.ids
        let count = min(most, 173)
        #expect(generation.count == 173)
        #expect(
            generation.slots(spread: most).map { generation.id(of: $0) }
                == (0..<count).map { living[$0 * 173 / count] })
    }

    @Test func `replacing everything leaves nothing of what was there`() throws {
        var fixture = IndexFixture(seed: 6)
        let index = LiveIndex(layout: fixture.layout)
        try index.apply(upserting: (0..<30).map { fixture.item($0) })
        let next = try index.replaceAll(with: (100..<110).map { fixture.item($0) })
        next.checkInvariants()
        #expect(next.count == 10 && next.number == 2 && next.slot(of: ItemID("item-3")) == nil)
    }
}

private final class Flag: Sendable {
    let isRaised = Atomic(false)
}

@Suite struct `Concurrency` {
    /// Every item of round r carries direction r, so a reader that saw two rounds at once would notice.
    @Test func `readers see whole generations while a writer replaces every item`() async throws {
        let layout = RowLayout(embeddingCount: 16, abilityCount: 0)
        let index = LiveIndex(layout: layout)
        let itemCount = 200
        @Sendable func items(round: Int) -> [IndexItem] {
            var vector = [Float](repeating: 0, count: 16)
            vector[round % 16] = 1
            return (0..<itemCount).map {
                IndexItem(
                    id: ItemID("item-\($0)"), embedding: vector, abilities: [], cluster: "c\($0 % 20)",
                    attributes: ["round": .number(Double(round))])
            }
        }
        try index.apply(upserting: items(round: 0))
        let finished = Flag()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for reader in 0..<4 {
                group.addTask {
                    var reads = 0
                    var latest: UInt64 = 0
                    repeat {
                        let generation = index.current
                        #expect(generation.number >= latest)
                        latest = generation.number
                        var found = 0
                        for axis in 0..<16 {
                            var vector = [Float](repeating: 0, count: 16)
                            vector[axis] = 1
                            let query = try FusedQuery(
                                embedding: vector, abilities: [], alpha: 1, lambda: 1, layout: layout)
                            let request = SearchRequest(query: query, limit: itemCount, maxPerCluster: nil)
                            let result =
                                reader % 2 == 0
                                ? try generation.search(request) : try generation.search(batch: [request])[0]
                            let exact = result.hits.filter { $0.score == 1 }.count
                            #expect(exact == 0 || exact == itemCount, "a mixture of rounds: \(exact)")
                            found += exact
                        }
                        #expect(found == itemCount && generation.count == itemCount)
                        reads += 1
                        // The cooperative pool has as many threads as processors: without this the writer may never run.
                        await Task.yield()
                    } while !finished.isRaised.load(ordering: .acquiring)
                    return reads
                }
            }
            group.addTask {
                for round in 1...60 {
                    try index.apply(upserting: items(round: round))
                    await Task.yield()
                }
                finished.isRaised.store(true, ordering: .releasing)
                return 0
            }
            var reads = 0
            for try await count in group { reads += count }
            #expect(reads >= 4)
        }
        #expect(index.current.number == 61)
    }

    @Test func `writers that race all land`() async throws {
        let layout = RowLayout(embeddingCount: 16, abilityCount: 0)
        let index = LiveIndex(layout: layout)
        let vector: [Float] = [1] + Array(repeating: 0, count: 15)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for i in 0..<50 {
                        try index.apply(
                            upserting: [IndexItem(id: ItemID("\(writer)-\(i)"), embedding: vector, abilities: [])])
                    }
                }
            }
            try await group.waitForAll()
        }
        index.current.checkInvariants()
        #expect(index.current.count == 400 && index.current.number == 400)
    }
}
