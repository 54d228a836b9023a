internal import Embedder
internal import Foundation

/// A model that a provider outside runs, as the space of its vectors knows it.
package struct RemoteModel: Sendable, Hashable {
    /// Provider and model: `gemini:gemini-embedding-001`.
    package let id: String
    /// What the provider is told that a text is for, which its vectors depend on; empty where it is told nothing.
    package let queryTask: String
    package let documentTask: String

    package init(id: String, queryTask: String, documentTask: String) {
        self.id = id
        self.queryTask = queryTask
        self.documentTask = documentTask
    }

    /// The space of the model's vectors: one view, which fills a row of 768 numbers.
    ///
    /// - Parameter fingerprint: stands for the weights, which nobody but the provider sees (`ReferenceVectors`).
    /// - Throws: `EmbedderError`, which 768 numbers rule out.
    package func space(fingerprint: String) throws -> TextSpace {
        // The tasks are to a provider what prefixes are to a model that runs here.
        let space = try EmbeddingSpace(
            modelID: id, weightsSHA256: fingerprint, pooling: "remote", queryPrefix: queryTask,
            documentPrefix: documentTask, dimension: EmbeddingSpace.rowDimension, composition: CareerTexts.composition)
        return TextSpace(
            id: space.id, modelID: id, weightsSHA256: fingerprint, description: description(of: space),
            views: space.views.map { TextView(content: .everything, name: $0.name, weight: Float($0.weight)) },
            dimension: space.viewDimension)
    }

    private struct Description: Encodable {
        let model: String
        let referenceSHA256: String
        let queryTask: String
        let documentTask: String
        let composition: String
        let dimension: Int
    }

    private func description(of space: EmbeddingSpace) -> String {
        TextSpace.description(
            Description(
                model: id, referenceSHA256: space.weightsSHA256, queryTask: queryTask, documentTask: documentTask,
                composition: space.composition, dimension: space.viewDimension))
    }
}
