package import Embedder
internal import Foundation
package import Store

extension SpaceRecord {
    /// What the encoder of the space computes in; nil where this version does not know it.
    ///
    /// Descriptions of before there was a choice name none: all encoders computed in float32 then.
    package var precision: EncoderPrecision? {
        struct Described: Decodable {
            let precision: String?
        }
        let described = try? JSONDecoder().decode(Described.self, from: Data(description.utf8))
        guard let name = described?.precision else { return .float32 }
        return EncoderPrecision(rawValue: name)
    }

    /// The checksum of the knowledge base that grounds the space's texts; nil where none does.
    package var knowledgeBase: String? {
        struct Described: Decodable {
            let knowledgeBase: String?
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return (try? decoder.decode(Described.self, from: Data(description.utf8)))?.knowledgeBase
    }
}
