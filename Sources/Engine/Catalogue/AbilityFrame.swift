/// The frame that ability vectors are seen in: the catalogue's mean, from which they are centred.
package struct AbilityFrame: Sendable {
    package let mean: [Double]
    package let comparison: AbilityComparison
    /// How much each ability counts in the cosine, 1 on average; nil where all count alike.
    package let weights: [Double]?

    /// - Parameters:
    ///   - profiles: one of 15 numbers for each career; not empty.
    ///   - weights: 15 positive numbers, or nil.
    package init(profiles: [[Double]], comparison: AbilityComparison, weights: [Double]? = nil) {
        precondition(!profiles.isEmpty)
        mean = (0..<Ability.count).map { k in profiles.reduce(0) { $0 + $1[k] } / Double(profiles.count) }
        self.comparison = comparison
        self.weights = weights
    }

    /// A profile as a unit vector in this frame; all zero where it is the mean itself.
    package func unitVector(_ profile: [Double]) -> [Float] {
        var values = comparison == .centred ? zip(profile, mean).map { $0 - $1 } : profile
        // √w on both sides of an inner product weighs its terms by w.
        if let weights { values = zip(values, weights).map { $0 * $1.squareRoot() } }
        let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        // Below this a profile is the mean up to rounding, and its direction means nothing.
        guard norm > 1e-6 else { return Array(repeating: 0, count: values.count) }
        return values.map { Float($0 / norm) }
    }

    /// A profile from deviations from the mean, kept within the range of abilities.
    package func profile(deviations: [Double]) -> [Double] {
        zip(mean, deviations).map { min(max($0 + $1, abilityRange.lowerBound), abilityRange.upperBound) }
    }
}
