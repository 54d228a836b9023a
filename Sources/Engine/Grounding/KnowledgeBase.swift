internal import Store

/// Everything that texts are grounded by: titles, their vectors, the rule and the projection. What is stored; `grounding`
/// reads texts by it.
package struct KnowledgeBase: Sendable, Hashable {
    package let titles: OccupationTitles
    package let codes: TitleCodes
    package let rule: Grounding.Rule
    package let projection: OccupationProjection
    /// SHA-256 of its bytes: part of the id of every space that it grounds.
    package let checksum: String

    /// - Parameter checksum: of the bytes that it was read from.
    init(
        titles: OccupationTitles, codes: TitleCodes, rule: Grounding.Rule, projection: OccupationProjection,
        checksum: String
    ) {
        self.titles = titles
        self.codes = codes
        self.rule = rule
        self.projection = projection
        self.checksum = checksum
    }

    package init(
        titles: OccupationTitles, codes: TitleCodes, rule: Grounding.Rule, projection: OccupationProjection
    ) {
        self.init(
            titles: titles, codes: codes, rule: rule, projection: projection,
            checksum: KnowledgeBaseFile.checksum(of: KnowledgeBaseFile.bytes(of: titles, codes, rule, projection)))
    }

    /// What is stored.
    var bytes: [UInt8] { KnowledgeBaseFile.bytes(of: titles, codes, rule, projection) }

    /// Embeds the titles and fits the projection.
    ///
    /// - Parameter known: vectors of titles that are had already, by text.
    /// - Throws: `GroundingError`, or an error of the encoder.
    package static func make(
        _ titles: OccupationTitles, rule: Grounding.Rule, encoder: EncodingQueue, known: KnowledgeBase? = nil,
        progress: @Sendable (ReembedProgress) -> Void = { _ in }
    ) async throws -> (base: KnowledgeBase, grounding: Grounding) {
        guard !titles.titles.isEmpty else { throw GroundingError.noTitles }
        guard encoder.space.dimension == OccupationProjection.dimension else {
            throw GroundingError.unsupportedDimension(encoder.space.dimension)
        }
        var places: [String: Int] = [:]
        if let known { for (place, title) in known.titles.titles.enumerated() { places[title.text] = place } }
        var codes: [Int8] = []
        codes.reserveCapacity(titles.titles.count * encoder.space.dimension)
        for start in stride(from: 0, to: titles.titles.count, by: Self.portion) {
            let portion = titles.titles[start..<min(start + Self.portion, titles.titles.count)]
            let missing = Set(portion.map(\.text).filter { places[$0] == nil })
            let vectors = try await encoder.documentVectors(of: missing)
            for title in portion {
                if let known, let place = places[title.text] {
                    codes += known.codes.codes(of: place)
                } else {
                    codes +=
                        TitleCodes(
                            dimension: encoder.space.dimension, rounding: [vectors[title.text] ?? []]
                        ).codes
                }
            }
            progress(ReembedProgress(done: start + portion.count, total: titles.titles.count))
        }
        let all = TitleCodes(dimension: encoder.space.dimension, codes: codes)
        return try await fitted(titles, all, rule)
    }

    /// The same without some titles, as though it had never known them: the projection too is fitted anew.
    ///
    /// - Parameter heldOut: folded texts.
    /// - Throws: `GroundingError`.
    package func leavingOut(_ heldOut: Set<String>) async throws -> (base: KnowledgeBase, grounding: Grounding) {
        let kept = titles.titles.indices.filter { !heldOut.contains(OccupationTitles.folded(titles.titles[$0].text)) }
        return try await Self.fitted(
            OccupationTitles(titles.occupations, kept.map { titles.titles[$0] }),
            TitleCodes(dimension: codes.dimension, codes: kept.flatMap { codes.codes(of: $0) }), rule)
    }

    /// What reads texts by it.
    ///
    /// - Throws: `GroundingError.damaged`.
    package func grounding() async throws -> Grounding {
        // The index of all titles is made.
        try await OwnThread.run { [self] in
            try Grounding(titles, codes: codes, rule: rule, projection: projection)
        }
    }

    /// Titles that are embedded at a time.
    private static let portion = 2_048

    private static func fitted(
        _ titles: OccupationTitles, _ codes: TitleCodes, _ rule: Grounding.Rule
    ) async throws -> (base: KnowledgeBase, grounding: Grounding) {
        // Seconds of arithmetic.
        try await OwnThread.run {
            let grounding = try Grounding(titles, codes: codes, rule: rule)
            return (
                KnowledgeBase(titles: titles, codes: codes, rule: rule, projection: grounding.projection), grounding
            )
        }
    }
}
