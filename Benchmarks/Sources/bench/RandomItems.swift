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

    /// The items of `numbers`, in order.
    func items(_ numbers: Range<Int>) -> [IndexItem] {
        let workers = WorkerThreads.processorCount
        let share = (numbers.count + workers - 1) / workers
        let parts = WorkerThreads.map(workers) { worker in
            let start = min(numbers.lowerBound + worker * share, numbers.upperBound)
            return (start..<min(start + share, numbers.upperBound)).map(item)
        }
        return parts.flatMap { $0 }
    }

    /// The query of `number`, as different from the items as they are from each other.
    func query(_ number: Int) throws -> FusedQuery {
        let item = item(Self.firstQuery + number)
        return try FusedQuery(
            embedding: item.embedding, abilities: item.abilities, alpha: 0.7, lambda: 0.2, layout: layout)
    }

    /// An index of the items `0..<count`.
    ///
    /// Put in by shares of two thirds of what is left: each segment is then twice as large as all after it, so none
    /// is ever merged, and beside the index memory is needed for the items of the first share alone.
    func index(count: Int) throws -> LiveIndex {
        let index = LiveIndex(layout: layout)
        var start = 0
        while start < count {
            let left = count - start
            let share = left < 20_000 ? left : (left * 2 + 2) / 3
            try index.apply(upserting: items(start..<start + share))
            start += share
        }
        return index
    }
}

/// SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014).
private struct SplitMix64 {
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
