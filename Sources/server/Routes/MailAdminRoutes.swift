internal import Hummingbird
internal import Platform
internal import Store

/// The addresses that get no mail: `GET /api/admin/suppressions/`, `DELETE /api/admin/suppressions/{id}/`.
///
/// An address is known by its index alone, which is the id here; whose it is, only the account tells.
struct MailAdminRoutes {
    private static let maximumBytes = 256

    let suppressions: MailSuppressionRepository
    let identity: Identity

    func add(to router: GuardedRouter) {
        router.get("/api/admin/suppressions", .admin) { request, _ in try await list(request) }
        router.delete("/api/admin/suppressions/{id}", .admin) { request, scope in try await remove(request, scope) }
    }

    private func list(_ request: Request) async throws -> Response {
        let (reason, userID, skip, limit) = try request.readQuery { fields in
            (
                fields.choice("reason", of: MailSuppressionReason.self),
                fields.string("user_id", maxBytes: Self.maximumBytes, allowEmpty: false),
                fields.integer("skip", in: AdminPage.skips) ?? 0,
                fields.integer("limit", in: 1...AdminPage.largest) ?? 50
            )
        }
        var address: String?
        if let userID {
            guard let user = try await identity.user(id: userID) else { throw AdminUserRoutes.missing(userID) }
            // An account without an address has none that could be withheld.
            address = user.email?.lowercased() ?? ""
        }
        let page = try await suppressions.page(skip: skip, limit: limit, reason: reason, of: address)
        return AdminPage.reply(page.items, total: page.total, skip: skip, limit: limit) { json, entry in
            MailSuppressionWriter.write(entry, to: &json)
        }
    }

    private func remove(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let id = try scope.pathID("id", missing: Self.missing)
        let (reason, list) = try request.readQuery { fields in
            (
                fields.choice("reason", of: MailSuppressionReason.self),
                fields.string("list", maxBytes: MailList.maximumBytes, allowEmpty: false)
            )
        }
        guard try await suppressions.remove(index: id, list: list, reason: reason) > 0 else { throw Self.missing(id) }
        return Response(status: .noContent)
    }

    private static func missing(_ id: String) -> HTTPProblem {
        HTTPProblem(
            .suppressionNotFound,
            "Nothing of the kind keeps mail from “\(excerpt(of: id))”; GET /api/admin/suppressions/ lists what does.")
    }
}

extension ProblemCode {
    static let suppressionNotFound = ProblemCode(
        "suppression_not_found", .notFound, "No such address is without mail")
}
