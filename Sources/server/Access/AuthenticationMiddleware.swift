import HTTPTypes
package import Hummingbird
import Platform

/// Finds out who sends a request, and which rule its route has.
///
/// A credential that does not hold is refused and never falls back to anonymous: who believes to be signed in must
/// learn that it is not so.
package struct AuthenticationMiddleware: RouterMiddleware {
    package typealias Context = RequestScope

    /// The routes by which somebody signs out.
    private static let signOuts: Set<String> = ["/sign-out", "/api/auth/sign-out"]

    let access: AccessControl

    package init(access: AccessControl) { self.access = access }

    package func handle(
        _ request: Request, context: RequestScope, next: (Request, RequestScope) async throws -> Response
    ) async throws -> Response {
        var scope = context
        scope.rule = context.endpointPath.flatMap { access.rules.rule(for: request.method, pattern: $0) }
        if case .open = scope.rule?.audience { return try await next(request, scope) }
        switch try PresentedCredential(of: request.headers, cookie: access.cookie) {
        case .none: break
        case .bearer(let token):
            scope.principal = try await access.identity.principal(bearer: token)
        case .cookie(let token):
            do {
                scope.principal = try await access.identity.principal(webSession: token)
            } catch let error as IdentityError where error.isAboutTheCredential {
                return try endedSession(error, token, request, scope)
            }
        }
        return try await next(request, scope)
    }

    /// A browser sends the cookie of a session that has ended until it is told to forget it. Somebody who opens a page
    /// is sent to the same page again, now as anonymous, and somebody who sends a form to where they sign in; a program is
    /// told.
    private func endedSession(
        _ error: IdentityError, _ token: String, _ request: Request, _ scope: RequestScope
    ) throws -> Response {
        let forgets = clearsStorage(error, token, request, scope)
        let isPage = request.asksForPage
        let next =
            if isPage, request.method == .get {
                AccountPages.ownPath(request.uri.string)
            } else if isPage, Form.isForm(request) {
                "/sign-in"
            } else {
                String?.none
            }
        if let page = next {
            var reply = Response.led(to: page, cookie: access.cookie.clearing)
            if forgets { reply.clearBrowserStorage() }
            return reply
        }
        guard var problem = AccessProblems.problem(for: error) else { throw error }
        problem.headers[.setCookie] = access.cookie.clearing
        if forgets { problem.headers.clearBrowserStorage() }
        throw problem
    }

    /// Whether the browser keeps what is not for who uses it now: a session that there was may have been ended from
    /// elsewhere, because this browser was left behind signed in. A cookie that is none of ours tells nothing, since any
    /// other host of the domain may have set it; who presses “Sign out” wants it gone all the same.
    private func clearsStorage(
        _ error: IdentityError, _ token: String, _ request: Request, _ scope: RequestScope
    ) -> Bool {
        if error.code != .invalidCredential || access.identity.hasMade(webSession: token) { return true }
        guard request.method == .post, let path = scope.endpointPath, Self.signOuts.contains(path) else { return false }
        return ForgeryCheck(access: access).isFromHere(request, scope)
    }
}
