/// One given answer, before it is held against its question.
package enum Answer: Hashable, Sendable {
    case text(String)
    case number(Double)
}

/// An answer that does not fit the quiz.
package struct AnswerProblem: Error, Hashable, Sendable {
    package enum Code: String, Sendable {
        case unknownQuestion = "unknown_question"
        case unknownChoice = "unknown_choice"
        case outOfScale = "out_of_scale"
        case wrongType = "wrong_type"
        case textTooLong = "text_too_long"
    }

    package let question: String
    package let code: Code
    package let message: String
}

/// Answers that fit the quiz: partial sheets are welcome, empty texts count as not answered.
package struct AnswerSheet: Sendable, Hashable {
    package enum Given: Sendable, Hashable {
        case choice(QuizChoice)
        case step(Int)
        case text(String)
    }

    /// In the order of the questions.
    package let answers: [(question: QuizQuestion, given: Given)]

    /// Bytes of UTF-8; several pages, far beyond what the encoder reads.
    package static let maximumTextBytes = 16_384

    /// - Throws: every problem, in the order of the question ids.
    package init(_ given: [String: Answer], to quiz: Quiz) throws(AnswerProblems) {
        var problems: [AnswerProblem] = []
        for id in given.keys.sorted() where quiz.question(id) == nil {
            let known = quiz.questions.map(\.id)
            problems.append(
                AnswerProblem(
                    question: id, code: .unknownQuestion,
                    message: "there is no question “\(id)”; the quiz has \(known.first ?? "") to \(known.last ?? "")"))
        }
        var answers: [(question: QuizQuestion, given: Given)] = []
        for question in quiz.questions {
            guard let answer = given[question.id] else { continue }
            switch Self.read(answer, to: question) {
            case .success(let read?): answers.append((question, read))
            case .success(nil): break
            case .failure(let problem): problems.append(problem)
            }
        }
        guard problems.isEmpty else { throw AnswerProblems(problems: problems) }
        self.answers = answers
    }

    package static func == (a: AnswerSheet, b: AnswerSheet) -> Bool {
        a.answers.count == b.answers.count && zip(a.answers, b.answers).allSatisfy { $0 == $1 }
    }

    package func hash(into hasher: inout Hasher) {
        for answer in answers {
            hasher.combine(answer.question.id)
            hasher.combine(answer.given)
        }
    }

    private static func read(_ answer: Answer, to question: QuizQuestion) -> Result<Given?, AnswerProblem> {
        func problem(_ code: AnswerProblem.Code, _ message: String) -> Result<Given?, AnswerProblem> {
            .failure(AnswerProblem(question: question.id, code: code, message: message))
        }
        switch (question.type, answer) {
        case (.choice, .text(let id)):
            guard let choice = question.choices?.first(where: { $0.id == id }) else {
                let known = (question.choices ?? []).map(\.id).joined(separator: ", ")
                return problem(.unknownChoice, "question \(question.id) has no choice “\(id)”; it has \(known)")
            }
            return .success(.choice(choice))
        case (.scale, .number(let number)):
            guard let scale = question.scale, let step = Int(exactly: number), step >= scale.min, step <= scale.max
            else {
                let scale = question.scale
                return problem(
                    .outOfScale,
                    "question \(question.id) takes a whole number from \(scale?.min ?? 0) to \(scale?.max ?? 0)")
            }
            return .success(.step(step))
        case (.text, .text(let text)):
            guard text.utf8.count <= maximumTextBytes else {
                return problem(
                    .textTooLong, "the answer to question \(question.id) is longer than \(maximumTextBytes) bytes")
            }
            return .success(text.contains { !$0.isWhitespace } ? .text(text) : nil)
        case (.choice, .number):
            return problem(.wrongType, "question \(question.id) takes the id of a choice, as a string")
        case (.scale, .text):
            return problem(.wrongType, "question \(question.id) takes a number")
        case (.text, .number):
            return problem(.wrongType, "question \(question.id) takes text")
        }
    }
}

/// Everything that is wrong with a sheet of answers.
package struct AnswerProblems: Error, Hashable, Sendable {
    package let problems: [AnswerProblem]
}
