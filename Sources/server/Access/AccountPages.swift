internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Platform
internal import Store

/// The pages to sign up, in and out with. They are forms that work without a script; each answers with itself and what
/// is wrong beside the field, or leads on.
struct AccountPages {
    /// What the sign-in page has to say to who was led there.
    private enum Done: String, CaseIterable {
        case password, address

        var notice: String {
            switch self {
            case .password: "Your password is set. Sign in with it."
            case .address: "Your address is confirmed."
            }
        }
    }

    private static let linkTitle = "Sign in by link"

    let access: AccessControl
    let mail: AccountMail
    let allowsSignUp: Bool
    private let signInPage: HTMLPage
    private let signUpPage: HTMLPage
    private let linkPage: HTMLPage

    /// - Throws: what is wrong with a page's template.
    init(access: AccessControl, mail: AccountMail, allowsSignUp: Bool) throws {
        self.access = access
        self.mail = mail
        self.allowsSignUp = allowsSignUp
        signInPage = try HTMLPage("sign-in")
        signUpPage = try HTMLPage("sign-up")
        linkPage = try HTMLPage("sign-in-link")
    }

    func add(to router: GuardedRouter) {
        router.get("/sign-in", .everyone) { request, scope in
            try await signInForm(request, scope)
        }
        router.post("/sign-in", .everyone) { request, scope in try await signIn(request, scope) }
        router.get("/sign-up", .everyone) { request, scope in
            try signUpForm(FormState(values: Self.kept(next: try Self.next(in: request))), request, scope)
        }
        router.post("/sign-up", .everyone) { request, scope in try await signUp(request, scope) }
        router.post("/sign-out", .everyone) { request, _ in try await signOut(request) }
        router.get("/sign-in/link", .everyone) { request, scope in try link(request, scope) }
        router.post("/sign-in/link", .everyone) { request, scope in try await signInByLink(request, scope) }
    }

    // MARK: Signing in

    private func signInForm(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let (next, done) = try request.readQuery { fields in
            (
                fields.string("next", maxBytes: HeadLimitsMiddleware.uriBytes).flatMap(Self.ownPath),
                fields.choice("done", of: Done.self)
            )
        }
        var values = Self.kept(next: next)
        values["notice"] = done?.notice
        return try await signInForm(FormState(values: values), request, scope)
    }

    private func signInForm(_ state: FormState, _ request: Request, _ scope: RequestScope) async throws -> Response {
        let visitor = try access.visitor(request, scope)
        var state = state
        if visitor.isSignedIn, let id = scope.principal.userID {
            let user = try await access.identity.user(id: id)
            state.values["signed_in"] = user?.name ?? user?.email ?? "the administrator"
        }
        return signInPage.response(
            state, title: "Sign in", visitor: visitor,
            flags: ["sign_up": allowsSignUp, "is_sign_in": true, "mails": mail.isOn])
    }

    private func signIn(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let form = try await Form(request, in: scope)
        let next = form["next"].flatMap(Self.ownPath)
        var state = FormState(values: Self.kept(next: next, form, ["email"]))
        guard let email = form["email"], let password = form["password"] else {
            if form["email"] == nil { state.lack("email", "Enter your address.") }
            if form["password"] == nil { state.lack("password", "Enter your password.") }
            return try await signInForm(state, request, scope)
        }
        scope.giveUpPlaceForPassword()
        do {
            let signedIn = try await access.identity.signIn(
                email: email, password: password, address: access.addressText(of: request, scope))
            return leadOn(signedIn, to: next)
        } catch let error as IdentityError {
            return try await signInForm(try state.refused(by: error), request, scope)
        }
    }

    // MARK: Signing up

    private func signUpForm(_ state: FormState, _ request: Request, _ scope: RequestScope) throws -> Response {
        signUpPage.response(
            state, title: "Sign up", visitor: try access.visitor(request, scope),
            flags: ["sign_up": allowsSignUp, "mails": mail.isOn])
    }

    private func signUp(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let form = try await Form(request, in: scope)
        let next = form["next"].flatMap(Self.ownPath)
        var state = FormState(values: Self.kept(next: next, form, ["email", "name"]))
        guard allowsSignUp else { return try signUpForm(FormState(status: .forbidden), request, scope) }
        guard let email = form["email"], let password = form["password"] else {
            if form["email"] == nil { state.lack("email", "Enter your address.") }
            if form["password"] == nil { state.lack("password", "Choose a password.") }
            return try signUpForm(state, request, scope)
        }
        scope.giveUpPlaceForPassword()
        do {
            let network = access.addressText(of: request, scope)
            let signedIn = try await access.identity.signUp(
                email: email, password: password, name: form["name"], address: network)
            await mail.welcome(signedIn.user, network: network)
            return leadOn(signedIn, to: next)
        } catch let error as IdentityError {
            state = try state.refused(by: error)
            if error.code == .invalidEmail || error.code == .invalidName {
                // The address and the name are looked at before the password; people mend all mistakes at once.
                do {
                    try PasswordRules.check(password, name: form["name"])
                } catch {
                    state = try state.refused(by: error)
                }
            }
            return try signUpForm(state, request, scope)
        }
    }

    // MARK: Signing out, and in by link

    private func signOut(_ request: Request) async throws -> Response {
        var reply = Response.led(to: "/sign-in", cookie: access.cookie.clearing)
        if let token = try access.cookie.token(in: request.headers) {
            try await access.identity.signOut(token: token)
            reply.clearBrowserStorage()
        }
        return reply
    }

    /// Asks for a press of a button: what a browser or a mail program fetches in advance must not use the link up.
    private func link(_ request: Request, _ scope: RequestScope) throws -> Response {
        var state = FormState(headers: [.referrerPolicy: SecretLink.referrerPolicy])
        state.values["token"] = try SecretLink.token(in: request)
        if state.values["token"] == nil {
            state.problem = "The link was cut off: open it again, or copy the whole of it."
            state.status = .notFound
        }
        return linkPage.response(state, title: Self.linkTitle, visitor: try access.visitor(request, scope))
    }

    private func signInByLink(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let form = try await Form(request, in: scope)
        do {
            let signedIn = try await access.identity.signIn(link: form["token"] ?? "")
            access.adminLink.remove()
            return leadOn(signedIn, to: "/sign-in")
        } catch let error as IdentityError {
            guard let problem = AccessProblems.problem(for: error) else { throw error }
            let state = FormState(
                problem: FormState.sentence(problem.detail), status: problem.status, headers: problem.headers)
            return linkPage.response(state, title: Self.linkTitle, visitor: try access.visitor(request, scope))
        }
    }

    // MARK: Replies

    private func leadOn(_ signedIn: SignedIn, to path: String?) -> Response {
        .led(to: path ?? "/", cookie: access.cookie.setting(signedIn.token))
    }

    /// What a form shows again: where it leads to, and the fields of these names.
    private static func kept(next: String?, _ form: Form? = nil, _ names: [String] = []) -> [String: String] {
        var values: [String: String] = [:]
        for name in names { values[name] = form?[name] }
        values["next"] = next
        return values
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
}
