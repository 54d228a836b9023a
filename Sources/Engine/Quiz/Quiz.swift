package import Foundation

/// The two short texts that an answer adds to a query, each for one view of a career.
package struct PhrasePair: Codable, Hashable, Sendable {
    /// What the work is.
    package var work: String?
    /// What it takes.
    package var takes: String?
}

/// One answer to choose.
package struct QuizChoice: Codable, Hashable, Sendable {
    package var id: String
    package var text: String
    /// Deviations from the average career, by ability.
    package var abilities: [String: Double]
    package var work: String?
    package var takes: String?
}

package struct QuizScale: Codable, Hashable, Sendable {
    package var min: Int
    package var max: Int
    package var labels: [String]
}

/// One question of the quiz.
package struct QuizQuestion: Codable, Hashable, Sendable {
    package enum Kind: String, Codable, Sendable {
        case choice, scale, text
    }

    package var id: String
    package var type: Kind
    package var text: String
    package var choices: [QuizChoice]?
    package var scale: QuizScale?
    /// For a scale: deviations at its upper end; the lower end has the opposite.
    package var abilities: [String: Double]?
    package var high: PhrasePair?
    package var low: PhrasePair?
    /// For free text: which view it speaks of: `work`, `takes` or `both`.
    package var view: String?
}

/// The quiz: its questions and what their answers mean (docs/quiz.md).
package struct Quiz: Codable, Sendable {
    package var version: Int
    package var questions: [QuizQuestion]

    /// - Throws: `CatalogueError.invalidQuiz` naming the question.
    package init(from data: Data) throws(CatalogueError) {
        do {
            self = try JSONDecoder().decode(Quiz.self, from: data)
        } catch {
            throw .unreadable(what: "the quiz", problem: "\(error)")
        }
        try validate()
    }

    package func question(_ id: String) -> QuizQuestion? { questions.first { $0.id == id } }

    private func validate() throws(CatalogueError) {
        var ids: Set<String> = []
        for question in questions {
            func fail(_ problem: String) -> CatalogueError {
                .invalidQuiz(problem: "question \(question.id): \(problem)")
            }
            guard ids.insert(question.id).inserted else { throw fail("its id is used twice") }
            switch question.type {
            case .choice:
                guard let choices = question.choices, choices.count > 1 else { throw fail("it has no choices") }
                guard Set(choices.map(\.id)).count == choices.count else { throw fail("a choice's id is used twice") }
            case .scale:
                guard let scale = question.scale, scale.min < scale.max,
                    scale.labels.count == scale.max - scale.min + 1
                else { throw fail("its scale needs a label for each step") }
            case .text:
                guard ["work", "takes", "both"].contains(question.view ?? "") else { throw fail("it names no view") }
            }
            let named = (question.choices ?? []).flatMap(\.abilities.keys) + (question.abilities ?? [:]).keys
            if let unknown = named.first(where: { Ability(rawValue: $0) == nil }) {
                throw fail("there is no ability “\(unknown)”")
            }
        }
    }

    /// Every phrase that an answer can add, once each, for each view.
    package var phrases: (work: [String], takes: [String]) {
        var work: [String] = []
        var takes: [String] = []
        for question in questions {
            for pair in question.phrasePairs {
                if let text = pair.pair.work, !work.contains(text) { work.append(text) }
                if let text = pair.pair.takes, !takes.contains(text) { takes.append(text) }
            }
        }
        return (work, takes)
    }
}

extension QuizQuestion {
    /// The weight of a scale's phrases where nothing is known of the answer: E|z| over its five steps, shared by
    /// the two ends.
    private static let scaleEndWeight: Float = 0.3

    /// The phrases of the question's answers, each with its weight when nothing is known of the answer: what a
    /// question adds to the mean phrase.
    var phrasePairs: [(pair: PhrasePair, weight: Float)] {
        switch type {
        case .choice:
            let choices = choices ?? []
            return choices.map { (PhrasePair(work: $0.work, takes: $0.takes), 1 / Float(choices.count)) }
        case .scale:
            return [high, low].compactMap { $0 }.map { ($0, Self.scaleEndWeight) }
        case .text:
            return []
        }
    }
}
