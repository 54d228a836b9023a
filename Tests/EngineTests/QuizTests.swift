import Engine
import Foundation
import TestSupport
import Testing

@Suite struct `The quiz` {
    let quiz: Quiz

    init() throws { quiz = try BuiltIn.quiz() }

    @Test func `has nineteen questions of three kinds`() {
        #expect(quiz.questions.map(\.id) == (1...19).map(String.init))
        #expect(Set(quiz.questions.map(\.type)) == [.choice, .scale, .text])
    }

    @Test func `speaks of every ability in both directions, in at least three questions`() {
        for ability in Ability.allCases {
            var questions = 0
            var signs: Set<FloatingPointSign> = []
            for question in quiz.questions {
                let values = (question.choices ?? []).compactMap { $0.abilities[ability.rawValue] }
                let scale = question.abilities?[ability.rawValue]
                if !values.isEmpty || scale != nil { questions += 1 }
                for value in values where value != 0 { signs.insert(value.sign) }
                if scale != nil { signs.formUnion([.plus, .minus]) }
            }
            #expect(questions >= 3 && signs.count == 2, "\(ability)")
        }
    }

    @Test func `leaves random people at the average of every ability`() throws {
        var random = SplitMix64(seed: 11)
        var sums = [Double](repeating: 0, count: Ability.count)
        for _ in 0..<4_000 {
            let reading = QuizReading(try AnswerSheet(quiz.randomAnswers(using: &random), to: quiz))
            for k in sums.indices { sums[k] += reading.deviations[k] }
        }
        for (ability, sum) in zip(Ability.allCases, sums) { #expect(abs(sum / 4_000) < 0.2, "\(ability)") }
    }

    @Test func `a malformed quiz is refused by question`() throws {
        var text = String(decoding: try BuiltIn.data("quiz.json"), as: UTF8.self)
        text = text.replacing("\"empathy\"", with: "\"sympathy\"")
        #expect(throws: CatalogueError.self) { try Quiz(from: Data(text.utf8)) }
        #expect(throws: CatalogueError.self) { try Quiz(from: Data("{}".utf8)) }
    }
}

@Suite struct `A sheet of answers` {
    let quiz: Quiz

    init() throws { quiz = try BuiltIn.quiz() }

    func id(of kind: QuizQuestion.Kind) throws -> String { try #require(quiz.questions.first { $0.type == kind }).id }

    @Test func `may be partial, and empty texts are not answers`() throws {
        let sheet = try AnswerSheet(
            [try id(of: .choice): .text("a"), try id(of: .text): .text("  \n")], to: quiz)
        #expect(sheet.answers.count == 1)
    }

    @Test func `names every unknown question, choice, step and wrong type at once`() throws {
        let (choice, scale, text) = (try id(of: .choice), try id(of: .scale), try id(of: .text))
        let problems = try #require(throws: AnswerProblems.self) {
            try AnswerSheet(["99": .text("a"), choice: .text("zz"), scale: .number(6), text: .number(3)], to: quiz)
        }.problems
        #expect(Set(problems.map(\.question)) == ["99", choice, scale, text])
        #expect(Set(problems.map(\.code)) == [.unknownQuestion, .unknownChoice, .outOfScale, .wrongType])
        #expect(problems.contains { $0.message.contains("zz") })
    }

    @Test(arguments: [0, 6, 2.5, -1, 1e18, .nan, .infinity])
    func `refuses steps outside the scale`(step: Double) throws {
        let scale = try id(of: .scale)
        #expect(throws: AnswerProblems.self) { try AnswerSheet([scale: .number(step)], to: quiz) }
    }

    @Test func `refuses a text longer than is read`() throws {
        let text = try id(of: .text)
        let long = String(repeating: "a", count: AnswerSheet.maximumTextBytes + 1)
        #expect(throws: AnswerProblems.self) { try AnswerSheet([text: .text(long)], to: quiz) }
    }
}

@Suite struct `What answers say` {
    let quiz: Quiz

    init() throws { quiz = try BuiltIn.quiz() }

    @Test func `the middle of a scale says nothing, its ends opposite things`() throws {
        let scale = try #require(quiz.questions.first { $0.type == .scale })
        func deviations(_ step: Double) throws -> [Double] {
            QuizReading(try AnswerSheet([scale.id: .number(step)], to: quiz)).deviations
        }
        #expect(try deviations(3) == Array(repeating: 0, count: Ability.count))
        #expect(try deviations(1) == deviations(5).map { -$0 })
        #expect(try deviations(4) == deviations(5).map { $0 / 2 })
    }

    @Test func `a sum over answers is divided by the root of how many speak`() throws {
        let choices = quiz.questions.filter { $0.type == .choice }
        // Two questions whose first choices touch the same ability.
        for ability in Ability.allCases {
            let speaking = choices.compactMap { question in
                question.choices?.first.flatMap { choice in
                    choice.abilities[ability.rawValue].map { (question.id, choice.id, $0) }
                }
            }
            guard speaking.count >= 2 else { continue }
            let sheet = try AnswerSheet(
                [speaking[0].0: .text(speaking[0].1), speaking[1].0: .text(speaking[1].1)], to: quiz)
            let reading = QuizReading(sheet)
            #expect(
                abs(reading.deviations[ability.position] - (speaking[0].2 + speaking[1].2) / 2.0.squareRoot()) < 1e-12)
            #expect(reading.isSpokenOf[ability.position])
        }
    }
}
