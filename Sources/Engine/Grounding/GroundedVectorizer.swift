internal import Embedder
internal import Foundation
internal import Store

/// An encoder whose texts are read by a knowledge base as well: a text's vector is its own and, after it, that of the
/// occupations that it is about.
package struct GroundedVectorizer: QueuedVectorizer {
    package let space: TextSpace
    package let grounding: Grounding
    private let texts: any QueuedVectorizer
    private let cache = GroundedCache()

    /// Names how vectors come about, within a space's id.
    private static let version = "grounded 1"
    /// Texts that are grounded on the caller's thread; more take milliseconds.
    private static let atOnce = 4

    /// - Parameters:
    ///   - texts: the encoder; its space is the one that the base's titles were embedded in.
    ///   - weight: share of the grounded view in a row's cosine, above 0 and below 1.
    /// - Throws: `GroundingError.unsupportedDimension`.
    package init(
        _ texts: any QueuedVectorizer, base: KnowledgeBase, grounding: Grounding, weight: Double
    ) throws(GroundingError) {
        space = try Self.space(of: texts.space, base: base, weight: weight)
        self.texts = texts
        self.grounding = grounding
    }

    /// The space of texts that a knowledge base grounds.
    ///
    /// - Parameter texts: the space that the base's titles were embedded in.
    /// - Throws: `GroundingError.unsupportedDimension`.
    package static func space(
        of texts: TextSpace, base: KnowledgeBase, weight: Double
    ) throws(GroundingError) -> TextSpace {
        precondition(weight > 0 && weight < 1, "both views have a weight")
        let dimension = texts.dimension
        guard dimension == OccupationProjection.dimension else { throw .unsupportedDimension(dimension) }
        let views = [
            TextView(
                content: .both, name: "what the work is and takes", weight: Float(1 - weight), part: 0..<dimension),
            TextView(
                content: .both, name: "the occupations it reads like", weight: Float(weight),
                part: dimension..<dimension + OccupationProjection.dimension),
        ]
        var hash = ContentHash()
        for part in [version, texts.id, base.checksum, String(weight.bitPattern, radix: 16)] { hash.update(part) }
        return TextSpace(
            id: "\(texts.modelID)+grounded@\(hash.text.prefix(16))", modelID: texts.modelID,
            weightsSHA256: texts.weightsSHA256, description: description(of: texts, base: base, views: views),
            views: views, dimension: dimension)
    }

    package func vectors(of texts: [String], role: TextRole) throws -> [[Float]] {
        joined(try self.texts.vectors(of: texts, role: role), isCached: role == .query)
    }

    package func vectors(of texts: [String], role: TextRole, isAwaited: Bool) async throws -> [[Float]] {
        let vectors = try await self.texts.vectors(of: texts, role: role, isAwaited: isAwaited)
        // A catalogue's texts are asked for once.
        if vectors.count <= Self.atOnce { return joined(vectors, isCached: isAwaited) }
        return try await OwnThread.run { joined(vectors, isCached: isAwaited) }
    }

    package func cachedVectors(of texts: [String], role: TextRole) -> [[Float]]? {
        self.texts.cachedVectors(of: texts, role: role).map { joined($0, isCached: true) }
    }

    /// The occupations that texts are about together, the greatest share first.
    ///
    /// - Parameter texts: with their weights and vectors, as `vectors(of:role:)` gives them.
    func readsLike(_ texts: [(weight: Float, text: String, vector: [Float])], count: Int) -> [ReadsLike] {
        let own = texts.filter { $0.weight > 0 && $0.vector.count == space.textDimension }.map {
            (weight: Double($0.weight), vector: Array($0.vector[..<space.dimension]))
        }
        let entries = entries(of: own.map(\.vector), isCached: true)
        return OccupationShares(zip(own, entries).map { ($0.weight, $1.shares) }).top(count).map {
            let occupation = grounding.occupations[$0.occupation]
            return ReadsLike(occupation: occupation.id, name: occupation.name, share: $0.share)
        }
    }

    private func joined(_ vectors: [[Float]], isCached: Bool) -> [[Float]] {
        zip(vectors, entries(of: vectors, isCached: isCached)).map { $0 + $1.vector }
    }

    private func entries(of vectors: [[Float]], isCached: Bool) -> [GroundedCache.Entry] {
        var entries = vectors.map { isCached ? cache.entry($0) : nil }
        let missing = vectors.indices.filter { entries[$0] == nil }
        for (place, shares) in zip(missing, grounding.shares(of: missing.map { vectors[$0] })) {
            let entry = GroundedCache.Entry(shares: shares, vector: grounding.vector(of: shares))
            if isCached { cache.insert(entry, vectors[place]) }
            entries[place] = entry
        }
        return entries.compactMap { $0 }
    }

    private struct Description: Encodable {
        struct View: Encodable {
            let name: String
            let weight: Float
        }
        let model: String
        let textSpace: String
        let knowledgeBase: String
        let composition: String
        let precision: String?
        let neighbours: Int
        let temperature: Double
        let views: [View]
    }

    private static func description(of space: TextSpace, base: KnowledgeBase, views: [TextView]) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let description = Description(
            model: space.modelID, textSpace: space.id, knowledgeBase: base.checksum,
            composition: CareerTexts.composition, precision: space.record.precision?.rawValue,
            neighbours: base.rule.neighbours,
            temperature: base.rule.temperature, views: views.map { .init(name: $0.name, weight: $0.weight) })
        // Strings and finite numbers always encode.
        return (try? encoder.encode(description)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
