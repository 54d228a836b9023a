internal import Embedder
internal import Engine
internal import Foundation

/// The encoder in use, or why there is none.
struct ActiveModel: Sendable {
    let id: String
    let embedder: TextEmbedder?
    let encoder: EncodingQueue?
    let degradation: Degradation?
    /// Why there is no encoder, in words.
    let problem: String?

    /// Loads a model on a thread of its own: it takes a good part of a second.
    static func load(_ id: String, settings: ServiceSettings) async throws -> ActiveModel {
        try await OwnThread.run {
            switch LoadedModel.load(
                id, from: settings.modelsDirectory, precision: settings.precision, cacheEntries: settings.cacheEntries)
            {
            case .ready(let embedder):
                // The first run faults the weights in: not at somebody's expense.
                _ = try embedder.embedding(of: "warm")
                return ActiveModel(
                    id: id, embedder: embedder, encoder: EncodingQueue(try ModelVectorizer(embedder)), degradation: nil,
                    problem: nil)
            case .missing(let problem):
                return ActiveModel(
                    id: id, embedder: nil, encoder: nil, degradation: LoadedModel.degradation(problem), problem: problem
                )
            }
        }
    }
}
