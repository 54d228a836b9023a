package import Embedder

/// The encoder as the engine sees it.
package struct ModelVectorizer: QueuedVectorizer {
    package let space: TextSpace
    private let embedder: TextEmbedder
    private let queue: EmbeddingQueue

    /// Shares of *what the work is* and *what it takes* (docs/decisions/0008-own-space.md).
    private static let viewWeights = [0.7, 0.3]

    /// - Parameter queue: in front of the same model; nil for one of its own, without bound.
    /// - Throws: `EmbedderError.unsupportedDimension` for a model whose vectors do not fill a row.
    package init(_ embedder: TextEmbedder, queue: EmbeddingQueue? = nil) throws(EmbedderError) {
        self.embedder = embedder
        self.queue = queue ?? EmbeddingQueue(embedder, limits: .unbounded)
        let isTwoViews = embedder.dimension * 2 == EmbeddingSpace.rowDimension
        let space = try embedder.space(
            weights: isTwoViews ? Self.viewWeights : nil, composition: CareerTexts.composition)
        let contents: [TextView.Content] = space.views.count == 1 ? [.everything] : [.work, .takes]
        let views = zip(contents, space.views).map {
            TextView(content: $0, name: $1.name, weight: Float($1.weight))
        }
        self.space = TextSpace(
            id: space.id, modelID: space.modelID, weightsSHA256: space.weightsSHA256,
            description: Self.description(of: space), views: views, dimension: space.viewDimension)
    }

    package func vectors(of texts: [String], role: TextRole) throws -> [[Float]] {
        try embedder.embed(texts.map { prefixed($0, role) }, isCached: role == .query)
    }

    package func vectors(of texts: [String], role: TextRole, isAwaited: Bool) async throws -> [[Float]] {
        try await embedder.embed(
            tokenIDs: texts.map { embedder.tokenIDs(of: prefixed($0, role)) }, in: queue,
            urgency: isAwaited ? .awaited : .background)
    }

    package func cachedVectors(of texts: [String], role: TextRole) -> [[Float]]? {
        embedder.cachedEmbeddings(of: texts.map { prefixed($0, role) })
    }

    private func prefixed(_ text: String, _ role: TextRole) -> String {
        let prefix = role == .query ? embedder.queryPrefix : embedder.documentPrefix
        return prefix.isEmpty ? text : prefix + text
    }

    private struct Description: Encodable {
        struct View: Encodable {
            let name: String
            let weight: Double
        }
        let model: String
        let weightsSHA256: String
        let pooling: String
        let queryPrefix: String
        let documentPrefix: String
        let composition: String
        let precision: String
        let views: [View]
    }

    private static func description(of space: EmbeddingSpace) -> String {
        TextSpace.description(
            Description(
                model: space.modelID, weightsSHA256: space.weightsSHA256, pooling: space.pooling,
                queryPrefix: space.queryPrefix, documentPrefix: space.documentPrefix,
                composition: space.composition, precision: space.precision.rawValue,
                views: space.views.map { .init(name: $0.name, weight: $0.weight) }))
    }
}
