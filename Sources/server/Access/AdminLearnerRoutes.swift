internal import Hummingbird
internal import Platform
internal import Store

/// Who watches over whom: `GET /api/admin/users/{id}/learners/`, `PUT` and `DELETE
/// /api/admin/users/{id}/learners/{learner_id}/`, the same as `pathlight users learners | assign | unassign`.
struct AdminLearnerRoutes {
    let access: AccessControl

    func add(to router: GuardedRouter) {
        router.get("/api/admin/users/{id}/learners", .admin) { request, scope in try await list(request, scope) }
        router.put("/api/admin/users/{id}/learners/{learner_id}", .admin) { _, scope in try await assign(scope) }
        router.delete("/api/admin/users/{id}/learners/{learner_id}", .admin) { _, scope in try await unassign(scope) }
    }

    private func list(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let educator = try scope.pathID("id", missing: AdminUserRoutes.missing)
        let (skip, limit) = try AdminPage.read(request)
        do {
            let page = try await access.identity.learners(of: educator, skip: skip, limit: limit)
            return AdminPage.reply(page.items, total: page.total, skip: skip, limit: limit) { json, user in
                UserWriter.write(user, to: &json)
            }
        } catch let error as IdentityError where error.code == .notFound {
            throw AdminUserRoutes.missing(educator)
        }
    }

    /// Assigning somebody who is assigned changes nothing.
    private func assign(_ scope: RequestScope) async throws -> Response {
        let (educator, learner) = try Self.pair(scope)
        // So that the problem names the one of the two that is not there.
        for id in [educator, learner] where try await access.identity.user(id: id) == nil {
            throw AdminUserRoutes.missing(id)
        }
        do {
            try await access.identity.assign(learner: learner, to: educator)
        } catch let error as IdentityError where error.code == .invalidRole {
            throw HTTPProblem(.conflict, FormState.sentence(error.message))
        } catch let error as IdentityError where error.code == .notFound {
            // Erased in between.
            throw AdminUserRoutes.missing(learner)
        }
        return Response(status: .noContent)
    }

    private func unassign(_ scope: RequestScope) async throws -> Response {
        let (educator, learner) = try Self.pair(scope)
        guard try await access.identity.unassign(learner: learner, from: educator) else {
            throw HTTPProblem(
                .learnerNotFound,
                "“\(excerpt(of: learner))” is no learner of “\(excerpt(of: educator))”; "
                    + "GET /api/admin/users/{id}/learners/ lists them.")
        }
        return Response(status: .noContent)
    }

    private static func pair(_ scope: RequestScope) throws -> (educator: String, learner: String) {
        (
            try scope.pathID("id", missing: AdminUserRoutes.missing),
            try scope.pathID("learner_id", missing: AdminUserRoutes.missing)
        )
    }
}
