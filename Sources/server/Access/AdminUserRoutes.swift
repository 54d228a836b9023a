internal import Hummingbird
internal import Platform
internal import Store

/// The accounts: `GET` and `POST /api/admin/users/`, `PATCH /api/admin/users/{id}/`.
struct AdminUserRoutes {
    private struct Wanted {
        let email: String
        let password: String?
        let name: String?
        let role: Role
    }

    private struct Change {
        let state: UserState?
        let role: Role?
    }

    let access: AccessControl

    func add(to router: GuardedRouter) {
        router.get("/api/admin/users", .admin) { request, _ in try await list(request) }
        router.post("/api/admin/users", .admin) { request, scope in try await create(request, scope) }
        router.patch("/api/admin/users/{id}", .admin) { request, scope in try await change(request, scope) }
    }

    private func list(_ request: Request) async throws -> Response {
        let (skip, limit) = try AdminPage.read(request)
        let page = try await access.identity.users(skip: skip, limit: limit)
        return AdminPage.reply(page.items, total: page.total, skip: skip, limit: limit) { json, user in
            UserWriter.write(user, to: &json)
        }
    }

    private func create(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let wanted = try await request.readFields(in: scope) { fields in
            Wanted(
                email: fields.requiredString("email", maxBytes: AuthRoutes.maximumBytes),
                password: fields.string("password", maxBytes: AuthRoutes.maximumBytes, allowEmpty: false),
                name: fields.string("name", maxBytes: AuthRoutes.maximumBytes, allowEmpty: false),
                role: Self.role(fields) ?? .user)
        }
        if wanted.password != nil { scope.giveUpPlaceForPassword() }
        let user = try await access.identity.createUser(
            email: wanted.email, password: wanted.password, name: wanted.name, role: wanted.role)
        return Self.reply(user, status: .created)
    }

    private func change(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let id = try scope.pathID("id", missing: Self.missing)
        let change = try await request.readFields(in: scope) { fields in
            let change = Change(state: fields.choice("state", of: UserState.self), role: Self.role(fields))
            if !fields.has("state"), !fields.has("role") { fields.fail("", "must change `state`, `role` or both") }
            return change
        }
        if id == scope.principal.userID, change.state == .disabled || change.role.map({ $0 != .admin }) ?? false {
            throw HTTPProblem(
                .conflict,
                "This is the account that you use; another admin must take it out of service or change its role.")
        }
        do {
            // In one write: a reply that nothing was kept holds for both.
            if let role = change.role {
                try await access.identity.setRole(role, state: change.state, of: id)
            } else if let state = change.state {
                try await access.identity.setState(state, of: id)
            }
        } catch let error as IdentityError where error.code == .notFound {
            throw Self.missing(id)
        }
        guard let user = try await access.identity.user(id: id) else { throw Self.missing(id) }
        return Self.reply(user, status: .ok)
    }

    private static func role(_ fields: FieldReader) -> Role? {
        guard let role = fields.choice("role", of: Role.self) else { return nil }
        if !Role.ofAccounts.contains(role) {
            fields.fail("role", "must be one of \(AdminPage.list(Role.ofAccounts)) for an account")
        }
        return role
    }

    private static func reply(_ user: UserRecord, status: HTTPResponse.Status) -> Response {
        .json(status: status, headers: [.cacheControl: "no-store"]) { UserWriter.write(user, to: &$0) }
    }

    static func missing(_ id: String) -> HTTPProblem {
        HTTPProblem(.userNotFound, "There is no user “\(excerpt(of: id))”; GET /api/admin/users/ lists them.")
    }
}
