import TestSupport
import Testing
import VectorIndex
import VectorMath

/// An index of several segments with dead rows, and the oracle for what lives in it.
struct ChangedIndex {
    let generation: Generation
    let oracle: NaiveScan

    init(_ fixture: inout IndexFixture, size: Int) throws {
        let index = LiveIndex(layout: fixture.layout)
        var live: [ItemID: IndexItem] = [:]
        var start = 0
        while start < size {
            let end = min(size, start + Int.random(in: 1...max(1, size / 2), using: &fixture.random))
            var change = (start..<end).map { fixture.item($0) }
            // Some that were there before: their old rows are dead.
            for _ in 0..<start / 8 {
                let again = fixture.item(Int.random(in: 0..<start, using: &fixture.random))
                if !change.contains(where: { $0.id == again.id }) { change.append(again) }
            }
            let gone = (0..<start / 16).map { _ in ItemID("item-\(Int.random(in: 0..<start, using: &fixture.random))") }
            try index.apply(upserting: change, deleting: gone)
            for id in gone { live[id] = nil }
            for item in change { live[item.id] = item }
            start = end
        }
        generation = index.current
        generation.checkInvariants()
        oracle = NaiveScan(items: live, layout: fixture.layout)
    }
}

@Suite struct `Search by liked and disliked examples` {
    @Test(arguments: 0..<40)
    func `equals the naive scan to the last bit, on any number of workers`(seed: Int) throws {
        var fixture = IndexFixture(
            seed: UInt64(7_000 + seed), clusters: [1, 2, 5, 40][seed % 4], directions: [1, 3, 12][seed % 3])
        let size = [0, 1, 2, 17, 64, 300, 700, 1_500][seed % 8]
        let index = try ChangedIndex(&fixture, size: size)
        for _ in 0..<10 {
            let conditions = try fixture.request(ids: size).conditions
            let liked = try (0..<Int.random(in: 1...4, using: &fixture.random)).map { _ in
                try fixture.request(ids: size).query
            }
            var disliked = try (0..<Int.random(in: 0...3, using: &fixture.random)).map { _ in
                try fixture.request(ids: size).query
            }
            // What is liked and disliked alike is no nearer to the one than to the other.
            if Bool.random(using: &fixture.random) { disliked.append(liked[0]) }
            guard let result = try? index.generation.search(best: liked, unlike: disliked, conditions) else {
                #expect(size < 300, "\(fixture.random)")
                continue
            }
            let expected = index.oracle.search(best: liked, unlike: disliked, conditions)
            #expect(result.found == expected.found, "\(fixture.random)")
            #expect(result.matched == expected.matched && result.setAside == expected.setAside, "\(fixture.random)")
            #expect(result.complete && result.exact && result.scanned == result.matched)
            for workers in [1, 2, 3, 7, 16] {
                let other = try index.generation.search(best: liked, unlike: disliked, conditions, workers: workers)
                #expect(other == result, "\(workers) workers, \(fixture.random)")
            }
        }
    }

    @Test func `one liked query and nothing disliked is a plain search`() throws {
        var fixture = IndexFixture(seed: 31)
        let index = try ChangedIndex(&fixture, size: 500)
        for _ in 0..<20 {
            let request = try fixture.request(ids: 500)
            let result = try index.generation.search(best: [request.query], request.conditions)
            #expect(try result == index.generation.search(request), "\(fixture.random)")
        }
    }

