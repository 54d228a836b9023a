/// How a row is laid out: `[ embedding | abilities | zeros ]`, padded to whole cache lines.
package struct RowLayout: Hashable, Sendable {
    /// 768 embedding floats and 15 abilities: 784 floats, 49 cache lines.
    package static let standard = RowLayout(embeddingCount: 768, abilityCount: 15)

    package let embeddingCount: Int
    package let abilityCount: Int
    /// Floats in a row, a multiple of 16.
    package let rowCount: Int

    package init(embeddingCount: Int, abilityCount: Int) {
        precondition(embeddingCount > 0 && abilityCount >= 0, "a row needs an embedding")
        self.embeddingCount = embeddingCount
        self.abilityCount = abilityCount
        rowCount = (embeddingCount + abilityCount + 15) / 16 * 16
    }
}

/// The name by which the world knows an item; the index itself works with dense slots.
///
/// Ordered by UTF-8 bytes: the same on every system, and the same as a database's binary collation.
package struct ItemID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let text: String

    package init(_ text: String) { self.text = text }

    package var description: String { text }

    package static func < (a: ItemID, b: ItemID) -> Bool {
        a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
    }
}

/// A row's place in one generation: dense, from 0, and meaningless in any other generation.
package struct Slot: Hashable, Comparable, Sendable {
    package let index: UInt32

    package init(_ index: Int) { self.index = UInt32(index) }

    package static func < (a: Slot, b: Slot) -> Bool { a.index < b.index }
}

/// An item's place in the order of results: greater score first, then smaller id.
package struct Rank: Comparable, Sendable {
    package let score: Float
    package let id: ItemID

    package init(score: Float, id: ItemID) {
        self.score = score
        self.id = id
    }

    /// Whether `a` comes before `b` in a result.
    package static func < (a: Rank, b: Rank) -> Bool {
        a.score != b.score ? a.score > b.score : a.id < b.id
    }
}
