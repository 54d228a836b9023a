internal import Embedder
internal import Store

/// An encoder whose texts are read by a knowledge base as well: a text's vector is its own and, after it, that of the
/// occupations that it is about.
package struct GroundedVectorizer: QueuedVectorizer {
    package let space: TextSpace
    package let grounding: Grounding
    private let texts: any QueuedVectorizer
    private let cache = GroundedCache()

    /// Names how vectors come about, within a space's id.
    private static let version = "grounded 2"
    /// Share of the title that a text begins with in what the text is about (docs/decisions/0025-grounded-view.md).
    private static let titleShare = 0.35
    /// An occupation of less is not worth a name.
    private static let leastShare: Float = 0.01
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
        let asked = TitledTexts(texts)
        return joined(asked.read(try self.texts.vectors(of: asked.all, role: role)), isCached: role == .query)
    }

    package func vectors(of texts: [String], role: TextRole, isAwaited: Bool) async throws -> [[Float]] {
        let asked = TitledTexts(texts)
        let texts = asked.read(try await self.texts.vectors(of: asked.all, role: role, isAwaited: isAwaited))
        // A catalogue's texts are asked for once.
        if asked.all.count <= Self.atOnce { return joined(texts, isCached: isAwaited) }
        return try await OwnThread.run { joined(texts, isCached: isAwaited) }
    }

    package func cachedVectors(of texts: [String], role: TextRole) -> [[Float]]? {
        let asked = TitledTexts(texts)
        return self.texts.cachedVectors(of: asked.all, role: role).map { joined(asked.read($0), isCached: true) }
    }

    /// The occupations that texts are about together, the greatest share first; none of less than a hundredth.
    ///
    /// - Parameter texts: with their weights and vectors, as `vectors(of:role:)` gives them.
    func readsLike(_ texts: [(weight: Float, vector: [Float])], count: Int) -> [ReadsLike] {
        let own = texts.filter { $0.weight > 0 && $0.vector.count == space.textDimension }
        let entries = own.map { part in
            // What the vector was made of, title and all; for one that was forgotten since, what the text itself says.
            cache.entry(part.vector)
                ?? self.entries(
                    of: [ReadText(vector: Array(part.vector[..<space.dimension]), title: nil)], isCached: true)[0]
        }
        return OccupationShares(zip(own, entries).map { (Double($0.weight), $1.shares) }).top(count).filter {
            $0.share >= Self.leastShare
        }.map {
            let occupation = grounding.occupations[$0.occupation]
            return ReadsLike(occupation: occupation.id, name: occupation.name, share: $0.share)
        }
    }

    private func joined(_ texts: [ReadText], isCached: Bool) -> [[Float]] {
        zip(texts, entries(of: texts, isCached: isCached)).map { $0.vector + $1.vector }
    }

    private func entries(of texts: [ReadText], isCached: Bool) -> [GroundedCache.Entry] {
        var entries = texts.map { isCached ? cache.entry($0.key) : nil }
        let missing = texts.indices.filter { entries[$0] == nil }
        var found = grounding.shares(of: missing.flatMap { texts[$0].vectors })[...]
        for place in missing {
            let text = texts[place]
            var shares = found.removeFirst()
            if text.title != nil {
                shares = OccupationShares([(1 - Self.titleShare, shares), (Self.titleShare, found.removeFirst())])
            }
            let entry = GroundedCache.Entry(shares: shares, vector: grounding.vector(of: shares))
            if isCached {
                cache.insert(entry, text.key)
                if text.title != nil { cache.insert(entry, text.vector + entry.vector) }
            }
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
        TextSpace.description(
            Description(
                model: space.modelID, textSpace: space.id, knowledgeBase: base.checksum,
                composition: CareerTexts.composition, precision: space.record.precision?.rawValue,
                neighbours: base.rule.neighbours, temperature: base.rule.temperature,
                views: views.map { .init(name: $0.name, weight: $0.weight) }))
    }
}

/// A text's own vector, and that of the title that it begins with, where it does.
private struct ReadText {
    let vector: [Float]
    let title: [Float]?

    var vectors: [[Float]] { title.map { [vector, $0] } ?? [vector] }
    /// What a cache knows it by.
    var key: [Float] { vector + (title ?? []) }
}

/// Texts, and after them the titles that some of them begin with.
private struct TitledTexts {
    let all: [String]
    /// For each text the place of its title.
    private let titles: [Int?]

    init(_ texts: [String]) {
        var all = texts
        titles = texts.map { text in
            guard let title = TextPieces.title(of: text) else { return nil }
            all.append(title)
            return all.count - 1
        }
        self.all = all
    }

    /// - Parameter vectors: of `all`.
    func read(_ vectors: [[Float]]) -> [ReadText] {
        titles.indices.map { i in ReadText(vector: vectors[i], title: titles[i].map { vectors[$0] }) }
    }
}
