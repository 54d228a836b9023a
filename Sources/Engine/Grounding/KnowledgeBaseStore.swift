package import Foundation
package import Store

/// Knowledge bases in the store: found, or made and kept, so that titles are embedded once.
package struct KnowledgeBaseStore: Sendable {
    private let repository: KnowledgeBaseRepository
    private let reembedder: Reembedder

    package init(_ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() }) {
        repository = KnowledgeBaseRepository(database, clock: clock)
        reembedder = Reembedder(database, clock: clock)
    }

    /// The one of that checksum; nil where it is not there.
    ///
    /// - Throws: `GroundingError.damaged`, `StoreError`.
    package func read(_ checksum: String) async throws -> KnowledgeBase? {
        guard try await repository.find(checksum) != nil else { return nil }
        let blocks = try await repository.blocks(of: checksum)
        // Megabytes of JSON and sums.
        return try await OwnThread.run { try KnowledgeBaseFile.read(blocks, checksum: checksum) }
    }

    /// Puts a damaged one away, so that another can take its place.
    package func remove(_ checksum: String) async throws { try await repository.remove(checksum) }

    /// Removes those of a text space that ground no vectors any more, not even ones kept for a rollback; the latest stays.
    ///
    /// - Returns: how many were removed.
    @discardableResult
    package func prune(textSpace: String) async throws -> Int {
        var kept = try await reembedder.knowledgeBases()
        if let latest = try await repository.latest(textSpace: textSpace) { kept.insert(latest.id) }
        return try await repository.remove(textSpace: textSpace, keeping: kept)
    }

    /// The one of these titles, stored, or made from those vectors that are stored and of the others' texts, and kept.
    ///
    /// - Throws: `GroundingError`, `StoreError`, or an error of the encoder.
    package func made(
        of titles: OccupationTitles, rule: Grounding.Rule, encoder: EncodingQueue,
        progress: @Sendable (ReembedProgress) -> Void = { _ in }
    ) async throws -> (base: KnowledgeBase, grounding: Grounding) {
        let textSpace = encoder.space.id
        let ruleText = Self.text(of: rule)
        if let found = try await repository.find(textSpace: textSpace, titlesHash: titles.hash, rule: ruleText),
            let base = try? await read(found.id)
        {
            return (base, try await base.grounding())
        }
        // A damaged one is no help, and no harm.
        var known: KnowledgeBase?
        if let latest = try await repository.latest(textSpace: textSpace) { known = try? await read(latest.id) }
        let made = try await KnowledgeBase.make(titles, rule: rule, encoder: encoder, known: known, progress: progress)
        let blocks = try await OwnThread.run { KnowledgeBaseFile.blocks(of: made.base.bytes) }
        try await repository.put(
            KnowledgeBaseRecord(
                id: made.base.checksum, textSpaceID: textSpace, titlesHash: titles.hash, rule: ruleText,
                titles: titles.titles.count, occupations: titles.occupations.count), blocks: blocks)
        return made
    }

    private static func text(of rule: Grounding.Rule) -> String {
        "\(rule.neighbours) titles, temperature \(rule.temperature)"
    }
}
