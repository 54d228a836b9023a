/// What the index is told of an item.
package struct IndexItem: Sendable {
    /// Where an embedding is.
    enum Source: Sendable {
        case values([Float])
        case snapshot(SnapshotRows, row: Int)
    }

    package var id: ItemID
    var source: Source
    /// Centred and of unit length; empty or all zero where the item is just average.
    package var abilities: [Float]
    package var cluster: String
    package var attributes: [String: AttributeValue]

    /// Of unit length, or empty where the item has none; copied at every access where it is a snapshot's row.
    package var embedding: [Float] {
        get {
            switch source {
            case .values(let values): values
            case .snapshot(let rows, let row): rows.row(at: row)
            }
        }
        set { source = .values(newValue) }
    }

    package init(
        id: ItemID, embedding: [Float], abilities: [Float], cluster: String = "",
        attributes: [String: AttributeValue] = [:]
    ) {
        self.id = id
        source = .values(embedding)
        self.abilities = abilities
        self.cluster = cluster
        self.attributes = attributes
    }

    /// An item whose embedding is a row of a snapshot, copied once: into the index.
    ///
    /// - Parameter row: 0 ..< rows.count.
    package init(
        id: ItemID, row: Int, of rows: SnapshotRows, abilities: [Float], cluster: String = "",
        attributes: [String: AttributeValue] = [:]
    ) {
        precondition(row >= 0 && row < rows.count, "row \(row) of \(rows.count)")
        self.id = id
        source = .snapshot(rows, row: row)
        self.abilities = abilities
        self.cluster = cluster
        self.attributes = attributes
    }
}
