internal import Hummingbird
internal import Platform

/// Who looks at a page, as far as its frame and its forms have to know.
struct PageVisitor {
    /// The token that forms of somebody signed in carry; nil for somebody who is not.
    let csrf: String?

    var isSignedIn: Bool { csrf != nil }
}

extension RequestScope {
    /// Whether somebody sends the request who is signed in at a browser.
    var isByCookie: Bool { if case .webSession = principal.credential { true } else { false } }
}

extension AccessControl {
    func visitor(_ request: Request, _ scope: RequestScope) throws -> PageVisitor {
        guard scope.isByCookie, let session = try cookie.token(in: request.headers) else {
            return PageVisitor(csrf: nil)
        }
        return PageVisitor(csrf: identity.csrfToken(webSession: session))
    }
}
