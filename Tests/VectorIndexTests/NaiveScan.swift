import TestSupport
import VectorIndex
import VectorMath

/// The oracle: scores every item one at a time, sorts them all, and takes from the top.
struct NaiveScan {
    var items: [ItemID: IndexItem]
    let layout: RowLayout

    struct Found: Equatable, CustomStringConvertible {
        let id: ItemID
        let score: UInt32
        let rankBeforeCap: Int
        var description: String { "\(id) \(Float(bitPattern: score)) #\(rankBeforeCap)" }
    }

    func search(_ request: SearchRequest) -> [Found] {
        var scored: [Rank] = []
        for item in items.values where !request.excluded.contains(item.id) {
            if let filter = request.filter, !Self.meets(item, filter) { continue }
            scored.append(Rank(score: score(item, request.query.row), id: item.id))
        }
        scored.sort()
        var taken: [String: Int] = [:]
        var found: [Found] = []
        for (position, entry) in scored.enumerated() where found.count < request.limit {
            let cluster = items[entry.id]?.cluster ?? ""
            if let cap = request.maxPerCluster, taken[cluster, default: 0] >= cap { continue }
            taken[cluster, default: 0] += 1
            found.append(Found(id: entry.id, score: entry.score.bitPattern, rankBeforeCap: position + 1))
        }
        return found
    }

    func score(_ item: IndexItem, _ query: [Float]) -> Float {
        let row = row(of: item)
        var score = AlignedBuffer<Float>(count: 1, repeating: .nan)
        var out = score.mutableSpan
        RowScan.canonicalScores(query: query.span, rows: row.span, into: &out, using: .portable)
        return score[0]
    }

    func row(of item: IndexItem) -> [Float] {
        var row = [Float](repeating: 0, count: layout.rowCount)
        for i in item.embedding.indices { row[i] = item.embedding[i] }
        for i in item.abilities.indices { row[layout.embeddingCount + i] = item.abilities[i] }
        return row
    }

    static func meets(_ item: IndexItem, _ filter: Filter) -> Bool {
        func words(_ name: String) -> Set<String> {
            if case .keywords(let words) = item.attributes[name] { Set(words) } else { [] }
        }
        switch filter {
        case .anyOf(let name, let wanted): return !words(name).isDisjoint(with: wanted)
        case .allOf(let name, let wanted): return wanted.isSubset(of: words(name))
        case .range(let name, let range):
            if case .number(let number) = item.attributes[name] { return range.contains(number) }
            return false
        case .and(let parts): return parts.allSatisfy { meets(item, $0) }
        case .or(let parts): return parts.contains { meets(item, $0) }
        case .not(let part): return !meets(item, part)
        }
    }
}

extension SearchResult {
    /// Whether both found the same, whatever work it took.
    func sameFinding(as other: SearchResult) -> Bool {
        var other = other
        other.rescored = rescored
        return self == other
    }

    var found: [NaiveScan.Found] {
        hits.map { .init(id: $0.id, score: $0.score.bitPattern, rankBeforeCap: $0.rankBeforeCap ?? -1) }
    }
}

/// Random items and requests of the kinds that trip a search: ties, duplicates, zero rows, tiny clusters.
struct IndexFixture {
    var random: SeededGenerator
    let layout: RowLayout
    let clusterCount: Int
    /// The fewer directions, the more items have equal rows.
    let directions: [[Float]]

    init(
        seed: UInt64, layout: RowLayout = RowLayout(embeddingCount: 30, abilityCount: 5), clusters: Int = 5,
        directions: Int = 12
    ) {
        random = SeededGenerator(seed: seed)
        self.layout = layout
        clusterCount = clusters
        var random = random
        self.directions = (0..<directions).map { _ in Self.unit(layout.embeddingCount, &random) }
        self.random = random
    }

    static func unit(_ count: Int, _ random: inout SeededGenerator) -> [Float] {
        let values = (0..<count).map { _ in Float(random.nextGaussian()) }
        let norm = RowScan.norm(values.span)
        return values.map { Float(Double($0) / norm) }
    }

    mutating func item(_ id: Int) -> IndexItem {
        let kind = Int.random(in: 0..<10, using: &random)
        let embedding: [Float] =
            kind == 0
            ? [] : kind < 5 ? directions.randomElement(using: &random)! : Self.unit(layout.embeddingCount, &random)
        let abilities: [Float] =
            kind == 1 ? Array(repeating: 0, count: layout.abilityCount) : Self.unit(layout.abilityCount, &random)
        var attributes: [String: AttributeValue] = [
            "level": .keywords([["a", "b", "c"].randomElement(using: &random)!])
        ]
        if Bool.random(using: &random) { attributes["pay"] = .number(Double(Int.random(in: 0..<100, using: &random))) }
        let skills = (0..<Int.random(in: 0..<4, using: &random)).map { _ in "s\(Int.random(in: 0..<6, using: &random))"
        }
        attributes["skills"] = .keywords(skills)
        return IndexItem(
            id: ItemID("item-\(id)"), embedding: embedding,
            abilities: kind < 5 ? Array(abilities.prefix(0)) : abilities,
            cluster: "c\(Int.random(in: 0..<clusterCount, using: &random))", attributes: attributes)
    }

    mutating func filter() -> Filter? {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: .anyOf("level", ["a"])
        case 1: .allOf("skills", ["s1", "s2"])
        case 2: .range("pay", 20...60)
        case 3: .and([.anyOf("level", ["a", "b"]), .not(.anyOf("skills", ["s0"]))])
        case 4: .or([.range("pay", 0...10), .anyOf("level", ["c"])])
        case 5: .anyOf("level", ["nowhere"])
        default: nil
        }
    }

    mutating func request(ids: Int) throws -> SearchRequest {
        let alpha = [0, 0.3, 0.7, 1].randomElement(using: &random)!
        let query = try FusedQuery(
            embedding: Bool.random(using: &random)
                ? directions.randomElement(using: &random)! : Self.unit(layout.embeddingCount, &random),
            abilities: Self.unit(layout.abilityCount, &random), alpha: Float(alpha),
            lambda: [Float(0.2), 1].randomElement(using: &random)!, layout: layout)
        let excluded = (0..<Int.random(in: 0..<5, using: &random)).map { _ in
            ItemID("item-\(Int.random(in: 0..<max(ids, 1), using: &random))")
        }
        return SearchRequest(
            query: query, limit: [0, 1, 2, 5, 10, 100, ids, ids + 7].randomElement(using: &random)!,
            maxPerCluster: [nil, 1, 1, 2, 3, ids].randomElement(using: &random)!, filter: filter(),
            excluded: Set(excluded), wantsRankBeforeCap: true)
    }
}
