internal import VectorMath

/// The sound rows of a snapshot, frozen: one aligned matrix that the blocks were read straight into.
package final class SnapshotRows: Sendable {
    /// Floats in a row.
    package let dimension: Int
    /// One for each row, in order of block and row; no id twice.
    package let keys: [SnapshotKey]
    /// At least (keys.count, dimension), row-major.
    private let matrix: FrozenBuffer<Float>
    private let indices: [String: Int]

    init(dimension: Int, keys: [SnapshotKey], matrix: FrozenBuffer<Float>) {
        precondition(matrix.count >= keys.count * dimension)
        self.dimension = dimension
        self.keys = keys
        self.matrix = matrix
        indices = Dictionary(uniqueKeysWithValues: keys.enumerated().map { ($1.id, $0) })
    }

    package var count: Int { keys.count }

    /// The row of an item, or nil.
    package func index(of id: String) -> Int? { indices[id] }

    /// A copy of a row: (dimension), finite and of unit length.
    package func row(at index: Int) -> [Float] {
        read(row: index) { values in (0..<values.count).map { values[$0] } }
    }

    /// Calls `body` with a row, (dimension).
    package func read<Result>(row index: Int, _ body: (Span<Float>) -> Result) -> Result {
        precondition(index >= 0 && index < keys.count, "row \(index) of \(keys.count)")
        return matrix.read(index * dimension..<(index + 1) * dimension, body)
    }
}

/// A block as a database keeps it.
package struct StoredSnapshotBlock: Sendable {
    package let number: Int
    /// What the database says beside the bytes, or nil.
    package let rowCount: Int?
    /// Empty where they could not be read.
    package let bytes: [UInt8]

    package init(number: Int, rowCount: Int? = nil, bytes: [UInt8]) {
        self.number = number
        self.rowCount = rowCount
        self.bytes = bytes
    }
}

/// What the blocks of a snapshot must agree with.
package struct SnapshotExpectation: Sendable {
    package let space: String
    package let generation: UInt64
    /// Floats in a row, at least 1.
    package let dimension: Int
    /// Rows of all blocks together, or nil where that is not known.
    package let rowCount: Int?

    package init(space: String, generation: UInt64, dimension: Int, rowCount: Int? = nil) {
        precondition(dimension > 0, "a row has at least one number")
        self.space = space
        self.generation = generation
        self.dimension = dimension
        self.rowCount = rowCount
    }
}

/// What came of reading a snapshot.
package struct SnapshotReading: Sendable {
    /// The sound rows.
    package let rows: SnapshotRows
    /// Everything that was found to be wrong, by block and row; empty where nothing is.
    package let damage: [SnapshotDamage]
    /// The formats of the blocks that were read, so that the caller can write older ones anew.
    package let formats: Set<Int>
}
