internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Mustache
internal import NIOCore
internal import Platform
internal import Store

/// The pages to sign up, in and out with. They are forms that work without a script; each answers with itself and what
/// is wrong beside the field, or leads on.
struct AccountPages {
    /// What a form shows again, and what is wrong with it.
    fileprivate struct State {
        var email: String?
        var name: String?
        var next: String?
        var problem: String?
        var errors: [String: String] = [:]
    }

    let access: AccessControl
    let allowsSignUp: Bool
    private let signInPage: MustacheTemplate
    private let signUpPage: MustacheTemplate
    private let linkPage: MustacheTemplate

    /// - Throws: what is wrong with a page's template.
    init(access: AccessControl, allowsSignUp: Bool) throws {
        self.access = access
        self.allowsSignUp = allowsSignUp
        signInPage = try Self.template("sign-in")
        signUpPage = try Self.template("sign-up")
        linkPage = try Self.template("sign-in-link")
    }

    private static func template(_ name: String) throws -> MustacheTemplate {
        try MustacheTemplate(string: String(decoding: Assets.data("web/\(name).html") ?? Data(), as: UTF8.self))
    }

    func add(to router: GuardedRouter) {
        router.get("/sign-in", .everyone) { request, scope in
            try await signInForm(State(next: try Self.next(in: request)), request, scope)
        }
        router.post("/sign-in", .everyone) { request, scope in try await signIn(request, scope) }
        router.get("/sign-up", .everyone) { request, scope in
            signUpForm(State(next: try Self.next(in: request)), status: .ok)
        }
        router.post("/sign-up", .everyone) { request, scope in try await signUp(request, scope) }
        router.post("/sign-out", .everyone) { request, _ in try await signOut(request) }
        router.get("/sign-in/link", .everyone) { request, _ in try link(request) }
        router.post("/sign-in/link", .everyone) { request, scope in try await signInByLink(request, scope) }
    }

    // MARK: Signing in

