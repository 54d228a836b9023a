internal import Foundation
internal import Store

/// The vectors of the quiz's phrases, kept in the store by text and space.
struct PhraseVectors: Sendable {
    private static let kind = "phrase"

    private let vectors: VectorRepository

    init(_ database: any SQLDatabase, clock: @escaping @Sendable () -> Date) {
        vectors = VectorRepository(database, clock: clock)
    }

    /// The vector of every phrase: stored ones where the checksum agrees, the others embedded and stored.
    func vectors(
        of quiz: Quiz, encoder: EncodingQueue, statistics: inout CareerGenerationBuilder.Statistics
    ) async throws -> [String: [Float]] {
        let space = encoder.space
        try await vectors.register(space.record)
        let texts = Set(quiz.phrases.work + quiz.phrases.takes).sorted()
        let stored = try await vectors.vectors(of: space.id, kind: Self.kind)
        statistics.damaged += stored.damaged.map { "\($0.key.itemKind) \($0.key.itemID) (\($0.key.view))" }
        var known: [String: [Float]] = [:]
        for record in stored.vectors where record.vector.count == space.textDimension {
            known[record.textHash] = record.vector
        }
        var found: [String: [Float]] = [:]
        for text in texts { found[text] = known[Self.hash(of: text)] }
        let missing = texts.filter { found[$0] == nil }
        statistics.reused += texts.count - missing.count
        statistics.embedded += missing.count
        // In portions, so that an interrupted first start goes on where it was.
        for start in stride(from: 0, to: missing.count, by: 64) {
            let portion = Array(missing[start..<min(start + 64, missing.count)])
            var records: [VectorRecord] = []
            let reading = try await encoder.ownReading(of: portion, role: .query)
            for case (let text, let vector?) in zip(portion, reading.vectors) {
                found[text] = vector
                let hash = Self.hash(of: text)
                records.append(
                    VectorRecord(
                        key: VectorKey(itemKind: Self.kind, itemID: hash, view: "text"), textHash: hash, vector: vector)
                )
            }
            // What came is kept, whatever became of the rest.
            try await vectors.put(records, in: space.id)
            if let failure = reading.failure { throw failure }
        }
        return found
    }

    /// For each view the weighted mean of all phrases.
    ///
    /// Averaging a dozen phrases pulls every sheet towards what all phrases have in common, and a few careers near
    /// that direction would win for everyone. What counts is what an answer says beyond what any answer says.
    static func centres(of quiz: Quiz, _ vectors: [String: [Float]], in space: TextSpace) -> [[Float]] {
        space.views.map { view in
            var sum = [Double](repeating: 0, count: space.dimension)
            var total = 0.0
            for question in quiz.questions {
                for (pair, weight) in question.phrasePairs {
                    let part = QueryPart(origin: .text(quoted: nil), weight: weight, work: pair.work, takes: pair.takes)
                    for text in part.texts(for: view.content) {
                        guard let vector = vectors[text].map(view.slice), vector.count == sum.count else { continue }
                        for i in sum.indices { sum[i] += Double(weight) * Double(vector[i]) }
                        total += Double(weight)
                    }
                }
            }
            return sum.map { Float(total > 0 ? $0 / total : 0) }
        }
    }

    private static func hash(of text: String) -> String {
        var hash = ContentHash()
        hash.update(text)
        return hash.text
    }
}
