import ArgumentParser
import Embedder
import Foundation

/// What the encoder computes in; the one place where the benchmarks load a model.
enum EmbeddingPrecision: String, ExpressibleByArgument, Codable {
    case float32
    case int8

    /// The model in `folder` without a cache: everything asked is computed.
    func load(folder: URL) throws -> TextEmbedder {
        let precision: EncoderPrecision = self == .float32 ? .float32 : .int8
        return try TextEmbedder(folder: folder, options: .init(cacheEntries: 0, precision: precision))
    }
}
