internal import VectorIndex

/// A knowledge base of occupations, as texts are read by it: which occupations a text is about, by the titles nearest to it.
///
/// A text's nearest titles, weighted by the softmax of their cosines, vote for their occupations; the votes, brought to
/// 384 dimensions by a projection, are the grounded half of a row. Frozen; any number of threads may read.
package struct Grounding: Sendable {
    /// How nearest titles are weighed; chosen on the development sets (docs/decisions/0025-grounded-view.md).
    package struct Rule: Sendable, Hashable, Codable {
        /// Titles that vote.
        package var neighbours: Int
        /// Of the softmax: what a cosine is divided by.
        package var temperature: Double

        package init(neighbours: Int = 64, temperature: Double) {
            precondition(neighbours > 0 && temperature > 0, "titles vote by a softmax")
            self.neighbours = neighbours
            self.temperature = temperature
        }

        /// Whether titles can vote by it; one that was read may say anything.
        var isValid: Bool {
            (1...OccupationTitles.maximumTitles).contains(neighbours) && temperature > 0 && temperature.isFinite
        }
    }

    package let occupations: [OccupationTitles.Occupation]
    package let rule: Rule
    package let projection: OccupationProjection
    private let members: [[Int]]
    private let index: CodedVectors

    /// - Parameter projection: nil to fit one.
    /// - Throws: `GroundingError`.
    package init(
        _ titles: OccupationTitles, codes: TitleCodes, rule: Rule, projection: OccupationProjection? = nil
    ) throws(GroundingError) {
        guard !titles.titles.isEmpty else { throw .noTitles }
        guard codes.count == titles.titles.count else {
            throw .damaged("\(codes.count) vectors for \(titles.titles.count) titles")
        }
        occupations = titles.occupations
        members = titles.titles.map(\.occupations)
        self.rule = rule
        guard codes.dimension <= CodedVectors.greatestDimension else {
            throw .unsupportedDimension(codes.dimension)
        }
        index = CodedVectors(dimension: codes.dimension, codes: codes.codes)
        if let projection {
            guard projection.occupationCount == occupations.count else {
                throw .damaged("a projection of \(projection.occupationCount) of \(occupations.count) occupations")
            }
            self.projection = projection
        } else {
            self.projection = try Self.fitted(
                titles, codes: codes, index: index, members: members, rule: rule)
        }
    }

    package var titleCount: Int { index.count }

    /// What texts are about, by their unit vectors; nothing for a vector of zeros.
    ///
    /// - Complexity: one exact search among the titles for each text, in batches.
    package func shares(of vectors: [[Float]]) -> [OccupationShares] {
        Self.shares(of: vectors.map { (vector: $0, own: nil) }, index: index, members: members, rule: rule)
    }

    /// The grounded half of each text's vector: (384), unit; zeros where a text is about nothing.
    package func vectors(of texts: [[Float]]) -> [[Float]] {
        shares(of: texts).map(vector)
    }

    /// The grounded half of a text by what it is about: (384), unit, or zeros where that is nothing.
    func vector(of shares: OccupationShares) -> [Float] {
        projection.vector(of: shares) ?? [Float](repeating: 0, count: OccupationProjection.dimension)
    }

    // MARK: Nearest titles

    private static func shares(
        of texts: [(vector: [Float], own: Int?)], index: CodedVectors, members: [[Int]], rule: Rule
    ) -> [OccupationShares] {
        // One more than vote, so that there are enough where a title is not asked about itself.
        let nearest = index.nearest(to: texts.map(\.vector), count: rule.neighbours + 1)
        return zip(nearest, texts).map { nearest, text in
            votes(of: nearest.filter { $0.row != text.own }.prefix(rule.neighbours), members: members, rule: rule)
        }
    }

    private static func votes(
        of titles: ArraySlice<CodedVectors.Neighbour>, members: [[Int]], rule: Rule
    ) -> OccupationShares {
        var sums: [Int: Double] = [:]
        let greatest = titles.first.map { Double($0.cosine) } ?? 0
        for title in titles {
            let weight = Exponential.of((Double(title.cosine) - greatest) / rule.temperature)
            let occupations = members[title.row]
            for occupation in occupations { sums[occupation, default: 0] += weight / Double(occupations.count) }
        }
        return OccupationShares(sums)
    }

    // MARK: The projection

    /// Titles that the projection is fitted to: evenly spread, so that none of a kind is left out.
    private static let fittedTitles = 8_192

    private static func fitted(
        _ titles: OccupationTitles, codes: TitleCodes, index: CodedVectors, members: [[Int]], rule: Rule
    ) throws(GroundingError) -> OccupationProjection {
        let count = min(fittedTitles, codes.count)
        let chosen = (0..<count).map { $0 * codes.count / count }
        let texts = shares(
            of: chosen.map { (vector: codes.vector(of: $0), own: $0) }, index: index, members: members, rule: rule)
        guard let projection = OccupationProjection(occupationCount: titles.occupations.count, fitting: texts) else {
            throw .notFitted
        }
        return projection
    }
}

/// Why there is no knowledge base to read texts by.
package enum GroundingError: Error, Sendable, Equatable, CustomStringConvertible {
    case noTitles
    case notFitted
    case damaged(String)
    /// The text's own vectors have more numbers than half a row.
    case unsupportedDimension(Int)

    package var description: String {
        switch self {
        case .noTitles: "there is no job title to read texts by: the catalogue has no careers"
        case .notFitted: "no projection could be fitted to the titles: their vectors are damaged; embed them again"
        case .damaged(let problem): "the knowledge base is damaged: \(problem)"
        case .unsupportedDimension(let dimension):
            "a grounded space needs texts' vectors of \(OccupationProjection.dimension) numbers, the model gives \(dimension)"
        }
    }
}
