/// SplitMix64 (Steele, Lea and Flood, 2014): the same sheets on every machine for the same seed.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension Quiz {
    /// A sheet with every choice and scale answered uniformly at random, and free texts left out.
    package func randomAnswers(using random: inout SplitMix64) -> [String: Answer] {
        var answers: [String: Answer] = [:]
        for question in questions {
            switch question.type {
            case .choice: answers[question.id] = question.choices?.randomElement(using: &random).map { .text($0.id) }
            case .scale:
                if let scale = question.scale {
                    answers[question.id] = .number(Double(Int.random(in: scale.min...scale.max, using: &random)))
                }
            case .text: break
            }
        }
        return answers
    }
}
