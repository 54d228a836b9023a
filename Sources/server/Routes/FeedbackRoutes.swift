internal import Engine
internal import Foundation
internal import Hummingbird
internal import Store

/// What somebody does with a career: `save_career`, `view_career`, `dismiss_career` and `choose_career` under
/// `/api/results/`.
struct FeedbackRoutes {
    /// What a body names.
    private struct Named {
        let session: String
        let career: String
        let recommendation: String?
        let isUndone: Bool
    }

    static let maximumIDBytes = 64

    let pathways: Pathways
    let guardian: SessionGuard

    func add(to router: GuardedRouter) {
        router.post("/api/results/save_career", .results) { try await handle(.saved, $0, $1) }
        router.post("/api/results/view_career", .results) { try await handle(.viewed, $0, $1) }
        router.post("/api/results/dismiss_career", .results) { try await handle(.dismissed, $0, $1) }
        router.post("/api/results/choose_career", .results) { try await handle(.chosen, $0, $1) }
    }

    private func handle(_ kind: CareerEventKind, _ request: Request, _ scope: RequestScope) async throws -> Response {
        let named = try await request.readFields(in: scope) { fields in
            Named(
                session: fields.requiredString("session_id", maxBytes: Self.maximumIDBytes),
                // As the catalogue writes it, so that a career is not saved twice under two spellings of its id.
                career: pathways.recommender.current.storedID(
                    fields.requiredString("career_id", maxBytes: RecommendationReader.maximumNameBytes)),
                recommendation: fields.string("recommendation_id", maxBytes: Self.maximumIDBytes, allowEmpty: false),
                // What was looked at was looked at: a view cannot be taken back, and the field is not known there.
                isUndone: kind == .viewed ? false : fields.bool("undo") ?? false)
        }
        // Who looks at a career of a list does not go on with it: on a shared computer it may be another's.
        let claim = try await guardian.requireWritable(named.session, scope.principal, adopts: kind != .viewed)
        try await requireRecommendation(named)
        do {
            return named.isUndone ? try await undo(kind, named, claim) : try await record(kind, named, claim, scope)
        } catch let error as StoreError where error.code == .foreignKeyViolation {
            throw ResultRoutes.noSession(named.session)
        }
    }

    private func record(
        _ kind: CareerEventKind, _ named: Named, _ claim: SessionOwnerRepository.Claim, _ scope: RequestScope
    ) async throws -> Response {
        // A list that was shown may hold a career that was retired since.
        let generation = pathways.recommender.current
        guard generation.careers[named.career] != nil || generation.absent[named.career] != nil else {
            throw HTTPProblem(
                .careerNotFound, "There is no career “\(excerpt(of: named.career))”.",
                errors: [FieldError(path: "career_id", message: "there is no such career")])
        }
        let isNew = try await pathways.events.record(
            kind, career: named.career, in: named.session, recommendation: named.recommendation,
            id: scope.effectID(for: "event"), by: claim)
        // A view is new each time, and its retry under a key has found its own row; the others stand once.
        let stored =
            kind == .viewed
            ? nil
            : try await pathways.events.events(in: named.session).last {
                $0.kind == kind && $0.careerID == named.career
            }
        return reply(
            status: isNew || kind == .viewed ? .created : .ok, kind, named,
            recommendation: stored.map(\.recommendationID) ?? named.recommendation, isRecorded: true,
            at: stored?.createdAt)
    }

    /// Takes an event back. The career may have left the catalogue meanwhile.
    private func undo(
        _ kind: CareerEventKind, _ named: Named, _ claim: SessionOwnerRepository.Claim
    ) async throws -> Response {
        _ = try await pathways.events.undo(kind, career: named.career, in: named.session, by: claim)
        return reply(
            status: .ok, kind, named, recommendation: named.recommendation, isRecorded: false, at: nil)
    }

    /// Asked before the write, which leaves what stands already as it is and so would not always find out. Another
    /// session's recommendation is as if it were not there, so that nothing tells whether an id exists.
    private func requireRecommendation(_ named: Named) async throws {
        guard let id = named.recommendation else { return }
        guard try await !pathways.recommendations.contains(id: id, in: named.session) else { return }
        throw HTTPProblem(
            .recommendationNotFound, "There is no recommendation “\(excerpt(of: id))”.",
            errors: [FieldError(path: "recommendation_id", message: "there is no such recommendation")])
    }

    private func reply(
        status: HTTPResponse.Status, _ kind: CareerEventKind, _ named: Named, recommendation: String?,
        isRecorded: Bool, at date: Date?
    ) -> Response {
        .json(status: status) { json in
            json.object { json in
                json.field("session_id", named.session)
                json.field("career_id", named.career)
                json.field("kind", kind.rawValue)
                json.field("recommendation_id", recommendation)
                json.field("recorded", isRecorded)
                if kind == .saved, isRecorded { json.field("saved_at", date ?? Date()) }
            }
        }
    }
}

extension ProblemCode {
    static let recommendationNotFound = ProblemCode(
        "recommendation_not_found", .notFound, "There is no such recommendation")
}
