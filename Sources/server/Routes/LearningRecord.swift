internal import Engine
internal import Foundation

/// What a recommendation is remembered by, so that feedback on it can teach the weights of abilities.
struct LearningRecord: Decodable {
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
        var json = JSONWriter(capacity: 256)
        json.object { json in
            json.field("alpha", alpha)
            if let profile { json.field("profile", arrayOf: profile) { $0.value($1) } }
            json.field("texts", texts)
        }
        return String(decoding: json.finishBytes(), as: UTF8.self)
    }

    /// - Returns: nil for what this version does not read.
    static func read(_ text: String?) -> LearningRecord? {
        text.flatMap { try? JSONDecoder().decode(LearningRecord.self, from: Data($0.utf8)) }
    }
}
