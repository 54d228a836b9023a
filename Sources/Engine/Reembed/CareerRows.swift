package import Store
internal import VectorIndex

/// The stored rows of one generation, and what was wrong with some of them.
package struct CareerRows: Sendable {
    /// Nil where there is no generation of the space yet.
    package let generation: GenerationRecord?
    let rows: SnapshotRows?
    /// For each career the row and the hash of the texts that it was made from.
    private let places: [String: (position: Int, hash: String)]
    /// Blocks and rows that were set aside, in words.
    package let damage: [String]

    static let empty = CareerRows(generation: nil, rows: nil, places: [:], damage: [])

    private init(
        generation: GenerationRecord?, rows: SnapshotRows?, places: [String: (position: Int, hash: String)],
        damage: [String]
    ) {
        self.generation = generation
        self.rows = rows
        self.places = places
        self.damage = damage
    }

    /// Reads a generation, whatever state its blocks are in.
    ///
    /// - Throws: `SnapshotError.newerFormat`: what a newer version wrote is refused, not thrown away. `StoreError`.
    static func read(_ generation: GenerationRecord, from repository: GenerationRepository) async throws -> CareerRows {
        let blocks = try await repository.blocks(of: generation.id)
        let isFinished = generation.state != .building
        let reading = try SnapshotRows.read(
            blocks.map {
                StoredSnapshotBlock(number: $0.number, rowCount: $0.rowCount, bytes: $0.bytes)
            },
            expecting: SnapshotExpectation(
                space: generation.spaceID, generation: UInt64(generation.id),
                dimension: RowLayout.standard.embeddingCount, rowCount: isFinished ? generation.rowCount : nil))
        var places: [String: (position: Int, hash: String)] = [:]
        for (position, key) in reading.rows.keys.enumerated() { places[key.id] = (position, key.textHash) }
        return CareerRows(
            generation: generation, rows: reading.rows, places: places, damage: reading.damage.map(\.description))
    }

    var ids: Dictionary<String, (position: Int, hash: String)>.Keys { places.keys }

    /// Whether there is a row for these texts.
    func fits(_ id: String, hash: String) -> Bool { places[id]?.hash == hash }

    /// The hash of the texts that a career's row was made from; nil where it has none.
    func hash(of id: String) -> String? { places[id]?.hash }

    /// How far the rows are those of some careers' texts.
    func state(of careers: [Career]) -> EmbeddingState {
        var state = EmbeddingState()
        state.generation = generation?.id
        for career in careers { state.count(hash(of: career.id), wanted: CareerTexts(career).hash) }
        return state
    }

    /// Where a career's row is, whatever text it was made from.
    func position(of id: String) -> Int? { places[id]?.position }

    /// A copy of a career's row, if it was made from these texts: (768).
    func row(of id: String, hash: String) -> [Float]? {
        guard let place = places[id], place.hash == hash else { return nil }
        return rows?.row(at: place.position)
    }
}
