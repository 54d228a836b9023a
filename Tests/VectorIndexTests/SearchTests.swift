import TestSupport
import Testing
import VectorIndex
import VectorMath

@Suite struct `Search against the naive scan` {
    @Test(arguments: 0..<60)
    func `single and batch give its hits, scores and ranks to the last bit`(seed: Int) throws {
        var fixture = IndexFixture(
            seed: UInt64(seed), clusters: [1, 2, 5, 40][seed % 4], directions: [1, 3, 12][seed % 3])
        let size = [0, 1, 2, 17, 64, 65, 300, 1_100, 3_000][seed % 9]
        let items = (0..<size).map { fixture.item($0) }
        let index = LiveIndex(layout: fixture.layout)
        // Several changes make several segments.
        var start = 0
        while start < size {
            let end = min(size, start + Int.random(in: 1...max(1, size / 2), using: &fixture.random))
            try index.apply(upserting: Array(items[start..<end]))
            start = end
        }
        let generation = index.current
        generation.checkInvariants()
        let oracle = NaiveScan(
            items: Dictionary(uniqueKeysWithValues: items.map { ($0.id, $0) }), layout: fixture.layout)
        var requests: [SearchRequest] = []
        for _ in 0..<20 {
            let request = try fixture.request(ids: size)
            // Attributes that no item has are refused; covered by its own test.
            if let result = try? generation.search(request) {
                #expect(result.found == oracle.search(request), "\(fixture.random)")
                #expect(result.complete && result.exact && result.scanned == result.matched)
                requests.append(request)
            } else {
                #expect(size < 300, "\(fixture.random)")
            }
        }
        let batch = try generation.search(batch: requests)
        for (request, result) in zip(requests, batch) {
            #expect(try result.sameFinding(as: generation.search(request)), "\(fixture.random)")
        }
    }

    @Test func `is the same when the rows are split over threads and queries over groups`() throws {
        var fixture = IndexFixture(seed: 99, layout: RowLayout(embeddingCount: 60, abilityCount: 4), clusters: 30)
        let items = (0..<20_000).map { fixture.item($0) }
        let index = LiveIndex(layout: fixture.layout)
        let generation = try index.apply(upserting: items)
        let oracle = NaiveScan(
            items: Dictionary(uniqueKeysWithValues: items.map { ($0.id, $0) }), layout: fixture.layout)
        var requests = try (0..<300).map { _ in try fixture.request(ids: 20_000) }
        for i in requests.indices { requests[i].limit = min(requests[i].limit, 100) }
        let results = try generation.search(batch: requests)
        #expect(results.count == 300)
        for i in stride(from: 0, to: 300, by: 10) {
            #expect(results[i].found == oracle.search(requests[i]), "request \(i), \(fixture.random)")
            #expect(try results[i].sameFinding(as: generation.search(requests[i])), "request \(i), \(fixture.random)")
        }
    }

    @Test func `a cluster that dominates does not crowd out the rest, nor shorten the list`() throws {
        let layout = RowLayout(embeddingCount: 16, abilityCount: 0)
        func axis(_ weight: Double) -> [Float] {
            [Float(weight), Float((1 - weight * weight).squareRoot())] + Array(repeating: 0, count: 14)
        }
        // 5,000 of one cluster beat every one of the five others.
        var items = (0..<5_000).map {
            IndexItem(id: ItemID("big-\($0)"), embedding: axis(0.99 - Double($0) * 1e-6), abilities: [], cluster: "big")
        }
        items += (0..<5).map {
            IndexItem(
                id: ItemID("small-\($0)"), embedding: axis(0.5 - Double($0) * 0.05), abilities: [], cluster: "s\($0)")
        }
        let generation = try LiveIndex(layout: layout).apply(upserting: items)
        let query = try FusedQuery(embedding: axis(1), abilities: [], alpha: 1, lambda: 1, layout: layout)
        let result = try generation.search(
            SearchRequest(query: query, limit: 5, maxPerCluster: 1, wantsRankBeforeCap: true))
        #expect(result.hits.map(\.id.text) == ["big-0", "small-0", "small-1", "small-2", "small-3"])
        #expect(result.hits.map(\.rankBeforeCap) == [1, 5_001, 5_002, 5_003, 5_004])
    }

    @Test func `equal scores are ordered by the bytes of the id`() throws {
        let layout = RowLayout(embeddingCount: 16, abilityCount: 0)
        let vector: [Float] = [1] + Array(repeating: 0, count: 15)
        let ids = ["b", "a", "é", "Z", "a\u{301}", "aa", ""]
        let items = ids.map { IndexItem(id: ItemID($0), embedding: vector, abilities: []) }
        let generation = try LiveIndex(layout: layout).apply(upserting: items)
        let query = try FusedQuery(embedding: vector, abilities: [], alpha: 1, lambda: 1, layout: layout)
        let hits = try generation.search(SearchRequest(query: query, limit: 10)).hits
        let expected = ids.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        #expect(hits.map { Array($0.id.text.utf8) } == expected.map { Array($0.utf8) })
    }
}