    @Test func `each liked example counts for itself, and a disliked one removes what is nearer to it`() throws {
        let layout = RowLayout(embeddingCount: 16, abilityCount: 0)
        func direction(_ parts: [Int: Float]) -> [Float] { (0..<16).map { parts[$0] ?? 0 } }
        let items: [(String, [Float])] = [
            ("baker", direction([0: 1])), ("pilot", direction([1: 1])), ("cook", direction([0: 0.8, 2: 0.6])),
            ("chemist", direction([0: 0.6, 2: 0.8])), ("between", direction([0: 0.6, 1: 0.8])),
        ]
        let generation = try LiveIndex(layout: layout).apply(
            upserting: items.map { IndexItem(id: ItemID($0.0), embedding: $0.1, abilities: []) })
        func query(_ axis: Int) throws -> FusedQuery {
            try FusedQuery(embedding: direction([axis: 1]), abilities: [], alpha: 1, lambda: 1, layout: layout)
        }
        let result = try generation.search(
            best: [query(0), query(1)], unlike: [query(2)], SearchConditions(limit: 9))
        #expect(result.hits.map(\.id.text) == ["baker", "pilot", "between", "cook"])
        #expect(result.setAside == 1 && result.matched == 5)
        let baker = try #require(generation.slot(of: ItemID("baker")))
        let like = try FusedQuery(like: generation.row(at: baker), alpha: 0.7, lambda: 1, layout: layout)
        #expect(try generation.search(SearchRequest(query: like, limit: 2)).hits.map(\.id.text) == ["baker", "cook"])
    }

    @Test func `nothing liked, or a query of another size, is refused`() throws {
        var fixture = IndexFixture(seed: 8)
        let index = try ChangedIndex(&fixture, size: 20)
        let query = try fixture.request(ids: 20).query
        let other = try FusedQuery(
            embedding: [1] + Array(repeating: 0, count: 99), abilities: [], alpha: 1, lambda: 1,
            layout: RowLayout(embeddingCount: 100, abilityCount: 0))
        let conditions = SearchConditions(limit: 3)
        #expect(throws: IndexError.zeroQuery) {
            try index.generation.search(best: [], unlike: [query], conditions)
        }
        for (liked, disliked) in [([query, other], [query]), ([query], [other])] {
            #expect(throws: IndexError.wrongDimension(what: "the query", expected: 48, found: 112)) {
                try index.generation.search(best: liked, unlike: disliked, conditions)
            }
        }
        #expect(throws: IndexError.negativeCount(what: "the number of results", value: -1)) {
            try index.generation.search(best: [query], SearchConditions(limit: -1))
        }
    }
}

@Suite struct `Maximal marginal relevance` {
    @Test(arguments: 0..<40)
    func `equals the definition to the last bit, on any number of workers`(seed: Int) throws {
        var fixture = IndexFixture(
            seed: UInt64(9_000 + seed), clusters: [1, 2, 5, 40][seed % 4], directions: [1, 3, 12][seed % 3])
        let size = [0, 1, 2, 17, 64, 130, 300][seed % 7]
        let index = try ChangedIndex(&fixture, size: size)
        for _ in 0..<6 {
            var request = try fixture.request(ids: size)
            request.limit = min(request.limit, 12)
            let weight = [0, 0.3, 0.5, 0.7, 0.999, Float(1).nextDown, 1].randomElement(using: &fixture.random)!
            let alpha = [0, 0.3, 0.7, 1].randomElement(using: &fixture.random)! as Float
            let lambda = [0.2, 1].randomElement(using: &fixture.random)! as Float
            guard
                let result = try? index.generation.search(
                    marginalRelevance: weight, request, alpha: alpha, lambda: lambda)
            else {
                #expect(size < 300, "\(fixture.random)")
                continue
            }
            let expected = index.oracle.search(
                marginalRelevance: weight, request, alpha: alpha, lambda: lambda)
            #expect(result.found == expected, "weight \(weight), \(fixture.random)")
            #expect(result.complete && result.exact && result.scanned == result.matched)
            for workers in [1, 2, 3, 7] {
                let other = try index.generation.search(
                    marginalRelevance: weight, request, alpha: alpha, lambda: lambda, workers: workers)
                #expect(other == result, "\(workers) workers, \(fixture.random)")
            }
        }
    }

