/// What people are good at and work asks for: 15 abilities from 0 to 10, in a fixed order.
package enum Ability: String, CaseIterable, Sendable, Codable {
    case analyticalReasoning = "analytical_reasoning"
    case creativity
    case verbalCommunication = "verbal_communication"
    case technicalAptitude = "technical_aptitude"
    case numericalReasoning = "numerical_reasoning"
    case leadership
    case problemSolving = "problem_solving"
    case empathy
    case attentionToDetail = "attention_to_detail"
    case physicalAbility = "physical_ability"
    case digitalLiteracy = "digital_literacy"
    case teamwork
    case organisation
    case entrepreneurship
    case adaptability

    package static let count = allCases.count

    /// Its place in every ability vector, from 0.
    package var position: Int { Self.positions[self] ?? 0 }

    /// The name in words: “attention to detail”.
    package var words: String { rawValue.split(separator: "_").joined(separator: " ") }

    /// The name as a heading: “Attention to detail”.
    package var label: String { words.prefix(1).uppercased() + words.dropFirst() }

    private static let positions = Dictionary(uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })
}

/// The range of every ability number.
package let abilityRange: ClosedRange<Double> = 0...10

/// How ability vectors are compared.
package enum AbilityComparison: String, Sendable, CaseIterable, Codable {
    /// As the cosine of vectors centred on the catalogue's mean: the product's.
    case centred
    /// As the cosine of the vectors as they are: nearly 1 for everyone; kept to measure the difference.
    case plain
}
