package import Store

/// What the generation in use has for the careers, whatever model it is of.
package struct VectorCoverage: Sendable {
    package let generation: GenerationRecord
    /// Nil where the space is not known any more.
    package let model: String?
    /// How far its rows are those of the careers' present texts.
    package let state: EmbeddingState
    /// Blocks and rows that are damaged, in words.
    package let damage: [String]
    /// Whether a rollback is held.
    package let isHeld: Bool
}

extension Reembedder {
    /// Holds the generation in use against some careers; nil where nothing was embedded yet.
    ///
    /// - Throws: `SnapshotError.newerFormat`, `StoreError`.
    package func coverage(of careers: [Career]) async throws -> VectorCoverage? {
        guard let generation = try await current() else { return nil }
        let rows = try await rows(of: generation)
        return VectorCoverage(
            generation: generation, model: try await modelInUse(),
            state: try await OwnThread.run { rows.state(of: careers) }, damage: rows.damage, isHeld: try await isHeld())
    }
}
