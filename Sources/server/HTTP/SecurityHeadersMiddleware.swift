import HTTPTypes
package import Hummingbird

/// Adds the headers that keep a browser from guessing types, framing pages and leaking addresses.
///
/// A route's own values win.
package struct SecurityHeadersMiddleware: RouterMiddleware {
    package typealias Context = RequestScope

    /// Pages take scripts, styles and pictures from the service itself only; no inline code, no plug-ins, no frames.
    package static let pagePolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        + "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    /// A data reply that a browser shows as a page may load and run nothing.
    package static let dataPolicy = "default-src 'none'; frame-ancestors 'none'"

    package init() {}

    package func handle(
        _ request: Request, context: RequestScope, next: (Request, RequestScope) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        Self.add(to: &response.headers)
        return response
    }

    /// Adds what a reply with these fields lacks.
    static func add(to fields: inout HTTPFields) {
        func add(_ name: HTTPField.Name, _ value: String) {
            if fields[name] == nil { fields[name] = value }
        }
        let isPage = fields[.contentType]?.hasPrefix("text/html") ?? false
        add(.xContentTypeOptions, "nosniff")
        add(.referrerPolicy, isPage ? "same-origin" : "no-referrer")
        add(.contentSecurityPolicy, isPage ? Self.pagePolicy : Self.dataPolicy)
    }
}
