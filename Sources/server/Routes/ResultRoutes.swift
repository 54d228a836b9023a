internal import Engine
internal import Foundation
internal import Hummingbird
internal import Store

/// What became of a session: its recommendations, and the careers saved and viewed in it.
struct ResultRoutes {
    let pathways: Pathways

    func add(to router: Router<RequestScope>) {
        router.get("/api/results/{session_id}") { request, scope in try await result(request, scope) }
        router.post("/api/results/save_career") { request, scope in try await save(request, scope) }
        router.post("/api/results/view_career") { request, scope in try await view(request, scope) }
    }

    private func result(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let id = try scope.parameters.require("session_id")
        try request.readQuery { _ in }
        guard let session = try await pathways.sessions.session(id: id) else { throw Self.noSession(id) }
        let saved = try await pathways.events.saved(in: id)
        let viewed = try await pathways.events.viewed(in: id)
        let reply = try Self.stored(session.reply)
        let answers = try Self.stored(session.answers)
        return .json(capacity: 16_384) { json in
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
                json.field("saved_careers", saved.map(\.careerID))
                json.field("viewed_careers", viewed)
                json.field("created_at", session.createdAt)
                json.field("updated_at", session.updatedAt)
            }
        }
    }

    /// What the store holds as JSON; if it is damaged, that is no mistake of the client's.
    private static func stored(_ text: String?) throws -> JSONValue? {
        do {
            return try text.map { try JSONParser.parse(Array($0.utf8)) }
        } catch {
            throw HTTPProblem(.internalError, "What is stored of this session is damaged.", cause: error)
        }
    }

    private func save(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let (session, career) = try await event(request, scope)
        let isNew = try await recording(in: session) { try await pathways.events.save(career: career, in: session) }
        let saved = try await pathways.events.saved(in: session).first { $0.careerID == career }
        return .json(status: isNew ? .created : .ok) { json in
            json.object { json in
                json.field("session_id", session)
                json.field("career_id", career)
                json.field("saved_at", saved?.savedAt ?? Date())
            }
        }
    }

    private func view(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let (session, career) = try await event(request, scope)
        try await recording(in: session) { try await pathways.events.recordView(of: career, in: session) }
        return .json(status: .created) { json in
            json.object { json in
                json.field("session_id", session)
                json.field("career_id", career)
            }
        }
    }

    /// The session and the career that a body names; the career is known to exist.
    private func event(_ request: Request, _ scope: RequestScope) async throws -> (session: String, career: String) {
        let named = try await request.readFields(in: scope) { fields in
            (
                session: fields.requiredString("session_id", maxBytes: RecommendRoutes.maximumSessionIDBytes),
                career: fields.requiredString("career_id", maxBytes: RecommendationReader.maximumNameBytes)
            )
        }
        guard pathways.recommender.current.careers[named.career] != nil else {
            throw HTTPProblem(
                .careerNotFound, "There is no career “\(excerpt(of: named.career))”.",
                errors: [FieldError(path: "career_id", message: "there is no such career")])
        }
        return named
    }

    /// Runs a write that refers to a session, and says so where there is no such session.
    private func recording<Value>(in session: String, _ write: () async throws -> Value) async throws -> Value {
        do {
            return try await write()
        } catch let error as StoreError where error.code == .foreignKeyViolation {
            throw Self.noSession(session)
        }
    }

    private static func noSession(_ id: String) -> HTTPProblem {
        HTTPProblem(
            .sessionNotFound, "There is no session “\(excerpt(of: id))”.",
            errors: [FieldError(path: "session_id", message: "there is no such session")])
    }
}