@Suite struct `Bad input to the index` {
    let layout = RowLayout(embeddingCount: 16, abilityCount: 3)
    let unit: [Float] = [1] + Array(repeating: 0, count: 15)

    func insert(_ item: IndexItem) throws { try LiveIndex(layout: layout).apply(upserting: [item]) }

    @Test func `rows that are not finite, not unit, or of another dimension are refused by name`() {
        func item(_ embedding: [Float], _ abilities: [Float] = []) -> IndexItem {
            IndexItem(id: ItemID("x"), embedding: embedding, abilities: abilities)
        }
        #expect(throws: IndexError.notFinite(what: "the embedding of “x”", position: 3)) {
            var bad = unit
            bad[3] = .nan
            try insert(item(bad))
        }
        #expect(throws: IndexError.notFinite(what: "the ability vector of “x”", position: 1)) {
            try insert(item(unit, [0, .infinity, 0]))
        }
        #expect(throws: IndexError.wrongDimension(what: "the embedding of “x”", expected: 16, found: 15)) {
            try insert(item(Array(unit.dropLast())))
        }
        #expect(throws: IndexError.notUnitLength(what: "the embedding of “x”", norm: 2)) {
            try insert(item(unit.map { $0 * 2 }))
        }
    }

    @Test func `a zero row is an item that nothing is known of: every query scores it 0`() throws {
        let generation = try LiveIndex(layout: layout).apply(
            upserting: [IndexItem(id: ItemID("zero"), embedding: [], abilities: [0, 0, 0])])
        let query = try FusedQuery(embedding: unit, abilities: [], alpha: 1, lambda: 1, layout: layout)
        #expect(try generation.search(SearchRequest(query: query, limit: 3)).hits.map(\.score) == [0])
    }

    @Test func `a query without direction is refused`() {
        for (embedding, abilities, alpha) in [
            ([], [], 0.5), (unit, [], 0), ([], [1, 0, 0], 1), ([Float](repeating: 0, count: 16), [0, 0, 0], 0.5),
        ] as [([Float], [Float], Float)] {
            #expect(throws: IndexError.zeroQuery) {
                try FusedQuery(embedding: embedding, abilities: abilities, alpha: alpha, lambda: 1, layout: layout)
            }
        }
        for alpha in [-0.1, 1.1, .nan] as [Float] {
            #expect(throws: IndexError.self) {
                try FusedQuery(embedding: unit, abilities: [], alpha: alpha, lambda: 1, layout: layout)
            }
        }
    }

    @Test func `counts below zero are refused, zero gives nothing, more than there are gives all`() throws {
        let generation = try LiveIndex(layout: layout).apply(
            upserting: (0..<4).map { IndexItem(id: ItemID("\($0)"), embedding: unit, abilities: []) })
        let query = try FusedQuery(embedding: unit, abilities: [], alpha: 1, lambda: 1, layout: layout)
        #expect(throws: IndexError.negativeCount(what: "the number of results", value: -1)) {
            try generation.search(SearchRequest(query: query, limit: -1))
        }
        #expect(throws: IndexError.negativeCount(what: "the cap per cluster", value: -2)) {
            try generation.search(SearchRequest(query: query, limit: 1, maxPerCluster: -2))
        }
        let none = try generation.search(SearchRequest(query: query, limit: 0))
        #expect(none.hits.isEmpty && none.matched == 4 && none.exact)
        #expect(try generation.search(SearchRequest(query: query, limit: 2, maxPerCluster: 0)).hits.isEmpty)
        #expect(try generation.search(SearchRequest(query: query, limit: .max)).hits.count == 4)
    }

    @Test func `an unknown attribute and the wrong kind of condition are named`() throws {
        let generation = try LiveIndex(layout: layout).apply(upserting: [
            IndexItem(
                id: ItemID("x"), embedding: unit, abilities: [],
                attributes: ["pay": .number(3), "skills": .keywords(["swift"])])
        ])
        let query = try FusedQuery(embedding: unit, abilities: [], alpha: 1, lambda: 1, layout: layout)
        func search(_ filter: Filter) throws -> SearchResult {
            try generation.search(SearchRequest(query: query, limit: 1, filter: filter))
        }
        #expect(throws: IndexError.unknownAttribute("colour", known: ["pay", "skills"])) {
            try search(.not(.anyOf("colour", ["red"])))
        }
        #expect(throws: IndexError.self) { try search(.anyOf("pay", ["3"])) }
        #expect(throws: IndexError.self) { try search(.range("skills", 0...1)) }
        #expect(try search(.allOf("skills", ["swift"])).hits.count == 1)
    }

    @Test func `an id given twice in one change is refused, and nothing changes`() throws {
        let index = LiveIndex(layout: layout)
        let item = IndexItem(id: ItemID("x"), embedding: unit, abilities: [])
        #expect(throws: IndexError.duplicateID(ItemID("x"))) { try index.apply(upserting: [item, item]) }
        #expect(index.current.count == 0 && index.current.number == 0)
    }
}
