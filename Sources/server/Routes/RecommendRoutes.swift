internal import Engine
internal import Hummingbird
internal import Store

/// `POST /api/results/recommend/` and `POST /api/recommend/batch/`.
struct RecommendRoutes {
    static let maximumBatch = 256
    static let maximumSessionIDBytes = 64

    let pathways: Pathways
    let topNMaximum: Int

    func add(to router: Router<RequestScope>) {
        router.post("/api/results/recommend") { request, scope in try await recommend(request, scope) }
        router.post("/api/recommend/batch") { request, scope in try await batch(request, scope) }
    }

    private var reader: RecommendationReader {
        RecommendationReader(
            quiz: pathways.quiz, topNMaximum: min(topNMaximum, RecommendationRequest.maximumTopN),
            clusters: pathways.recommender.current.clusters)
    }

    private func recommend(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let body = try await request.readJSON(in: scope)
        let named = Self.sessionID(in: body)
        let stored = try await answers(of: named)
        let wanted = try FieldReader.read(body, limits: scope.limits) { fields in
            _ = fields.string("session_id", maxBytes: Self.maximumSessionIDBytes, allowEmpty: false)
            return reader.request(fields, storedAnswers: stored)
        }
        let reply = try await pathways.recommender.recommend(wanted)
        let writer = RecommendationWriter(reply: reply)
        // The id is promised to the client once it is durable, so the store comes before the answer.
        let sessionID = try await keep(writer, request: body, answers: wanted.answers, in: named)
        return .json(capacity: 16_384) { writer.write(to: &$0, sessionID: sessionID) }
    }

    private static func sessionID(in body: JSONValue) -> String? {
        guard case .object(let object) = body, case .string(let id)? = object["session_id"], !id.isEmpty,
            id.utf8.count <= maximumSessionIDBytes
        else { return nil }
        return id
    }

    /// What the session that a request names was answered with.
    private func answers(of sessionID: String?) async throws -> AnswerSheet? {
        guard let sessionID else { return nil }
        guard let session = try await pathways.sessions.session(id: sessionID) else {
            throw HTTPProblem(
                .sessionNotFound,
                "There is no session “\(excerpt(of: sessionID))”; submit the quiz, or send the answers.",
                errors: [FieldError(path: "session_id", message: "there is no such session")])
        }
        return try session.answers.map { try StoredAnswers.sheet(from: $0, quiz: pathways.quiz) }
    }

    private func keep(
        _ writer: RecommendationWriter, request: JSONValue, answers: AnswerSheet?, in sessionID: String?
    ) async throws -> String {
        var reply = JSONWriter(capacity: 16_384)
        writer.write(to: &reply, sessionID: nil, timing: false)
        var asked = JSONWriter(capacity: 1_024)
        asked.value(request)
        let replyText = String(buffer: reply.finish())
        let requestText = String(buffer: asked.finish())
        if let sessionID {
            guard try await pathways.sessions.attach(request: requestText, reply: replyText, to: sessionID) else {
                throw HTTPProblem(.sessionNotFound, "The session “\(excerpt(of: sessionID))” was removed meanwhile.")
            }
            return sessionID
        }
        return try await pathways.sessions.create(
            kind: "recommend", answers: answers.map(StoredAnswers.text), request: requestText, reply: replyText)
    }

    /// Several requests at once, none of which is kept.
    private func batch(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let wanted = try await request.readFields(in: scope) { fields in
            _ = fields.requiredField("requests")
            return fields.objects("requests", maxCount: Self.maximumBatch)?.map {
                reader.request($0, storedAnswers: nil)
            } ?? []
        }
        guard !wanted.isEmpty else {
            throw HTTPProblem(
                .invalidFields, "requests: must have at least one request",
                errors: [FieldError(path: "requests", message: "must have at least one request")])
        }
        var replies: [RecommendationReply] = []
        for (position, request) in wanted.enumerated() {
            do {
                replies.append(try await pathways.recommender.recommend(request))
            } catch let error as RecommendationError {
                throw Self.located(ProblemTable.service.problem(for: error), at: position)
            }
        }
        return .json(capacity: 16_384 * replies.count) { json in
            json.object { json in
                json.field("items", arrayOf: replies) { json, reply in
                    RecommendationWriter(reply: reply).write(to: &json, sessionID: nil)
                }
                json.field("total", replies.count)
            }
        }
    }

    /// The problem of one request of a batch, saying which.
    private static func located(_ problem: HTTPProblem, at position: Int) -> HTTPProblem {
        var problem = problem
        problem.detail = "Request \(position) of the batch: \(problem.detail)"
        problem.errors =
            problem.errors.isEmpty
            ? [FieldError(path: "requests.\(position)", message: problem.detail)]
            : problem.errors.map { FieldError(path: "requests.\(position).\($0.path)", message: $0.message) }
        return problem
    }
}
