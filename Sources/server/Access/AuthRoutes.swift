internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Platform
internal import Store

/// Signing up, in and out for programs that run in a browser: `/api/auth/`. The pages do the same for people.
struct AuthRoutes {
    private struct Given {
        let email: String
        let password: String
        var name: String?
    }

    /// More than any address, name or password may have; Identity says what is wrong with a shorter one.
    static let maximumBytes = 4_096

    let access: AccessControl
    let mail: AccountMail
    let allowsSignUp: Bool

    func add(to router: GuardedRouter) {
        router.post("/api/auth/sign-up", .everyone) { request, scope in try await signUp(request, scope) }
        router.post("/api/auth/sign-in", .everyone) { request, scope in try await signIn(request, scope) }
        router.post("/api/auth/sign-out", .everyone) { request, _ in try await signOut(request) }
        router.get("/api/auth/me", .everyone) { request, scope in try await me(request, scope) }
    }

    private func signUp(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let given = try await request.readFields(in: scope) { fields in
            var given = Self.read(fields)
            given.name = fields.string("name", maxBytes: Self.maximumBytes, allowEmpty: false)
            return given
        }
        guard allowsSignUp else { throw Self.closed }
        let network = access.addressText(of: request, scope)
        scope.giveUpPlaceForPassword()
        let signedIn = try await access.identity.signUp(
            email: given.email, password: given.password, name: given.name, address: network)
        await mail.welcome(signedIn.user, network: network)
        return reply(signedIn, status: .created)
    }

    static let closed = HTTPProblem(
        .signUpClosed, "Accounts are made by the administrator here; ask for one.")

    private func signIn(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let given = try await request.readFields(in: scope) { Self.read($0) }
        scope.giveUpPlaceForPassword()
        let signedIn = try await access.identity.signIn(
            email: given.email, password: given.password, address: access.addressText(of: request, scope))
        return reply(signedIn, status: .ok)
    }

    private static func read(_ fields: FieldReader) -> Given {
        Given(
            email: fields.requiredString("email", maxBytes: maximumBytes),
            password: fields.requiredString("password", maxBytes: maximumBytes))
    }

    private func reply(_ signedIn: SignedIn, status: HTTPResponse.Status) -> Response {
        .json(
            status: status,
            headers: [.setCookie: access.cookie.setting(signedIn.token), .cacheControl: "no-store"]
        ) { json in
            json.object { json in
                json.name("user")
                UserWriter.write(signedIn.user, to: &json)
                json.field("csrf_token", signedIn.csrfToken)
            }
        }
    }

    /// Ends the session of the cookie; without one there is nothing to end, which is what was asked for.
    private func signOut(_ request: Request) async throws -> Response {
        var reply = Response(
            status: .noContent, headers: [.setCookie: access.cookie.clearing, .cacheControl: "no-store"])
        if let token = try access.cookie.token(in: request.headers) {
            try await access.identity.signOut(token: token)
            reply.clearBrowserStorage()
        }
        return reply
    }

    private func me(_ request: Request, _ scope: RequestScope) async throws -> Response {
        try request.readQuery { _ in }
        let principal = scope.principal
        let user = try await principal.userID.asyncFlatMap { try await access.identity.user(id: $0) }
        let session = try access.cookie.token(in: request.headers)
        return .json(headers: [.cacheControl: "no-store"]) { json in
            json.object { json in
                json.field("role", principal.role.rawValue)
                json.field("user_id", principal.userID)
                json.name("user")
                if let user { UserWriter.write(user, to: &json) } else { json.null() }
                json.field("credential", Self.name(of: principal.credential))
                json.field("scopes", principal.scopes.sorted())
                json.field("csrf_token", session.map { access.identity.csrfToken(webSession: $0) })
            }
        }
    }

    private static func name(of credential: Principal.Credential) -> String {
        switch credential {
        case .none: "none"
        case .key: "key"
        case .token: "token"
        case .webSession: "session"
        }
    }
}

/// Accounts as replies have them.
enum UserWriter {
    static func write(_ user: UserRecord, to json: inout JSONWriter) {
        json.object { json in
            json.field("id", user.id)
            json.field("email", user.email)
            json.field("email_verified", user.isEmailVerified)
            json.field("name", user.name)
            json.field("role", user.role)
            json.field("state", user.state.rawValue)
            json.field("created_at", user.createdAt)
            json.name("last_sign_in_at")
            if let date = user.lastSignInAt { json.value(date) } else { json.null() }
        }
    }
}

extension Optional {
    /// `flatMap` for what has to be waited for.
    fileprivate func asyncFlatMap<Result>(_ transform: (Wrapped) async throws -> Result?) async rethrows -> Result? {
        guard let self else { return nil }
        return try await transform(self)
    }
}
