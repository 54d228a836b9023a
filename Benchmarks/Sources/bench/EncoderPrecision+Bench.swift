import ArgumentParser
import Embedder
import Foundation

extension EncoderPrecision: ExpressibleByArgument {}

extension EncoderPrecision: Codable {}

extension EncoderPrecision {
    /// The model in `folder` without a cache, so that everything asked is computed; the one place where the benchmarks
    /// load a model.
    func load(folder: URL) throws -> TextEmbedder {
        try TextEmbedder(folder: folder, options: .init(cacheEntries: 0, precision: self))
    }
}
