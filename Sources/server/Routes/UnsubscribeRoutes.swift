internal import Foundation
internal import Hummingbird
internal import Mustache
internal import NIOCore
package import Platform

/// The link at the foot of list mail: `GET /unsubscribe/{token}` asks, `POST /unsubscribe/{token}` does it.
///
/// GET changes nothing, since programs that look mail over follow its links. POST is the page's button and RFC 8058's
/// one click of a mail program; both send the same form. The token is the authority: no cookie and no key is looked at.
package struct UnsubscribeRoutes {
    private static let field = "List-Unsubscribe"
    private static let oneClick = "One-Click"
    private static let multipart = "multipart/form-data"
    /// A form of one field, however a mail program wraps it.
    private static let maximumBytes = 16 << 10

    private let unsubscriber: Unsubscriber
    private let page: HTMLPage

    /// - Throws: what is wrong with the page's template.
    package init(_ unsubscriber: Unsubscriber) throws {
        self.unsubscriber = unsubscriber
        page = try HTMLPage("unsubscribe")
    }

    package func add(to router: GuardedRouter) {
        router.get("/unsubscribe/{token}", .open) { _, scope in
            guard let subscription = unsubscriber.read(try scope.parameters.require("token")) else {
                return reply(.unknown)
            }
            return reply(.asks(subscription.list))
        }
        router.post("/unsubscribe/{token}", .open) { request, scope in
            try await Self.requireOneClick(request, scope)
            guard let list = try await unsubscriber.accept(try scope.parameters.require("token")) else {
                return reply(.unknown)
            }
            return reply(.done(list))
        }
    }

    // MARK: The form

    /// - Throws: `HTTPProblem`: `unsupported_media_type`, `body_too_large`, `bad_request`.
    private static func requireOneClick(_ request: Request, _ scope: RequestScope) async throws {
        var scope = scope
        scope.limits.bodyBytes = min(scope.limits.bodyBytes, maximumBytes)
        let isOneClick =
            if isMultipart(request) {
                holdsOneClick(multipart: try await request.collectBody(in: scope))
            } else {
                try await Form(request, in: scope)[field] == oneClick
            }
        guard isOneClick else {
            throw HTTPProblem(.badRequest, "The form must have the field `\(field)` with the value `\(oneClick)`.")
        }
    }

    private static func isMultipart(_ request: Request) -> Bool {
        let type = request.headers[.contentType]?.split(separator: ";").first ?? ""
        return type.filter { $0 != " " && $0 != "\t" }.lowercased() == multipart
    }

    /// RFC 8058 lets mail programs send their one field as multipart too. Of such a body, a part's head that names the
    /// field and a line that is its value are all that matters: the token says who and what.
    private static func holdsOneClick(multipart body: ByteBuffer) -> Bool {
        let lines = String(buffer: body).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        let head = lines.firstIndex { line in
            line.lowercased().hasPrefix("content-disposition:")
                && (line.contains("name=\"\(field)\"") || line.contains("name=\(field)"))
        }
        guard let head, let empty = lines[head...].firstIndex(where: \.isEmpty) else { return false }
        return lines[empty...].dropFirst().first.map { $0 == oneClick } ?? false
    }

    // MARK: The page

    private enum State {
        case asks(MailList)
        case done(MailList)
        case unknown
    }

    private func reply(_ state: State) -> Response {
        switch state {
        case .asks(let list):
            page.response(title: "Unsubscribe", texts: ["list": list.name], flags: ["asks": true])
        case .done(let list):
            page.response(title: "You are unsubscribed", texts: ["list": list.name], flags: ["done": true])
        case .unknown:
            page.response(title: "This link does not hold", flags: ["unknown": true], status: .notFound)
        }
    }
}
