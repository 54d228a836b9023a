internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Platform
internal import Store

/// One's own account for people: `/account`, and the forms on it. It works without a script.
struct AccountPage {
    /// What was done, for who is led back to the page.
    private enum Done: String, CaseIterable {
        case password, sessions, verification

        var notice: String {
            switch self {
            case .password: "Your password is changed. Other browsers are signed out."
            case .sessions: "What you ended is signed out."
            case .verification: "A message is on its way to you. Open the link in it."
            }
        }
    }

    /// Somebody at a browser.
    private struct Owner {
        let user: UserRecord
        let visitor: PageVisitor
    }

    /// More are counted and not shown; nobody reads so many.
    private static let shownSessions = 50
    private static let title = "Your account"
    private static let path = "/account"

    let access: AccessControl
    let mail: AccountMail
    private let page: HTMLPage

    /// - Throws: what is wrong with the page's template.
    init(access: AccessControl, mail: AccountMail) throws {
        self.access = access
        self.mail = mail
        page = try HTMLPage("account")
    }

    func add(to router: GuardedRouter) {
        router.get("/account", .everyone) { request, scope in
            let done = try request.readQuery { $0.choice("done", of: Done.self) }
            return try await asOwner(request, scope) { owner in
                let state = FormState(values: done.map { ["notice": $0.notice] } ?? [:])
                return try await show(owner, state, scope)
            }
        }
        router.post("/account/password", .everyone) { request, scope in
            try await asOwner(request, scope) { try await changePassword($0, request, scope) }
        }
        router.post("/account/sessions", .everyone) { request, scope in
            try await asOwner(request, scope) { try await endSessions($0, request, scope) }
        }
        router.post("/account/verification", .everyone) { request, scope in
            try await asOwner(request, scope) { try await requestVerification($0, request, scope) }
        }
    }

    // MARK: What the forms do

    private func changePassword(_ owner: Owner, _ request: Request, _ scope: RequestScope) async throws -> Response {
        let form = try await Form(request, in: scope)
        var state = FormState()
        guard let new = form[PasswordChange.newField] else {
            state.errors[PasswordChange.newField] = "Choose a new password."
            return try await show(owner, state, status: .unprocessableContent, scope)
        }
        do {
            try await PasswordChange(access: access, mail: mail)
                .perform(of: owner.user, current: form[PasswordChange.currentField], new: new, request, scope)
            return Self.led(back: .password)
        } catch let problem as HTTPProblem {
            state.take(problem)
            return try await show(owner, state, status: problem.status, headers: problem.headers, scope)
        }
    }

    /// Ends the session that the form names, or all others where it names none.
    private func endSessions(_ owner: Owner, _ request: Request, _ scope: RequestScope) async throws -> Response {
        let form = try await Form(request, in: scope)
        if let id = form["session"] {
            guard try await access.identity.endSession(id: id, of: owner.user.id) else {
                let state = FormState(problem: "That browser is signed out already.")
                return try await show(owner, state, status: .notFound, scope)
            }
        } else {
            try await access.identity.signOutEverywhere(
                userID: owner.user.id, except: try access.cookie.token(in: request.headers))
        }
        return Self.led(back: .sessions)
    }

    private func requestVerification(_ owner: Owner, _ request: Request, _ scope: RequestScope) async throws -> Response
    {
        // Read for its form: what is none is refused like every other.
        _ = try await Form(request, in: scope)
        do {
            try await mail.requestVerification(of: owner.user.id, network: access.addressText(of: request, scope))
            return Self.led(back: .verification)
        } catch let error as IdentityError {
            guard let problem = AccessProblems.problem(for: error) else { throw error }
            let state = FormState(problem: FormState.sentence(problem.detail))
            return try await show(owner, state, status: problem.status, headers: problem.headers, scope)
        }
    }

    // MARK: Replies

    /// Answers who is signed in at a browser; everybody else is led to where they sign in, and back.
    private func asOwner(
        _ request: Request, _ scope: RequestScope, _ answer: (Owner) async throws -> Response
    ) async throws -> Response {
        let visitor = try access.visitor(request, scope)
        guard visitor.isSignedIn, let id = scope.principal.userID, let user = try await access.identity.user(id: id)
        else {
            return Response(
                status: .seeOther, headers: [.location: "/sign-in?next=%2Faccount", .cacheControl: "no-store"])
        }
        return try await answer(Owner(user: user, visitor: visitor))
    }

    private static func led(back done: Done) -> Response {
        Response(
            status: .seeOther, headers: [.location: "\(path)?done=\(done.rawValue)", .cacheControl: "no-store"])
    }

    private func show(
        _ owner: Owner, _ state: FormState, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:],
        _ scope: RequestScope
    ) async throws -> Response {
        let user = owner.user
        let sessions = try await access.identity.sessions(of: user.id, limit: Self.shownSessions)
        let more = sessions.total - sessions.items.count
        var texts = state.texts
        texts["email"] = user.email
        texts["name"] = user.name
        texts["role"] = user.role
        texts["more_sessions"] = more > 0 ? "\(more)" : nil
        return page.response(
            title: state.title(Self.title), visitor: owner.visitor, texts: texts,
            lists: ["sessions": sessions.items.map { Self.row($0, scope.principal) }],
            flags: [
                "is_account": true, "is_verified": user.isEmailVerified, "has_password": user.passwordHash != nil,
                "mails": mail.isOn, "has_others": sessions.total > 1,
            ], status: status, headers: headers)
    }

    private static func row(_ session: WebSessionRecord, _ principal: Principal) -> [String: String] {
        var row = [
            "created": readable(session.createdAt), "used": readable(session.lastSeenAt),
        ]
        // A member that is not there is what a template can ask for.
        if session.isCurrent(principal) { row["current"] = "yes" } else { row["session"] = session.id }
        return row
    }

    /// `2026-03-02 09:15 UTC`: read alike everywhere, and no script is needed for the reader's own zone.
    private static func readable(_ date: Date) -> String {
        let text = SQLTime.text(of: date)
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5)) UTC"
    }
}
