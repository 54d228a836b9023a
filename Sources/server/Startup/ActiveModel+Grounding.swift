internal import Embedder
internal import Engine
internal import Logging
internal import Store

extension ActiveModel {
    /// The model with its texts grounded as `choice` says; the model alone where they cannot be.
    ///
    /// A knowledge base that is damaged is put away, and one is made of the catalogue's titles instead.
    ///
    /// - Parameter progress: of embedding titles, where there are any to embed.
    /// - Throws: an error of the encoder or of the store.
    func grounded(
        _ choice: GroundingChoice, of careers: [Career], in database: any SQLDatabase, settings: ServiceSettings,
        logger: Logger, progress: @Sendable (ReembedProgress) -> Void = { _ in }
    ) async throws -> ActiveModel {
        guard choice != .none, let embedder, OccupationProjection.dimension == embedder.dimension else { return self }
        let store = KnowledgeBaseStore(database)
        let vectorizer = try ModelVectorizer(embedder, queue: queue)
        let defaults = try GroundingDefaults.of(id, settings: settings)
        do {
            let used: (base: KnowledgeBase, grounding: Grounding)
            if case .stored(let checksum) = choice,
                let base = try await Self.read(checksum, from: store, logger: logger)
            {
                used = (base, try await base.grounding())
            } else {
                guard let titles = OccupationTitles.grounding(careers) else { return self }
                used = try await store.made(
                    of: titles, rule: defaults.rule, encoder: EncodingQueue(vectorizer), progress: progress)
            }
            let encoder = EncodingQueue(
                try GroundedVectorizer(
                    vectorizer, base: used.base, grounding: used.grounding, weight: defaults.weight))
            return grounded(encoder, by: used.base)
        } catch let error as GroundingError {
            logger.warning("texts are not grounded", metadata: ["detail": "\(error)"])
            return self
        }
    }

    private static func read(
        _ checksum: String, from store: KnowledgeBaseStore, logger: Logger
    ) async throws -> KnowledgeBase? {
        do {
            return try await store.read(checksum)
        } catch let error as GroundingError {
            logger.error("a stored knowledge base was put away", metadata: ["detail": "\(error)"])
            try await store.remove(checksum)
            return nil
        }
    }
}
