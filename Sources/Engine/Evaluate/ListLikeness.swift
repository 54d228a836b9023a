internal import VectorIndex

/// How alike careers are to one another, pair by pair, for lists of them.
struct ListLikeness {
    /// Mean cosines over pairs of a list.
    struct Cosines {
        var text: Double?
        var abilities: Double
    }

    /// For each career its unit row of texts; empty where there is no model.
    private let texts: [String: [Float]]
    private let abilities: [String: [Float]]

    init(_ generation: CareerGeneration) {
        var texts: [String: [Float]] = [:]
        if generation.space != nil {
            for id in generation.index.ids {
                guard let slot = generation.index.slot(of: id) else { continue }
                texts[id.text] = Array(generation.index.row(at: slot).prefix(generation.index.layout.embeddingCount))
            }
        }
        self.texts = texts
        abilities = generation.careers.mapValues { generation.frame.unitVector($0.abilities) }
    }

    /// - Returns: Nil for a list without a pair.
    func cosines(_ list: [String]) -> Cosines? {
        guard list.count > 1 else { return nil }
        return Cosines(text: texts.isEmpty ? nil : Self.mean(list, texts), abilities: Self.mean(list, abilities))
    }

    private static func mean(_ list: [String], _ vectors: [String: [Float]]) -> Double {
        let rows = list.map { vectors[$0] ?? [] }
        var sum = 0.0
        for i in rows.indices {
            for j in rows.indices where j > i { sum += zip(rows[i], rows[j]).reduce(0) { $0 + Double($1.0 * $1.1) } }
        }
        return sum / Double(rows.count * (rows.count - 1) / 2)
    }
}

/// Means over lists, list by list.
struct LikenessMeans {
    private var text = 0.0
    private var abilities = 0.0
    private var hasText = true
    private var lists = 0

    mutating func add(_ cosines: ListLikeness.Cosines?) {
        guard let cosines else { return }
        lists += 1
        abilities += cosines.abilities
        if let value = cosines.text { text += value } else { hasText = false }
    }

    /// Nil where there was no list with a pair, or there is no model.
    var textMean: Double? { lists > 0 && hasText ? text / Double(lists) : nil }
    /// Nil where there was no list with a pair.
    var abilityMean: Double? { lists > 0 ? abilities / Double(lists) : nil }
}

/// Lists drawn at random: what figures over recommended lists are held against.
struct RandomLists {
    private var careers: [Career]
    private let place: [String: Int]
    private var random: SplitMix64
    /// How often each career was drawn.
    private(set) var counts: [Int]
    private(set) var alike = LikenessMeans()

    /// - Parameter seed: of the sheets; the lists have a sequence of their own, so that no sheet changes with them.
    init(_ generation: CareerGeneration, seed: UInt64) {
        careers = generation.orderedCareers
        place = Dictionary(uniqueKeysWithValues: careers.enumerated().map { ($1.id, $0) })
        counts = Array(repeating: 0, count: careers.count)
        random = SplitMix64(seed: ~seed)
    }

    /// Draws a list of `count` careers, or of as many as there are clusters, one of a cluster.
    mutating func draw(_ count: Int, _ likeness: ListLikeness) {
        var list: [String] = []
        var clusters: Set<String> = []
        // Fisher and Yates's shuffle, only as far as the list needs it.
        for start in careers.indices where list.count < count {
            careers.swapAt(start, Int.random(in: start..<careers.count, using: &random))
            if clusters.insert(careers[start].cluster).inserted { list.append(careers[start].id) }
        }
        for id in list { if let place = place[id] { counts[place] += 1 } }
        alike.add(likeness.cosines(list))
    }
}

/// Gini's coefficient (1912): how unevenly something is shared out, from 0 (all alike) to nearly 1 (one has all).
package enum Gini {
    /// Σᵢ (2i − n − 1) · xᵢ / (n · Σ xᵢ) over ascending x, i from 1.
    ///
    /// - Parameter counts: one for everybody who could have had something, zeros included; each at least 0.
    /// - Returns: 0 where there is nothing to share.
    package static func coefficient(of counts: [Int]) -> Double {
        let total = counts.reduce(0, +)
        guard total > 0 else { return 0 }
        let sum = counts.sorted().enumerated().reduce(0.0) { sum, entry in
            sum + Double(2 * (entry.offset + 1) - counts.count - 1) * Double(entry.element)
        }
        return sum / (Double(counts.count) * Double(total))
    }
}
