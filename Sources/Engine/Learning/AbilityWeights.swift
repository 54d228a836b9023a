internal import Foundation

/// How much each of the 15 abilities counts where a person's are compared with a career's; 1 on average.
///
/// As JSON an object from the abilities' names to numbers.
package struct AbilityWeights: Sendable, Equatable {
    /// No ability may vanish, and none may drown the others: feedback is of the careers that were shown, and a
    /// weight far out would be learned from few of them.
    package static let range = 0.25...4.0

    /// All abilities alike.
    package static let equal = AbilityWeights(unchecked: Array(repeating: 1, count: Ability.count))

    /// In the order of `Ability.allCases`, each within `range`, their mean 1.
    package let values: [Double]

    private init(unchecked values: [Double]) { self.values = values }

    /// - Returns: Nil unless there are 15 numbers within `range` whose mean is 1.
    package init?(_ values: [Double]) {
        guard values.count == Ability.count else { return nil }
        let tolerance = 1e-6
        let allowed = Self.range.lowerBound - tolerance...Self.range.upperBound + tolerance
        guard values.allSatisfy(allowed.contains) else { return nil }
        guard abs(values.reduce(0, +) / Double(values.count) - 1) <= tolerance else { return nil }
        self.values = values
    }

    /// The weights nearest in proportion to fitted coefficients: negative ones cut off, all brought to mean 1 within
    /// `range`.
    ///
    /// - Parameter coefficients: 15 finite numbers.
    /// - Returns: Nil where their mean is not above 0: abilities then speak against a career, if they say anything.
    package init?(coefficients: [Double]) {
        precondition(coefficients.count == Ability.count)
        guard coefficients.allSatisfy(\.isFinite), coefficients.reduce(0, +) > 0 else { return nil }
        let greatest = coefficients.max() ?? 1
        // The least part of the greatest, so that a large enough scale lifts all of them to the upper bound and the
        // mean that is sought always lies between the scales tried.
        let positive = coefficients.map { max($0 / greatest, 1e-3) }
        func clipped(_ scale: Double) -> [Double] {
            positive.map { min(max($0 * scale, Self.range.lowerBound), Self.range.upperBound) }
        }
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
        // Dividing by the mean after clipping would leave the range again; the mean grows with the scale, so the
        // one scale that keeps both is found by halving.
        var (low, high) = (0.0, Self.range.upperBound / 1e-3)
        for _ in 0..<200 {
            let middle = (low + high) / 2
            if mean(clipped(middle)) < 1 { low = middle } else { high = middle }
        }
        values = clipped(high)
    }

    package subscript(_ ability: Ability) -> Double { values[ability.position] }

    /// A person's ability vector with the weights in it, as long as it was.
    ///
    /// Only the person's side is weighted: the inner product with a career's vector is then Σ wₖ·qₖ·cₖ up to a factor
    /// that is the same for every career, so a change of weights changes no stored row. Of equal length it stays a
    /// cosine, within −1…1.
    /// - Parameter vector: (15), a unit vector or all zero.
    package func applied(to vector: [Float]) -> [Float] {
        precondition(vector.count == Ability.count)
        if self == .equal { return vector }
        let weighted = zip(vector, values).map { Double($0) * $1 }
        let length = weighted.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard length > 0 else { return vector }
        let before = vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        return weighted.map { Float($0 * before / length) }
    }
}

extension AbilityWeights: Codable {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// - Throws: `DecodingError` for a missing or unknown ability, and for numbers that are no weights.
    package init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Key.self)
        func invalid(_ problem: String) -> DecodingError {
            .dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: problem))
        }
        if let unknown = object.allKeys.first(where: { Ability(rawValue: $0.stringValue) == nil }) {
            throw invalid("there is no ability “\(unknown.stringValue)”")
        }
        let values = try Ability.allCases.map { ability in
            try object.decode(Double.self, forKey: Key(stringValue: ability.rawValue))
        }
        guard let weights = AbilityWeights(values) else {
            throw invalid("weights lie between \(Self.range.lowerBound) and \(Self.range.upperBound), their mean is 1")
        }
        self = weights
    }

    package func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: Key.self)
        for ability in Ability.allCases { try object.encode(self[ability], forKey: Key(stringValue: ability.rawValue)) }
    }
}
