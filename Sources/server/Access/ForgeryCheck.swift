import HTTPTypes
import Hummingbird
import NIOCore
import Platform

/// Keeps other sites from writing in the name of somebody who is signed in here (CSRF).
///
/// Three layers: the cookie is SameSite=Lax; the browser says where a request comes from (`Sec-Fetch-Site`, `Origin`);
/// and a write by cookie carries the session's own token, which no other site can read. Forms are held against the
/// second layer without a cookie as well, so that nobody is signed in to somebody else's account.
struct ForgeryCheck {
    static let field = "csrf_token"

    let access: AccessControl

    /// - Parameter request: gets its body back where it had to be read.
    /// - Throws: `HTTPProblem`: `cross_site_request`, `csrf_token_invalid`, `invalid_credential`.
    func require(_ request: inout Request, _ scope: RequestScope) async throws {
        try refuseLeftover(request, scope)
        let isByCookie = if case .webSession = scope.principal.credential { true } else { false }
        guard isByCookie || Form.crossesSites(request) else { return }
        guard isFromHere(request, scope) else {
            throw HTTPProblem(
                .crossSiteRequest, "A browser may write here only from this service's own pages; open the page again.")
        }
        guard isByCookie, let session = try access.cookie.token(in: request.headers) else { return }
        var given = request.headers[.csrfToken]
        if given == nil, Form.isForm(request) {
            let body = try await request.collectBody(in: scope)
            request.body = RequestBody(buffer: body)
            given = try Form(body)[Self.field]
        }
        guard let given, access.identity.isValid(csrfToken: given, webSession: session) else {
            throw HTTPProblem(
                .csrfTokenInvalid,
                "A write by cookie needs the session's token in `X-CSRF-Token` or the form's field "
                    + "`\(Self.field)`; GET /api/auth/me/ gives it.")
        }
    }

    /// A page of somebody signed in sends the token also when another page of the browser has lost the cookie by then, by
    /// signing out or as the first to meet the session's end. Taken as anybody's, the write would tell nothing of that to
    /// the page, which would keep on storing what was theirs. Whoever signs in or out is not held to what ended.
    private func refuseLeftover(_ request: Request, _ scope: RequestScope) throws {
        guard scope.principal.role == .anonymous, request.headers[.csrfToken] != nil,
            scope.endpointPath?.hasPrefix("/api/auth/") != true
        else { return }
        throw HTTPProblem(
            .invalidCredential,
            "The sign-in that the token is of has ended; sign in again, or write as anybody, without `X-CSRF-Token`.",
            headers: [.wwwAuthenticate: #"Bearer error="invalid_token""#])
    }

    /// What the browser says of the page that sends the request. Programs say nothing, and have no cookies of ours
    /// that somebody could misuse.
    func isFromHere(_ request: Request, _ scope: RequestScope) -> Bool {
        if let site = request.headers[.secFetchSite] { return site == "same-origin" || site == "none" }
        guard let origin = request.headers[.origin] else { return true }
        let parts = origin.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].isEmpty else { return false }
        let authority = parts[2].lowercased()
        return access.authorities(of: request, scope).contains { $0.lowercased() == authority }
    }
}
