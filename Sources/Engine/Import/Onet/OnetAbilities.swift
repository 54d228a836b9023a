/// The 15 abilities of every occupation, from what its work is rated to need.
enum OnetAbilities {
    /// Abilities from 0 to 10 in steps of 0.1, one row per occupation in the order of `Ability.allCases`.
    ///
    /// An ability is the weighted mean of its elements; elements that a release has not are left out of it. The
    /// occupations then spread over the scale: the 2nd percentile comes to 1 and the 98th to 9, with a straight line
    /// between and beyond, so that the few at the ends neither squeeze the others nor leave the range.
    ///
    /// - Parameter ratings: without gaps.
    static func values(of ratings: OnetRatings) -> [[Double]] {
        var result = Array(repeating: [Double](), count: ratings.codes.count)
        for ability in Ability.allCases {
            let column = scaled(raw(ability, ratings))
            for k in result.indices { result[k].append(column[k]) }
        }
        return result
    }

    private static func raw(_ ability: Ability, _ ratings: OnetRatings) -> [Double] {
        let parts = OnetAbilityMap.parts(of: ability).filter { ratings.values[$0.element] != nil }
        let total = parts.reduce(0) { $0 + $1.weight }
        return ratings.codes.indices.map { occupation in
            guard total > 0 else { return 0 }
            return parts.reduce(0) { $0 + $1.weight * (ratings.value($1.element, occupation) ?? 0) } / total
        }
    }

    private static func scaled(_ values: [Double]) -> [Double] {
        let sorted = values.sorted()
        let low = quantile(0.02, of: sorted)
        let high = quantile(0.98, of: sorted)
        return values.map { value in
            guard high > low else { return 5 }
            let scaled = 1 + 8 * (value - low) / (high - low)
            return (min(max(scaled, abilityRange.lowerBound), abilityRange.upperBound) * 10).rounded() / 10
        }
    }

    private static func quantile(_ share: Double, of sorted: [Double]) -> Double {
        guard let last = sorted.indices.last else { return 0 }
        let place = share * Double(last)
        let below = Int(place)
        let above = min(below + 1, last)
        return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
    }
}
