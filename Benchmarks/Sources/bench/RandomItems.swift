import VectorIndex
import VectorMath

/// Items of random unit rows, each made from its number alone: the same whatever the order and the threads.
///
/// Random directions are the hard case for a search: scores lie closer together than those of texts do.
struct RandomItems: Sendable {
    static let clusterCount = 200
    /// Queries are numbered from here, beyond every item.
    private static let firstQuery = 1 << 40

    let layout: RowLayout

    func item(_ number: Int) -> IndexItem {
        var random = SplitMix64(state: UInt64(number) &* 0xD134_2543_DE82_EF95)
        return IndexItem(
            // At most 15 bytes, which a String holds without memory of its own.
            id: ItemID("i\(number)"), embedding: random.unitVector(layout.embeddingCount),
            abilities: random.unitVector(layout.abilityCount), cluster: "cluster \(number % Self.clusterCount)")
    }

    /// The query of `number`, as different from the items as they are from each other.
    func query(_ number: Int, alpha: Float = 0.7) throws -> FusedQuery {
        let item = item(Self.firstQuery + number)
        return try FusedQuery(
            embedding: item.embedding, abilities: item.abilities, alpha: alpha, lambda: 0.2, layout: layout)
    }

    /// An index of the items `0..<count`.
    func index(count: Int) throws -> LiveIndex {
        try BenchIndex.make(count: count, layout: layout) { item($0) }
    }
}

/// SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014).
struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Nearly Gaussian: the sum of four 16-bit uniform numbers, centred (Irwin–Hall), one draw instead of logarithms.
    mutating func nextGaussian() -> Float {
        let bits = next()
        let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
        return Float(Int64(sum) - 0x1FFFE)
    }

    mutating func unitVector(_ count: Int) -> [Float] {
        var values = [Float](repeating: 0, count: count)
        for i in values.indices { values[i] = nextGaussian() }
        let scale = Float(1 / RowScan.norm(values.span))
        for i in values.indices { values[i] *= scale }
        return values
    }
}
