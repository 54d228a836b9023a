import TestSupport
import Testing
import VectorIndex
import VectorMath

/// Collections of the shapes that decide how much bounds can rule out.
enum Shape: CaseIterable {
    /// Directions of all sorts: nothing leads.
    case flat
    /// A few directions carry most of every row, as of texts.
    case leading
    /// Rows that differ in their last bits.
    case nearlyEqual
    /// One coordinate is nearly all of a row, so the steps of its codes are wide.
    case spiked

    func embedding(_ count: Int, _ number: Int, _ random: inout SeededGenerator) -> [Float] {
        var values = (0..<count).map { _ in random.nextGaussian() }
        switch self {
        case .flat: break
        case .leading: for i in values.indices { values[i] *= 1 / (1 + Double(i) * 0.2) }
        case .nearlyEqual: for i in values.indices { values[i] = Double(i % 7) - 3 + values[i] * 1e-7 }
        case .spiked: values[number % count] += 40
        }
        let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return values.map { Float($0 / norm) }
    }
}

@Suite struct `Search by codes` {
    static func fixture(
        _ shape: Shape, rows: Int, layout: RowLayout, clusters: Int, codesFrom: Int, seed: UInt64
    ) throws -> (index: LiveIndex, oracle: NaiveScan, random: SeededGenerator) {
        var random = SeededGenerator(seed: seed)
        let items = (0..<rows).map { number in
            IndexItem(
                id: ItemID("item-\(number)"),
                embedding: number % 97 == 0 ? [] : shape.embedding(layout.embeddingCount, number, &random),
                abilities: number % 5 == 0 ? [] : IndexFixture.unit(layout.abilityCount, &random),
                cluster: "c\(Int.random(in: 0..<clusters, using: &random))",
                attributes: ["pay": .number(Double(number % 100))])
        }
        // At times everything is merged beside, while the searches go on.
        let index = LiveIndex(
            layout: layout, codesFrom: codesFrom,
            mergedAtOnce: Bool.random(using: &random) ? 0 : LiveIndex.defaultMergedAtOnce)
        var start = 0
        while start < rows {
            let end = min(rows, start + Int.random(in: 1...max(1, rows), using: &random))
            try index.apply(upserting: Array(items[start..<end]))
            start = end
        }
        let oracle = NaiveScan(
            items: Dictionary(uniqueKeysWithValues: items.map { ($0.id, $0) }), layout: layout)
        return (index, oracle, random)
    }

    static func request(
        _ shape: Shape, layout: RowLayout, random: inout SeededGenerator
    ) throws -> SearchRequest {
        let query = try FusedQuery(
            embedding: shape.embedding(layout.embeddingCount, Int.random(in: 0..<1_000, using: &random), &random),
            abilities: IndexFixture.unit(layout.abilityCount, &random),
            alpha: layout.abilityCount == 0 ? 1 : [0, 0.3, 0.7, 1].randomElement(using: &random)!, lambda: 0.5,
            layout: layout)
        let filter: Filter? =
            switch Int.random(in: 0..<5, using: &random) {
            case 0: .range("pay", 10...80)
            case 1: .range("pay", 3...5)
            default: nil
            }
        return SearchRequest(
            query: query, limit: [1, 3, 10, 40].randomElement(using: &random)!,
            maxPerCluster: [nil, nil, 1, 2].randomElement(using: &random)!, filter: filter,
            excluded: [ItemID("item-1"), ItemID("item-3")], wantsRankBeforeCap: Bool.random(using: &random))
    }

    /// Hits and scores, and ranks where they were asked for.
    static func expect(
        _ result: SearchResult, equals expected: [NaiveScan.Found], _ request: SearchRequest, _ random: SeededGenerator
    ) {
        #expect(result.hits.map(\.id) == expected.map(\.id), "\(random)")
        #expect(result.hits.map(\.score.bitPattern) == expected.map(\.score), "\(random)")
        if request.wantsRankBeforeCap {
            #expect(result.hits.map { $0.rankBeforeCap ?? -1 } == expected.map(\.rankBeforeCap), "\(random)")
        }
        #expect(result.complete && result.exact)
    }

    @Test(arguments: Shape.allCases, [(30, 5), (64, 0), (320, 15), (384, 15)])
    func `finds what the naive scan finds, to the last bit`(shape: Shape, sizes: (Int, Int)) throws {
        let layout = RowLayout(embeddingCount: sizes.0, abilityCount: sizes.1)
        // Wide rows cost the naive scan the most.
        for seed in UInt64(0)..<(sizes.0 < 100 ? 4 : 2) {
            var (index, oracle, random) = try Self.fixture(
                shape, rows: 900, layout: layout, clusters: [3, 60][Int(seed) % 2], codesFrom: 32, seed: seed)
            for _ in 0..<12 {
                let request = try Self.request(shape, layout: layout, random: &random)
                Self.expect(try index.current.search(request), equals: oracle.search(request), request, random)
            }
            // Changes: some rows die, some come, segments merge with and without codes.
            for round in 0..<6 {
                let replaced = (0..<40).map { number in
                    IndexItem(
                        id: ItemID("item-\(number * 7 + round)"),
                        embedding: Shape.allCases[round % 4].embedding(layout.embeddingCount, number, &random),
                        abilities: [], cluster: "c\(number % 3)", attributes: ["pay": .number(7)])
                }
                let deleted = (0..<5).map { ItemID("item-\(500 + round * 5 + $0)") }
                try index.apply(upserting: replaced, deleting: deleted)
                for item in replaced { oracle.items[item.id] = item }
                for id in deleted { oracle.items[id] = nil }
                let request = try Self.request(shape, layout: layout, random: &random)
                Self.expect(try index.current.search(request), equals: oracle.search(request), request, random)
            }
            index.current.checkInvariants()
        }
    }

