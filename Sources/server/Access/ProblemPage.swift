internal import HTTPTypes
internal import Hummingbird

/// What a browser shows in the place of a problem document: the same in words for people, and with a way on.
package struct ProblemPage: Sendable {
    private struct Words {
        let title: String
        let text: String
    }

    /// Below these, whoever asks reads documents.
    private static let programs: Set<Substring> = ["api", "v1"]
    /// Where forms go that are on another page.
    private static let pagesOfForms = [
        "/account/password": "/account", "/account/sessions": "/account", "/account/verification": "/account",
        "/sign-out": "/sign-in",
    ]

    private let page: HTMLPage

    /// - Throws: what is wrong with the page's template.
    package init() throws { page = try HTMLPage("problem") }

    /// The page that says what `problem` does, or leads to where a form is; nil for who reads the document.
    func response(
        for problem: HTTPProblem, to request: Request, _ scope: RequestScope, _ routes: RouteTable
    ) -> Response? {
        let segments = request.uri.path.split(separator: "/")
        guard request.asksForPage, !Self.programs.contains(segments.first ?? "") else { return nil }
        let path = "/" + segments.joined(separator: "/")
        let home = Self.pagesOfForms[path]
        if problem.code == .methodNotAllowed, request.method == .get || request.method == .head, let home {
            return .led(to: home)
        }
        let words = Self.words(for: problem)
        var texts = ["text": words.text]
        let isPage = routes.methods(for: path).contains("GET")
        texts["again"] = home ?? (isPage ? AccountPages.ownPath(SecretLink.again(path, request)) : nil)
        if problem.status.kind == .serverError { texts["reference"] = scope.requestID }
        return page.response(title: words.title, texts: texts, status: problem.status, headers: problem.headers)
    }

    private static func words(for problem: HTTPProblem) -> Words {
        switch problem.code {
        case .csrfTokenInvalid:
            Words(
                title: "This page is out of date",
                text: "You have signed in or out in this browser since it was opened. Nothing was changed: open it "
                    + "again, and send the form once more if you still want that.")
        case .crossSiteRequest:
            Words(
                title: "The form did not come from this service",
                text: "Another site sent it, so nothing was changed. Open the page here if you want to do that.")
        case .notFound:
            Words(title: "There is no such page", text: "The address may have been mistyped, or cut off in a message.")
        case .methodNotAllowed:
            Words(title: "This address is no page", text: "Forms are sent to it; there is nothing to look at.")
        default:
            if problem.status.kind == .serverError {
                Words(title: "Something went wrong on our side", text: "Please try again in a moment.")
            } else {
                Words(title: problem.code.title, text: FormState.sentence(problem.detail))
            }
        }
    }
}

extension Request {
    /// Whether a browser asks for something to show, and not a script or a program for something to read: those take
    /// anything, or name what they read.
    var asksForPage: Bool { headers[.accept]?.contains("text/html") == true }
}
