internal import Engine
internal import Foundation

/// What a recommendation is remembered by, so that feedback on it can teach the weights of abilities.
struct LearningRecord: Codable {
    let alpha: Float
    /// 15 numbers from 0 to 10; nil where no abilities counted.
    let profile: [Double]?
    /// For each career shown, what the texts brought: α · cosine.
    let texts: [Float]

    init(_ reply: RecommendationReply) {
        alpha = reply.alpha
        profile = reply.profile
        texts = reply.recommendations.map { item in
            item.embeddingSimilarity.map { reply.alpha * (2 * $0 - 1) } ?? 0
        }
    }

    var text: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    /// - Returns: nil for what this version does not read.
    static func read(_ text: String?) -> LearningRecord? {
        text.flatMap { try? JSONDecoder().decode(LearningRecord.self, from: Data($0.utf8)) }
    }
}
