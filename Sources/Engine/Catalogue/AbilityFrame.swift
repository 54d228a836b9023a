/// The frame that ability vectors are seen in: the catalogue's mean, from which they are centred.
package struct AbilityFrame: Sendable {
    package let mean: [Double]
    package let comparison: AbilityComparison

    /// - Parameter profiles: one of 15 numbers for each career; not empty.
    package init(profiles: [[Double]], comparison: AbilityComparison) {
        precondition(!profiles.isEmpty)
        mean = (0..<Ability.count).map { k in profiles.reduce(0) { $0 + $1[k] } / Double(profiles.count) }
        self.comparison = comparison
    }

    /// A profile as a unit vector in this frame; all zero where it is the mean itself.
    package func unitVector(_ profile: [Double]) -> [Float] {
        let values = comparison == .centred ? zip(profile, mean).map { $0 - $1 } : profile
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
