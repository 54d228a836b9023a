internal import HTTPTypes
internal import Hummingbird
internal import Platform
internal import Store

/// One's own account for programs that run in a browser, below `/api/auth/`: another password, mail about the account, and
/// the browsers in which one is signed in. The page `/account` does the same for people.
struct AccountRoutes {
    private struct Passwords {
        let current: String?
        let new: String
    }

    let access: AccessControl
    let mail: AccountMail

    func add(to router: GuardedRouter) {
        router.post("/api/auth/password", .session) { request, scope in try await changePassword(request, scope) }
        router.post("/api/auth/password-reset", .everyone) { request, scope in
            try await requestPasswordReset(request, scope)
        }
        router.post("/api/auth/verification", .session) { request, scope in
            try await requestVerification(request, scope)
        }
        router.get("/api/auth/sessions", .session) { request, scope in try await sessions(request, scope) }
        router.delete("/api/auth/sessions", .session) { request, scope in try await endOthers(request, scope) }
        router.delete("/api/auth/sessions/{id}", .session) { request, scope in try await end(request, scope) }
    }

    // MARK: Password and mail

    private func changePassword(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let given = try await request.readFields(in: scope) { fields in
            Passwords(
                current: fields.string(
                    PasswordChange.currentField, maxBytes: AuthRoutes.maximumBytes, allowEmpty: false),
                new: fields.requiredString(PasswordChange.newField, maxBytes: AuthRoutes.maximumBytes))
        }
        try await PasswordChange(access: access, mail: mail)
            .perform(of: try await account(scope), current: given.current, new: given.new, request, scope)
        return Self.done
    }

    /// The same answer for every address, whether it has an account or not.
    private func requestPasswordReset(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let email = try await request.readFields(in: scope) { fields in
            fields.requiredString("email", maxBytes: AuthRoutes.maximumBytes)
        }
        try await mail.requestPasswordReset(email: email, network: access.addressText(of: request, scope))
        return Self.accepted
    }

    private func requestVerification(_ request: Request, _ scope: RequestScope) async throws -> Response {
        try await mail.requestVerification(
            of: try await account(scope).id, network: access.addressText(of: request, scope))
        return Self.accepted
    }

    // MARK: Sessions

    private func sessions(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let (skip, limit) = try AdminPage.read(request)
        let page = try await access.identity.sessions(of: try await account(scope).id, skip: skip, limit: limit)
        return AdminPage.reply(page.items, total: page.total, skip: skip, limit: limit) { json, session in
            json.object { json in
                json.field("id", session.id)
                json.field("created_at", session.createdAt)
                json.field("last_used_at", session.lastSeenAt)
                json.field("expires_at", session.expiresAt)
                json.field("current", session.isCurrent(scope.principal))
            }
        }
    }

    private func endOthers(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let ended = try await access.identity.signOutEverywhere(
            userID: try await account(scope).id, except: try access.cookie.token(in: request.headers))
        return .json(headers: [.cacheControl: "no-store"]) { json in json.object { $0.field("ended", ended) } }
    }

    private func end(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let id = try scope.pathID("id", missing: Self.missing)
        guard try await access.identity.endSession(id: id, of: try await account(scope).id) else {
            throw Self.missing(id)
        }
        guard case .webSession(let hash) = scope.principal.credential, hash.hasPrefix(id) else { return Self.done }
        // Their own: nobody is signed in with the cookie any more.
        var reply = Response(
            status: .noContent, headers: [.setCookie: access.cookie.clearing, .cacheControl: "no-store"])
        reply.clearBrowserStorage()
        return reply
    }

    static func missing(_ id: String) -> HTTPProblem {
        HTTPProblem(
            .webSessionNotFound,
            "You have no session “\(excerpt(of: id))” that goes on; GET /api/auth/sessions/ lists them.")
    }

    // MARK: Replies

    private static var done: Response { Response(status: .noContent, headers: [.cacheControl: "no-store"]) }
    private static var accepted: Response { Response(status: .accepted, headers: [.cacheControl: "no-store"]) }

    /// Whose session it is. The rule of these routes lets in nobody else.
    private func account(_ scope: RequestScope) async throws -> UserRecord {
        guard let id = scope.principal.userID, let user = try await access.identity.user(id: id) else {
            throw AccessProblems.unauthorised("The account is not there any more.")
        }
        return user
    }
}

extension WebSessionRecord {
    /// Whether it is the one that a request came by.
    func isCurrent(_ principal: Principal) -> Bool { principal.credential == .webSession(id: idHash) }
}
