internal import Engine

/// The engine's explanation of a recommendation in one to three plain sentences, without its numbers.
enum EngineReason {
    /// Beside the strongest effect, smaller ones are not worth a sentence.
    private static let mention = 0.15

    static func text(of item: Recommendation, for subject: ListQuestion.Subject) -> String {
        let explanation = item.explanation
        var sentences: [String] = []
        switch subject {
        case .student:
            sentences.append(explanation.summary)
            if item.band != .weak, let second = secondQuote(explanation.answers) {
                sentences.append("“\(second)” leads here too.")
            }
        case .course: sentences.append(courseOpening(item.band))
        }
        // Where skills were named, the explanation's last sentence for the career says which.
        if !explanation.skills.isEmpty, let named = explanation.speaksFor.last {
            sentences.append(subject == .student ? named : courseSkills(explanation.skills))
        }
        return sentences.joined(separator: " ")
    }

    /// What spoke second most for the career; the summary has the first.
    private static func secondQuote(_ effects: [Explanation.AnswerEffect]) -> String? {
        let strongest = effects.map { abs($0.points) }.max() ?? 0
        var quotes: [String] = []
        // Equal ones in the order in which they were said: the same words for the same list.
        let places = effects.indices.sorted { (effects[$1].points, $0) < (effects[$0].points, $1) }
        for effect in places.map({ effects[$0] }) where effect.points >= max(strongest * mention, 0.05) {
            guard case .text(let quote?) = effect.origin, !quotes.contains(quote) else { continue }
            quotes.append(quote)
        }
        return quotes.dropFirst().first
    }

    /// Of a course nobody “wrote” anything.
    private static func courseOpening(_ band: Band) -> String {
        switch band {
        case .excellent: "An excellent match with the course."
        case .strong: "A strong match with the course."
        case .fair: "A fair match with the course."
        case .weak: "A weak match: nearer to the course than most careers, and still not near."
        }
    }

    private static func courseSkills(_ skills: [String]) -> String {
        "It uses what the course is named for: \(skills.prefix(4).joined(separator: ", "))."
    }
}
