internal import Engine
internal import Hummingbird
internal import Platform
internal import Store

/// `POST /api/results/recommend/` and `POST /api/recommend/batch/`.
struct RecommendRoutes {
    /// A stored session that a request goes on with.
    private struct Continued {
        let id: String
        let answers: AnswerSheet?
        let claim: SessionOwnerRepository.Claim
    }

    static let maximumBatch = 256
    /// What costs no more than a few single requests do.
    private static let smallBatch = 8
    static let maximumSessionIDBytes = 64

    let pathways: Pathways
    let guardian: SessionGuard
    let topNMaximum: Int
    let stages: StageMetrics

    func add(to router: GuardedRouter) {
        router.post("/api/results/recommend", .recommend) { request, scope in try await recommend(request, scope) }
        router.post("/api/recommend/batch", .recommend) { request, scope in try await batch(request, scope) }
    }

    private var reader: RecommendationReader {
        RecommendationReader(
            quiz: pathways.quiz, topNMaximum: min(topNMaximum, RecommendationRequest.maximumTopN),
            generation: pathways.recommender.current)
    }

    private func recommend(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let body = try await request.readJSON(in: scope)
        let continued = try await session(Self.sessionID(in: body), scope)
        var isPersonal = true
        var wanted = try FieldReader.read(body, limits: scope.limits) { fields in
            _ = fields.string("session_id", maxBytes: Self.maximumSessionIDBytes, allowEmpty: false)
            isPersonal = fields.bool("personalise") ?? true
            return reader.request(fields, storedAnswers: continued?.answers)
        }
        if isPersonal, let continued { wanted.history = try await history(of: continued.id) }
        giveUpPlace(scope, requests: 1)
        let reply = try await scope.watchingClient { [wanted] in try await pathways.recommender.recommend(wanted) }
        RequestTrace.current?.recommended([reply])
        stages.made([reply])
        let recommendation = RecommendationRecord(
            id: scope.effectID(for: "recommendation") ?? RandomID.make(), generation: reply.generation,
            careerIDs: reply.recommendations.map(\.career.id), query: LearningRecord(reply).text)
        let writer = RecommendationWriter(reply: reply, recommendationID: recommendation.id)
        // Written once: what is kept is what is sent, but for what only one of the two has.
        let kept = writer.kept()
        let made = ContinuousClock.now
        // The ids are promised to the client once they are durable, so the store comes before the answer.
        let sessionID = try await keep(
            kept, recommendation, request: body, answers: wanted.answers, in: continued,
            owner: scope.principal.userID, newID: scope.effectID(for: "session"))
        stages.stored(since: made)
        return .json(capacity: kept.count + 512) { writer.write(kept: kept, to: &$0, sessionID: sessionID) }
    }

    /// Many texts take turns with others in the queue, and texts for a model outside wait for its answer without computing:
    /// both have bounds of their own.
    private func giveUpPlace(_ scope: RequestScope, requests: Int) {
        if requests > Self.smallBatch || pathways.catalogue.model.remote != nil { scope.giveUpPlace() }
    }

    /// What was done in a session before, as far as it bears on what is recommended next.
    private func history(of session: String) async throws -> [HistoryEntry] {
        try await pathways.events.events(in: session).compactMap { event in
            switch event.kind {
            case .saved: HistoryEntry(.saved, event.careerID)
            case .chosen: HistoryEntry(.chosen, event.careerID)
            case .dismissed: HistoryEntry(.dismissed, event.careerID)
            case .viewed: nil
            }
        }
    }

    /// The session that a body names, or nil where it names none or one that the field's own rules will refuse.
    private static func sessionID(in body: JSONValue) -> String? {
        guard case .object(let object) = body, case .string(let id)? = object["session_id"], !id.isEmpty,
            id.utf8.count <= maximumSessionIDBytes, !id.utf8.contains(0)
        else { return nil }
        return id
    }

    /// The session that a request names, with what it was answered with.
    private func session(_ sessionID: String?, _ scope: RequestScope) async throws -> Continued? {
        guard let sessionID else { return nil }
        guard let session = try await pathways.sessions.session(id: sessionID),
            let claim = try await guardian.claim(
                on: session.owner.map { .user(id: $0) } ?? .nobody, scope.principal, adopts: true)
        else {
            throw HTTPProblem(
                .sessionNotFound,
                "There is no session “\(excerpt(of: sessionID))”; submit the quiz, or send the answers.",
                errors: [FieldError(path: "session_id", message: "there is no such session")])
        }
        let answers = try session.answers.map { try StoredAnswers.sheet(from: $0, quiz: pathways.quiz) }
        return Continued(id: sessionID, answers: answers, claim: claim)
    }

    private func keep(
        _ reply: [UInt8], _ recommendation: RecommendationRecord, request: JSONValue,
        answers: AnswerSheet?, in continued: Continued?, owner: String?, newID: String?
    ) async throws -> String {
        var asked = JSONWriter(capacity: 1_024)
        asked.value(request)
        let replyText = String(decoding: reply, as: UTF8.self)
        let requestText = String(decoding: asked.finishBytes(), as: UTF8.self)
        if let continued {
            guard
                try await pathways.sessions.attach(
                    request: requestText, reply: replyText, recommendation: recommendation, to: continued.id,
                    by: continued.claim)
            else {
                throw HTTPProblem(
                    .sessionNotFound, "The session “\(excerpt(of: continued.id))” was removed meanwhile.")
            }
            return continued.id
        }
        return try await pathways.sessions.create(
            kind: "recommend", owner: owner, answers: answers.map(StoredAnswers.text), request: requestText,
            reply: replyText, recommendation: recommendation, id: newID)
    }

    /// Several requests at once, none of which is kept.
    private func batch(_ request: Request, _ scope: RequestScope) async throws -> Response {
        // One reader, so that all requests are held against the same careers.
        let reader = reader
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
        giveUpPlace(scope, requests: wanted.count)
        var replies: [RecommendationReply] = []
        let results = try await scope.watchingClient { try await pathways.recommender.recommend(batch: wanted) }
        let given = results.compactMap { try? $0.get() }
        RequestTrace.current?.recommended(given)
        stages.made(given)
        for (position, result) in results.enumerated() {
            switch result {
            case .success(let reply): replies.append(reply)
            case .failure(let error): throw Self.located(ProblemTable.service.problem(for: error), at: position)
            }
        }
        return .json(capacity: 16_384 * replies.count) { json in
            json.object { json in
                json.field("items", arrayOf: replies) { json, reply in
                    RecommendationWriter(reply: reply).write(to: &json)
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
