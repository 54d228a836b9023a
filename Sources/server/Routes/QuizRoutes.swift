internal import Engine
internal import Hummingbird
internal import Platform
internal import Store

/// `GET /api/quiz/questions/` and `POST /api/quiz/submit/`.
struct QuizRoutes {
    let pathways: Pathways

    func add(to router: GuardedRouter) {
        let questions = questionsReply()
        router.get("/api/quiz/questions", .recommend) { _, _ in questions }
        router.post("/api/quiz/submit", .recommend) { request, scope in try await submit(request, scope) }
    }

    /// The same for everybody, so it is written once.
    private func questionsReply() -> Response {
        let questions = pathways.quiz.questions
        return .json { json in
            json.object { json in
                json.field("items", arrayOf: questions) { json, question in write(question, to: &json) }
                json.field("total", questions.count)
                json.field("skip", 0)
                json.field("limit", questions.count)
            }
        }
    }

    /// A question without what its answers mean: a client needs the words, not the map.
    private func write(_ question: QuizQuestion, to json: inout JSONWriter) {
        json.object { json in
            json.field("id", question.id)
            json.field("type", question.type.rawValue)
            json.field("text", question.text)
            if let choices = question.choices {
                json.field("choices", arrayOf: choices) { json, choice in
                    json.object { json in
                        json.field("id", choice.id)
                        json.field("text", choice.text)
                    }
                }
            }
            if let scale = question.scale {
                json.field("scale") { json in
                    json.field("min", scale.min)
                    json.field("max", scale.max)
                    json.field("labels", scale.labels)
                }
            }
        }
    }

    private func submit(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let sheet = try await request.readFields(in: scope) { fields in
            RecommendationReader.answers(fields, quiz: pathways.quiz, isRequired: true)
        }
        guard let sheet, !sheet.answers.isEmpty else {
            throw HTTPProblem(
                .nothingToGoOn, "No question is answered; one is enough.",
                errors: [FieldError(path: "answers", message: "must answer at least one question")])
        }
        let id = try await pathways.sessions.create(
            kind: "quiz", owner: scope.principal.userID, answers: StoredAnswers.text(of: sheet),
            id: scope.effectID(for: "session"))
        return .json(status: .created) { json in
            json.object { json in
                json.field("session_id", id)
                json.field("answered", sheet.answers.count)
                json.field("total", pathways.quiz.questions.count)
            }
        }
    }
}

/// Answers as a session keeps them: the JSON object that came in.
enum StoredAnswers {
    static func text(of sheet: AnswerSheet) -> String {
        var json = JSONWriter(capacity: 512)
        json.object { json in
            for (question, given) in sheet.answers {
                switch given {
                case .choice(let choice): json.field(question.id, choice.id)
                case .step(let step): json.field(question.id, step)
                case .text(let text): json.field(question.id, text)
                }
            }
        }
        return String(buffer: json.finish())
    }

    /// - Throws: `HTTPProblem` where the quiz has changed since and an answer no longer fits it, or where what is
    ///   stored is damaged.
    static func sheet(from text: String, quiz: Quiz) throws -> AnswerSheet {
        let stored: JSONValue
        do {
            stored = try JSONParser.parse(Array(text.utf8))
        } catch {
            // Left as it is, the parser's error would blame the body of the request.
            throw HTTPProblem(.internalError, "What is stored of this session is damaged.", cause: error)
        }
        guard case .object(let object) = stored else { return try AnswerSheet([:], to: quiz) }
        var answers: [String: Answer] = [:]
        for (name, value) in object.members {
            switch value {
            case .string(let text): answers[name] = .text(text)
            case .integer(let number): answers[name] = .number(Double(number))
            case .number(let number): answers[name] = .number(number)
            case .null, .bool, .array, .object: break
            }
        }
        do throws(AnswerProblems) {
            return try AnswerSheet(answers, to: quiz)
        } catch {
            throw HTTPProblem(
                .conflict, "The quiz has changed since this session was answered; answer it again.",
                errors: error.problems.map { FieldError(path: "answers.\($0.question)", message: $0.message) })
        }
    }
}
