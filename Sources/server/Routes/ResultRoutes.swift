internal import Engine
internal import Hummingbird
internal import Store

/// What became of a session: its recommendations, and what was done with careers in it.
struct ResultRoutes {
    let pathways: Pathways
    let guardian: SessionGuard

    func add(to router: GuardedRouter) {
        router.get("/api/results/{session_id}", .results) { request, scope in try await result(request, scope) }
        FeedbackRoutes(pathways: pathways, guardian: guardian).add(to: router)
    }

    private func result(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let id = try scope.pathID("session_id", missing: Self.noSession)
        try request.readQuery { _ in }
        // Another person's session is as if it were not there.
        guard let session = try await pathways.sessions.session(id: id),
            try await guardian.allows(scope.principal, sessionOf: session.owner, isReading: true)
        else { throw Self.noSession(id) }
        // One read: lists of several would not agree where somebody writes in between.
        let events = try await pathways.events.events(in: id)
        let reply = try Self.stored(session.reply)
        let answers = try Self.stored(session.answers)
        // A session belongs to one person; who knows the id of somebody anonymous may read it.
        return .json(headers: [.cacheControl: "private, no-cache"], capacity: 16_384) { json in
            json.object { json in
                json.field("session_id", session.id)
                if case .object(let members)? = reply {
                    for (name, value) in members.members {
                        json.name(name)
                        json.value(value)
                    }
                } else {
                    json.field("recommendations", [String]())
                }
                json.name("answers")
                if let answers { json.value(answers) } else { json.null() }
                json.field("saved_careers", Self.careers(.saved, events))
                json.field("viewed_careers", Self.careers(.viewed, events))
                json.field("dismissed_careers", Self.careers(.dismissed, events))
                json.field("chosen_careers", Self.careers(.chosen, events))
                json.field("events", arrayOf: events) { json, event in
                    json.object { json in
                        json.field("kind", event.kind.rawValue)
                        json.field("career_id", event.careerID)
                        json.field("recommendation_id", event.recommendationID)
                        json.field("at", event.createdAt)
                    }
                }
                json.field("created_at", session.createdAt)
                json.field("updated_at", session.updatedAt)
            }
        }
    }

    /// The careers that something was done with, each once, in the order of the first time.
    private static func careers(_ kind: CareerEventKind, _ events: [CareerEvent]) -> [String] {
        var seen: Set<String> = []
        return events.filter { $0.kind == kind && seen.insert($0.careerID).inserted }.map(\.careerID)
    }

    /// What the store holds as JSON; if it is damaged, that is no mistake of the client's.
    private static func stored(_ text: String?) throws -> JSONValue? {
        do {
            return try text.map { try JSONParser.parse(Array($0.utf8)) }
        } catch {
            throw HTTPProblem(.internalError, "What is stored of this session is damaged.", cause: error)
        }
    }

    static func noSession(_ id: String) -> HTTPProblem {
        HTTPProblem(
            .sessionNotFound, "There is no session “\(excerpt(of: id))”.",
            errors: [FieldError(path: "session_id", message: "there is no such session")])
    }
}
