internal import HTTPTypes
internal import Hummingbird
internal import Platform
internal import Store

/// The pages around links that are mailed: asking for one to set another password, setting it, confirming an address.
///
/// Opening a link does nothing by itself: programs that look mail over open links. Each page has a button that does it.
struct MailedLinkPages {
    private static let forgottenTitle = "Forgot your password?"
    private static let resetTitle = "Set a new password"
    private static let verifyTitle = "Confirm your address"

    let access: AccessControl
    let mail: AccountMail
    private let forgottenPage: HTMLPage
    private let resetPage: HTMLPage
    private let verifyPage: HTMLPage

    /// - Throws: what is wrong with a page's template.
    init(access: AccessControl, mail: AccountMail) throws {
        self.access = access
        self.mail = mail
        forgottenPage = try HTMLPage("forgot-password")
        resetPage = try HTMLPage("reset-password")
        verifyPage = try HTMLPage("verify-address")
    }

    func add(to router: GuardedRouter) {
        router.get("/forgot-password", .everyone) { request, scope in
            // The message that a password was changed leads here.
            let isSent = try request.readQuery(only: ["sent"]) { $0.bool("sent") } ?? false
            return try forgotten(FormState(), isSent: isSent, request, scope)
        }
        router.post("/forgot-password", .everyone) { request, scope in try await requestReset(request, scope) }
        router.get("/reset-password", .everyone) { request, scope in
            let link = try await held(try SecretLink.token(in: request), for: .passwordReset)
            return try reset(FormState(), link: link, request, scope)
        }
        router.post("/reset-password", .everyone) { request, scope in try await resetPassword(request, scope) }
        router.get("/verify-address", .everyone) { request, scope in
            let link = try await held(try SecretLink.token(in: request), for: .addressVerification)
            return try verify(link: link, request, scope)
        }
        router.post("/verify-address", .everyone) { request, scope in try await verifyAddress(request, scope) }
    }

    /// A link that is there and holds for `purpose`, or nil.
    private func held(_ link: String?, for purpose: LinkPurpose) async throws -> String? {
        guard let link, try await access.identity.holds(link: link, for: purpose) else { return nil }
        return link
    }

    /// The page that a mailed link leads to.
    ///
    /// - Parameter link: nil for one that does not hold.
    private func linked(
        _ page: HTMLPage, title: String, _ state: FormState = FormState(), link: String?, _ request: Request,
        _ scope: RequestScope
    ) throws -> Response {
        var state = link == nil ? FormState(status: .notFound) : state
        state.values["token"] = link
        state.headers[.referrerPolicy] = SecretLink.referrerPolicy
        return page.response(
            state, title: link == nil ? "This link does not hold" : title,
            visitor: try access.visitor(request, scope), flags: ["mails": mail.isOn])
    }

    // MARK: Asking for a link

    private func forgotten(
        _ state: FormState, isSent: Bool = false, _ request: Request, _ scope: RequestScope
    ) throws -> Response {
        forgottenPage.response(
            state, title: Self.forgottenTitle, visitor: try access.visitor(request, scope),
            flags: ["mails": mail.isOn, "sent": isSent])
    }

    /// The same answer for every address, whether it has an account or not.
    private func requestReset(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let form = try await Form(request, in: scope)
        var state = FormState(values: form["email"].map { ["email": $0] } ?? [:])
        guard let email = form["email"] else {
            state.lack("email", "Enter your address.")
            return try forgotten(state, request, scope)
        }
        do {
            try await mail.requestPasswordReset(email: email, network: access.addressText(of: request, scope))
            return .led(to: "/forgot-password?sent=true")
        } catch let error as IdentityError {
            return try forgotten(try state.refused(by: error), request, scope)
        }
    }

    // MARK: Setting another password

    private func reset(
        _ state: FormState, link: String?, _ request: Request, _ scope: RequestScope
    ) throws -> Response {
        try linked(resetPage, title: Self.resetTitle, state, link: link, request, scope)
    }

    private func resetPassword(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let form = try await Form(request, in: scope)
        let link = form["token"] ?? ""
        var state = FormState()
        do {
            guard let password = form["password"] else {
                state.lack("password", "Choose a new password.")
                return try reset(state, link: try await held(link, for: .passwordReset), request, scope)
            }
            scope.giveUpPlaceForPassword()
            let user = try await access.identity.resetPassword(link: link, to: password)
            await mail.tellOfChangedPassword(user.id)
            return .led(to: "/sign-in?done=password")
        } catch let error as IdentityError {
            guard error.code != .invalidLink else { return try reset(state, link: nil, request, scope) }
            return try reset(try state.refused(by: error), link: link, request, scope)
        }
    }

    // MARK: Confirming an address

    private func verify(link: String?, _ request: Request, _ scope: RequestScope) throws -> Response {
        try linked(verifyPage, title: Self.verifyTitle, link: link, request, scope)
    }

    private func verifyAddress(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let form = try await Form(request, in: scope)
        do {
            try await access.identity.verifyAddress(link: form["token"] ?? "")
            return .led(to: "/sign-in?done=address")
        } catch let error as IdentityError where error.code == .invalidLink {
            return try verify(link: nil, request, scope)
        }
    }
}
