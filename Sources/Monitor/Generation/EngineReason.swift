internal import Engine

/// The engine's explanation of a recommendation in one or two plain sentences, without its numbers.
enum EngineReason {
    static func text(of item: Recommendation, for subject: ListQuestion.Subject) -> String {
        let explanation = item.explanation
        let opening =
            switch subject {
            case .student: explanation.summary
            case .course: courseOpening(item.band)
            }
        // Where skills were named, the explanation's last sentence for the career says which.
        guard !explanation.skills.isEmpty, let named = explanation.speaksFor.last else { return opening }
        return "\(opening) \(subject == .student ? named : courseSkills(explanation.skills))"
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
