internal import VectorMath

/// What pairs of careers teach of how much each ability counts for being related.
package struct LearnedAbilityWeights: Sendable, Codable, Equatable {
    /// Pairs that were learned from.
    package let pairs: Int
    /// Of them, those that are related.
    package let relatedPairs: Int
    /// Of the regression, relative to the pairs; nil where it came to no weights.
    package let penalty: Double?
    /// Nil where nothing was learned.
    package let weights: AbilityWeights?
    /// Why nothing was learned, in words.
    package let reason: String?

    enum CodingKeys: String, CodingKey {
        case pairs, penalty, weights, reason
        case relatedPairs = "related_pairs"
    }

    /// Unrelated careers that are drawn for each. All of them would outweigh the related ones fifty to one: the fit
    /// would then be of what sets careers apart that nobody takes for related.
    static let unrelatedEach = 40

    /// Learns from the pairs of some careers with one another; of no other career anything is looked at but what it
    /// adds to the frame's mean.
    ///
    /// - Parameters:
    ///   - places: of the careers.
    ///   - frame: centred, without weights.
    init(_ places: [Int], of related: RelatedCareers, frame: AbilityFrame, seed: UInt64) {
        let samples = Self.samples(places, of: related, frame: frame, seed: seed)
        let found = Self.fit(samples)
        pairs = samples.count
        relatedPairs = samples.count(where: { $0.target > 0 })
        penalty = found.penalty
        weights = found.weights
        reason = found.reason
    }

    /// How strongly two careers are related, and by how much their unit vectors differ in each ability: −(uₖ − vₖ)².
    ///
    /// With equal coefficients these add up to twice the cosine less two. The products uₖ·vₖ add up to the cosine as
    /// well, and gave weights that helped less evenly on both halves (docs/evaluation.md).
    private static func samples(
        _ places: [Int], of related: RelatedCareers, frame: AbilityFrame, seed: UInt64
    ) -> [AbilityWeightSample] {
        let ids = related.careers.map(\.id)
        let vectors = related.careers.map { frame.unitVector($0.abilities) }
        var random = SplitMix64(seed: seed)
        var samples: [AbilityWeightSample] = []
        for place in places where related.isAsked(ids[place]) {
            let strengths = related.careers.indices.map { related.strength(of: ids[$0], for: ids[place]) }
            var others = places.filter { $0 != place && strengths[$0] == 0 }
            // Fisher and Yates's shuffle, only as far as it is needed.
            for start in others.indices.prefix(unrelatedEach) {
                others.swapAt(start, Int.random(in: start..<others.count, using: &random))
            }
            for other in places.filter({ strengths[$0] > 0 }) + others.prefix(unrelatedEach) {
                let features = zip(vectors[place], vectors[other]).map { a, b in
                    let difference = Double(a) - Double(b)
                    return -difference * difference
                }
                samples.append(
                    AbilityWeightSample(group: ids[place], features: features, offset: 0, target: strengths[other]))
            }
        }
        return samples
    }

    /// The regression that feedback is learned by too, without texts: towards one coefficient for all abilities.
    private static func fit(
        _ samples: [AbilityWeightSample]
    ) -> (penalty: Double?, weights: AbilityWeights?, reason: String?) {
        do {
            let equal = try AbilityWeightFit.mix(samples, weights: .equal)
            guard equal.ability > 0 else {
                return (nil, nil, "related careers are not more alike in their abilities than others")
            }
            let penalty = try AbilityWeightFit.penalty(samples)
            let coefficients = try AbilityWeightFit.coefficients(samples, towards: equal, penalty: penalty)
            guard let weights = AbilityWeights(coefficients: Array(coefficients[2...])) else {
                return (nil, nil, "the abilities' coefficients are not above 0 on average")
            }
            return (penalty, weights, nil)
        } catch {
            return (nil, nil, "the regression has no solution (\(error))")
        }
    }
}
