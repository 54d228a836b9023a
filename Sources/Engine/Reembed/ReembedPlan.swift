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

    private init(entries: [Entry], space: String) {
        self.entries = entries
        self.space = space
    }

    /// What is left of the plan where some careers get no vector of their present texts: each keeps the row that it has
    /// in `kept`, and where it has none there, it has none.
    func leavingOut(_ ids: Set<String>, keeping kept: CareerRows) -> ReembedPlan {
        let entries = entries.compactMap { entry -> Entry? in
            guard ids.contains(entry.id) else { return entry }
            return kept.hash(of: entry.id).map { Entry(id: entry.id, texts: entry.texts, hash: $0, isStale: true) }
        }
        return ReembedPlan(entries: entries, space: space)
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
        let fitting = plan.entries.filter { rows.fits($0.id, hash: $0.hash) }.map(\.id)
        guard rows.damage.isEmpty, fitting.count == rows.ids.count else {
            // Which block a row was in that is damaged, or of an earlier text because the present one was refused, no
            // longer matters: everything sound is copied into new blocks.
            try await repository.removeBlocks(of: generation)
            return
        }
        written.formUnion(fitting)
        next = try await repository.blocks(of: generation).map(\.number).max().map { $0 + 1 } ?? 0
    }

    /// Writes one block: those of the careers that have a row.
    mutating func write(_ entries: [ReembedPlan.Entry], rows: [String: [Float]]) async throws {
        var values: [Float] = []
        var keys: [SnapshotKey] = []
        for entry in entries {
            guard let row = rows[entry.id] else { continue }
            keys.append(SnapshotKey(id: entry.id, textHash: entry.hash))
            values += row
        }
        guard !keys.isEmpty else { return }
        let bytes = SnapshotBlock.encode(
            keys: keys, rows: values, dimension: RowLayout.standard.embeddingCount, space: space.id,
            generation: UInt64(generation), number: next)
        try await repository.putBlock(next, rowCount: keys.count, bytes: bytes, of: generation)
        next += 1
        written.formUnion(keys.map(\.id))
    }
}
