import HTTPTypes
package import Hummingbird

/// Gives what is read an entity tag, and answers 304 to a client that has it already.
///
/// A route may set the tag itself where its bytes never change, and its own `Cache-Control`; without one a reply
/// is `no-cache`: kept, and asked about before each use. What is `no-store` is nobody's to keep and gets no tag.
///
/// It lies outside the middleware that adds security headers: a cache takes over the header fields of a 304, so
/// that they must be those of the whole reply.
package struct EntityTagMiddleware: RouterMiddleware {
    package typealias Context = RequestScope

    package init() {}

    package func handle(
        _ request: Request, context: RequestScope, next: (Request, RequestScope) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        guard request.method == .get || request.method == .head, response.status == .ok,
            response.headers[.cacheControl] != "no-store"
        else { return response }
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-cache" }
        let tag: String
        if let given = response.headers[.eTag] {
            tag = given
        } else {
            tag = EntityTag.strong(of: try await response.collectBody())
            response.headers[.eTag] = tag
        }
        guard let condition = request.headers[.ifNoneMatch], EntityTag.matches(tag, ifNoneMatch: condition) else {
            return response
        }
        var unchanged = Response(status: .notModified, headers: response.headers)
        // Those of the reply that is not sent (RFC 9110, section 15.4.5).
        unchanged.headers[.contentLength] = nil
        unchanged.headers[.contentType] = nil
        return unchanged
    }
}