    private func signInForm(
        _ state: State, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], _ request: Request,
        _ scope: RequestScope
    ) async throws -> Response {
        var values = Self.values(of: state)
        values["sign_up"] = allowsSignUp
        if let session = try access.cookie.token(in: request.headers), let id = scope.principal.userID {
            let user = try await access.identity.user(id: id)
            values["signed_in"] = HTMLText.escaped(user?.name ?? user?.email ?? "the administrator")
            values["csrf"] = HTMLText.escaped(access.identity.csrfToken(webSession: session))
        }
        return Self.page(signInPage, values, status: status, headers: headers)
    }

    private func signIn(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let form = try await Form(request, in: scope)
        var state = State(email: form["email"], next: form["next"].flatMap(Self.ownPath))
        guard let email = form["email"], let password = form["password"] else {
            if form["email"] == nil { state.errors["email"] = "Enter your address." }
            if form["password"] == nil { state.errors["password"] = "Enter your password." }
            return try await signInForm(state, status: .unprocessableContent, request, scope)
        }
        do {
            let signedIn = try await access.identity.signIn(
                email: email, password: password, address: access.addressText(of: request, scope))
            return leadOn(signedIn, to: state.next)
        } catch let error as IdentityError {
            guard let problem = AccessProblems.problem(for: error) else { throw error }
            state.take(problem)
            return try await signInForm(state, status: problem.status, headers: problem.headers, request, scope)
        }
    }

    // MARK: Signing up

    private func signUpForm(_ state: State, status: HTTPResponse.Status, headers: HTTPFields = [:]) -> Response {
        var values = Self.values(of: state)
        values["sign_up"] = allowsSignUp
        return Self.page(signUpPage, values, status: status, headers: headers)
    }

    private func signUp(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let form = try await Form(request, in: scope)
        var state = State(email: form["email"], name: form["name"], next: form["next"].flatMap(Self.ownPath))
        guard allowsSignUp else { return signUpForm(State(), status: .forbidden) }
        guard let email = form["email"], let password = form["password"] else {
            if form["email"] == nil { state.errors["email"] = "Enter your address." }
            if form["password"] == nil { state.errors["password"] = "Choose a password." }
            return signUpForm(state, status: .unprocessableContent)
        }
        do {
            let signedIn = try await access.identity.signUp(
                email: email, password: password, name: form["name"], address: access.addressText(of: request, scope))
            return leadOn(signedIn, to: state.next)
        } catch let error as IdentityError {
            guard let problem = AccessProblems.problem(for: error) else { throw error }
            state.take(problem)
            return signUpForm(state, status: problem.status, headers: problem.headers)
        }
    }

    // MARK: Signing out, and in by link

    private func signOut(_ request: Request) async throws -> Response {
        if let token = try access.cookie.token(in: request.headers) { try await access.identity.signOut(token: token) }
        return Response(
            status: .seeOther,
            headers: [.location: "/sign-in", .setCookie: access.cookie.clearing, .cacheControl: "no-store"])
    }

    /// Asks for a press of a button: what a browser or a mail program fetches in advance must not use the link up.
    private func link(_ request: Request) throws -> Response {
        let token = try request.readQuery { $0.requiredString("token", maxBytes: AuthRoutes.maximumBytes) }
        return Self.page(linkPage, ["token": HTMLText.escaped(token)], headers: [.referrerPolicy: "no-referrer"])
    }

    private func signInByLink(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let form = try await Form(request, in: scope)
        do {
            return leadOn(try await access.identity.signIn(link: form["token"] ?? ""), to: "/sign-in")
        } catch let error as IdentityError {
            guard let problem = AccessProblems.problem(for: error) else { throw error }
            return Self.page(
                linkPage, ["wrong": true, "problem": HTMLText.escaped(Self.sentence(problem.detail))],
                status: problem.status,
                headers: problem.headers)
        }
    }

    // MARK: Replies

    private func leadOn(_ signedIn: SignedIn, to path: String?) -> Response {
        Response(
            status: .seeOther,
            headers: [
                .location: path ?? "/", .setCookie: access.cookie.setting(signedIn.token), .cacheControl: "no-store",
            ])
    }

    /// Where a page was asked for from, if that is a page of this service.
    private static func next(in request: Request) throws -> String? {
        try request.readQuery { $0.string("next", maxBytes: HeadLimitsMiddleware.uriBytes) }.flatMap(ownPath)
    }

    /// A path of this service, and not what a browser takes for another host's: `//host`, `/\host`.
    static func ownPath(_ path: String) -> String? {
        let bytes = Array(path.utf8)
        guard bytes.first == UInt8(ascii: "/"), bytes.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x5C }),
            bytes.count < 2 || bytes[1] != UInt8(ascii: "/")
        else { return nil }
        return path
    }

    private static func values(of state: State) -> [String: any Sendable] {
        var values: [String: any Sendable] = [:]
        let texts = [
            "email": state.email, "name": state.name, "next": state.next, "problem": state.problem,
            "email_error": state.errors["email"], "password_error": state.errors["password"],
            "name_error": state.errors["name"],
        ]
        for case (let name, let text?) in texts { values[name] = HTMLText.escaped(text) }
        // Said in the title first: it is what a screen reader begins with after the form was sent.
        values["wrong"] = state.problem != nil || !state.errors.isEmpty
        return values
    }

    fileprivate static func sentence(_ text: String) -> String {
        let start = text.prefix(1).uppercased() + text.dropFirst()
        return start.hasSuffix(".") ? start : start + "."
    }

    private static func page(
        _ template: MustacheTemplate, _ values: [String: any Sendable], status: HTTPResponse.Status = .ok,
        headers: HTTPFields = [:]
    ) -> Response {
        var headers = headers
        headers[.contentType] = "text/html; charset=utf-8"
        headers[.cacheControl] = "no-store"
        return Response(
            status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: template.render(values))))
    }
}

extension AccountPages.State {
    /// Takes over what is wrong: beside its field, or above the form.
    fileprivate mutating func take(_ problem: HTTPProblem) {
        for error in problem.errors { errors[error.path] = AccountPages.sentence(error.message) }
        if problem.errors.isEmpty { self.problem = AccountPages.sentence(problem.detail) }
    }
}
