internal import Store
internal import VectorIndex

/// Which rows a generation is to have.
struct ReembedPlan: Sendable {
    struct Entry: Sendable {
        let id: String
        let texts: CareerTexts
        /// Of the texts that the row is made from.
        let hash: String
        /// Whether the row is to stay that of an earlier text.
        let isStale: Bool
    }

    /// In ascending order of id.
    let entries: [Entry]
    private let space: String

    /// - Parameter kept: careers that have a row here keep it, whatever text it was made from.
    init(_ careers: [Career], space: TextSpace, keeping kept: CareerRows = .empty) {
        entries = careers.sorted { $0.id < $1.id }.map { career in
            let texts = CareerTexts(career)
            let wanted = texts.hash
            let hash = kept.hash(of: career.id) ?? wanted
            return Entry(id: career.id, texts: texts, hash: hash, isStale: hash != wanted)
        }
        self.space = space.id
    }

    /// Equal for equal careers, texts and space: an interrupted run goes on only with the same plan.
    ///
    /// - Parameter generation: where everything is embedded anew, the generation that is replaced: a second forced run
    ///   is another plan, a continued one is not.
    func hash(forcedAfter generation: Int64?) -> String {
        var hash = ContentHash()
        hash.update(space)
        hash.update(generation.map(String.init) ?? "")
        for entry in entries {
            hash.update(entry.id)
            hash.update(entry.hash)
        }
        return hash.text
    }
}

/// Writes the blocks of a generation that is not in use yet.
struct ShadowWriter {
    private let generation: Int64
    private let space: TextSpace
    private let repository: GenerationRepository
    private var next = 0
    /// Careers that have a sound row.
    private(set) var written: Set<String> = []

    init(generation: Int64, space: TextSpace, repository: GenerationRepository) {
        self.generation = generation
        self.space = space
        self.repository = repository
    }

    /// Goes on after the blocks that an interrupted run left, where they are sound and of the plan.
    mutating func resume(after rows: CareerRows, plan: ReembedPlan) async throws {
        guard rows.damage.isEmpty else {
            // Which block a damaged row was in no longer matters: everything sound is copied into new blocks.
            try await repository.removeBlocks(of: generation)
            return
        }
        for entry in plan.entries where rows.fits(entry.id, hash: entry.hash) { written.insert(entry.id) }
        next = try await repository.blocks(of: generation).map(\.number).max().map { $0 + 1 } ?? 0
    }

    mutating func write(_ entries: [ReembedPlan.Entry], rows: [String: [Float]]) async throws {
        var values: [Float] = []
        var keys: [SnapshotKey] = []
        for entry in entries {
            guard let row = rows[entry.id] else { continue }
            keys.append(SnapshotKey(id: entry.id, textHash: entry.hash))
            values += row
        }
        let bytes = SnapshotBlock.encode(
            keys: keys, rows: values, dimension: RowLayout.standard.embeddingCount, space: space.id,
            generation: UInt64(generation), number: next)
        try await repository.putBlock(next, rowCount: keys.count, bytes: bytes, of: generation)
        next += 1
        written.formUnion(entries.map(\.id))
    }
}