    @Test func `with weight 1 is a plain search`() throws {
        var fixture = IndexFixture(seed: 11)
        let index = try ChangedIndex(&fixture, size: 400)
        for _ in 0..<20 {
            let request = try fixture.request(ids: 400)
            let result = try index.generation.search(marginalRelevance: 1, request, alpha: 0.7, lambda: 1)
            #expect(try result == index.generation.search(request), "\(fixture.random)")
        }
    }

    @Test func `spares the second of two equal rows while anything else is left`() throws {
        let layout = RowLayout(embeddingCount: 16, abilityCount: 0)
        func direction(_ parts: [Int: Float]) -> [Float] { (0..<16).map { parts[$0] ?? 0 } }
        let items: [(String, [Float])] = [
            ("a", direction([0: 0.8, 1: 0.6])), ("a again", direction([0: 0.8, 1: 0.6])),
            ("b", direction([0: 0.6, 2: 0.8])), ("c", direction([0: 0.28, 3: 0.96])),
        ]
        let generation = try LiveIndex(layout: layout).apply(
            upserting: items.map { IndexItem(id: ItemID($0.0), embedding: $0.1, abilities: []) })
        let query = try FusedQuery(
            embedding: direction([0: 1]), abilities: [], alpha: 1, lambda: 1, layout: layout)
        let request = SearchRequest(query: query, limit: 4, wantsRankBeforeCap: true)
        let result = try generation.search(marginalRelevance: 0.5, request, alpha: 1, lambda: 1)
        #expect(result.hits.map(\.id.text) == ["a", "b", "c", "a again"])
        #expect(result.hits.map(\.rankBeforeCap) == [1, 3, 4, 2])
        #expect(result.hits.map(\.score) == [0.8, 0.6, 0.28, 0.8])
    }

    @Test func `weights outside 0 to 1 are refused by name`() throws {
        var fixture = IndexFixture(seed: 12)
        let index = try ChangedIndex(&fixture, size: 20)
        let request = try fixture.request(ids: 20)
        for bad in [-0.01, 1.01, .infinity] as [Float] {
            #expect(throws: IndexError.weightOutOfRange(what: "the weight of relevance", value: bad)) {
                try index.generation.search(marginalRelevance: bad, request, alpha: 1, lambda: 1)
            }
            #expect(throws: IndexError.weightOutOfRange(what: "alpha", value: bad)) {
                try index.generation.search(marginalRelevance: 1, request, alpha: bad, lambda: 1)
            }
            #expect(throws: IndexError.weightOutOfRange(what: "lambda", value: bad)) {
                try index.generation.search(marginalRelevance: 0.5, request, alpha: 1, lambda: bad)
            }
        }
        #expect(throws: IndexError.self) {
            try index.generation.search(marginalRelevance: .nan, request, alpha: 1, lambda: 1)
        }
    }
}

@Suite struct `Search in batches` {
    @Test func `a batch may ask each query for something else`() throws {
        var fixture = IndexFixture(seed: 13)
        let index = try ChangedIndex(&fixture, size: 600)
        let query = try fixture.request(ids: 600).query
        let requests = [
            SearchRequest(query: query, limit: 3),
            SearchRequest(query: query, limit: 0),
            SearchRequest(query: query, limit: 600, maxPerCluster: 2, wantsRankBeforeCap: true),
            SearchRequest(query: query, limit: 50, filter: .range("pay", 20...60)),
            SearchRequest(query: query, limit: 50, maxPerCluster: 1, filter: .not(.anyOf("level", ["a"]))),
            SearchRequest(query: query, limit: 10, excluded: Set(index.generation.ids.prefix(300))),
        ]
        let batch = try index.generation.search(batch: requests)
        #expect(batch.count == requests.count)
        for (request, result) in zip(requests, batch) {
            #expect(try result.sameFinding(as: index.generation.search(request)), "\(fixture.random)")
        }
    }
}