    @Test(arguments: Shape.allCases, [(30, 5), (256, 15)])
    func `in batches finds what the naive scan finds`(shape: Shape, sizes: (Int, Int)) throws {
        let layout = RowLayout(embeddingCount: sizes.0, abilityCount: sizes.1)
        var (index, oracle, random) = try Self.fixture(
            shape, rows: 2_600, layout: layout, clusters: 40, codesFrom: 100, seed: 21)
        try index.apply(deleting: (0..<30).map { ItemID("item-\($0 * 3)") })
        for number in 0..<30 { oracle.items[ItemID("item-\(number * 3)")] = nil }
        let requests = try (0..<70).map { _ in try Self.request(shape, layout: layout, random: &random) }
        let results = try index.current.search(batch: requests)
        for (request, result) in zip(requests, results) {
            Self.expect(result, equals: oracle.search(request), request, random)
        }
        // As on a processor whose codes are slower than products of the rows.
        for (request, result) in zip(requests, try index.current.search(batch: requests, byProducts: true)) {
            Self.expect(result, equals: oracle.search(request), request, random)
        }
    }

    @Test func `in batches is the same over many tiles, threads and groups`() throws {
        let layout = RowLayout(embeddingCount: 256, abilityCount: 15)
        var (index, _, random) = try Self.fixture(
            .leading, rows: 12_000, layout: layout, clusters: 50, codesFrom: 1_000, seed: 22)
        let requests = try (0..<300).map { _ in try Self.request(.leading, layout: layout, random: &random) }
        let results = try index.current.search(batch: requests)
        for i in stride(from: 0, to: 300, by: 9) {
            #expect(try results[i].sameFinding(as: index.current.search(requests[i])), "request \(i) \(random)")
        }
        #expect(results.allSatisfy { $0.rescored < 12_000 })
    }

    @Test(arguments: [256, 384])
    func `agrees with itself however the rows are split over threads and tiles`(dimension: Int) throws {
        let layout = RowLayout(embeddingCount: dimension, abilityCount: 15)
        var (index, oracle, random) = try Self.fixture(
            .leading, rows: 12_000, layout: layout, clusters: 50, codesFrom: 1_000, seed: 11)
        for _ in 0..<4 {
            let request = try Self.request(.leading, layout: layout, random: &random)
            Self.expect(try index.current.search(request), equals: oracle.search(request), request, random)
        }
    }

    @Test(arguments: Shape.allCases, [64, 384])
    func `finds the same after a first look at many tiles`(shape: Shape, dimension: Int) throws {
        let layout = RowLayout(embeddingCount: dimension, abilityCount: 5)
        var (index, oracle, random) = try Self.fixture(
            shape, rows: 14_000, layout: layout, clusters: 300, codesFrom: 1_000, seed: 31)
        for round in 0..<8 {
            let request = try Self.request(shape, layout: layout, random: &random)
            Self.expect(try index.current.search(request), equals: oracle.search(request), request, random)
            guard round == 4 else { continue }
            let deleted = (0..<200).map { ItemID("item-\($0 * 50)") }
            try index.apply(deleting: deleted)
            for id in deleted { oracle.items[id] = nil }
        }
    }

    @Test func `scores few rows where a few directions lead, and says how many`() throws {
        let layout = RowLayout(embeddingCount: 256, abilityCount: 0)
        let (index, _, _) = try Self.fixture(
            .leading, rows: 8_000, layout: layout, clusters: 9, codesFrom: 1_000, seed: 12)
        var random = SeededGenerator(seed: 13)
        let query = try FusedQuery(
            embedding: Shape.leading.embedding(256, 0, &random), abilities: [], alpha: 1, lambda: 1, layout: layout)
        let result = try index.current.search(SearchRequest(query: query, limit: 10))
        #expect(result.rescored >= 10 && result.rescored < 4_000, "\(result.rescored)")
        let plain = LiveIndex(layout: layout, codesFrom: .max)
        try plain.apply(upserting: [
            IndexItem(id: ItemID("a"), embedding: query.row, abilities: [], cluster: "c")
        ])
        #expect(try plain.current.search(SearchRequest(query: query, limit: 10)).rescored == 1)
    }

    @Test(arguments: [256, 384])
    func `that may be approximate says so and misses next to nothing`(dimension: Int) throws {
        let layout = RowLayout(embeddingCount: dimension, abilityCount: 15)
        let (index, oracle, _) = try Self.fixture(
            .leading, rows: 8_000, layout: layout, clusters: 9, codesFrom: 1_000, seed: 14)
        var random = SeededGenerator(seed: 15)
        var found = 0
        var rescored = (exact: 0, approximate: 0)
        for _ in 0..<10 {
            var request = try Self.request(.leading, layout: layout, random: &random)
            request.limit = 100
            request.maxPerCluster = nil
            request.filter = nil
            rescored.exact += try index.current.search(request).rescored
            request.conditions.isApproximate = true
            let result = try index.current.search(request)
            #expect(!result.exact && result.complete)
            rescored.approximate += result.rescored
            found += Set(result.hits.map(\.id)).intersection(oracle.search(request).map(\.id)).count
        }
        #expect(found >= 999, "\(found) of 1,000 \(random)")
        #expect(rescored.approximate < rescored.exact)
    }
}
