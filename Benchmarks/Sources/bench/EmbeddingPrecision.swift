import ArgumentParser
import Embedder
import Foundation

/// What the encoder computes in; the one place where the benchmarks load a model.
enum EmbeddingPrecision: String, ExpressibleByArgument, Codable {
    case float32
    case int8

    /// The model in `folder` without a cache: everything asked is computed.
    func load(folder: URL) throws -> TextEmbedder {
        switch self {
        case .float32: try TextEmbedder(folder: folder, options: .init(cacheEntries: 0))
        case .int8: throw EmbeddingPrecisionError.notBuilt(self)
        }
    }
}

enum EmbeddingPrecisionError: Error, CustomStringConvertible {
    case notBuilt(EmbeddingPrecision)

    var description: String {
        switch self {
        case .notBuilt(let precision):
            "the encoder of this build does not compute in \(precision.rawValue); take PRECISION=float32"
        }
    }
}
