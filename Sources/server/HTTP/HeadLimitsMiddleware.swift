import HTTPTypes
package import Hummingbird

/// Refuses heads that are far longer than any that the service is asked, in words.
///
/// The parser's own limits lie above these: what exceeds them is cut off with a bare 400 before it is a request.
package struct HeadLimitsMiddleware: RouterMiddleware {
    package typealias Context = RequestScope

    package static let uriBytes = 8 << 10
    package static let fieldBytes = 32 << 10
    /// Of one field, and of all together, for the parser.
    static let parserFieldBytes = 96 << 10
    static let parserListBytes = 128 << 10

    package init() {}

    package func handle(
        _ request: Request, context: RequestScope, next: (Request, RequestScope) async throws -> Response
    ) async throws -> Response {
        let length = request.uri.string.utf8.count
        guard length <= Self.uriBytes else {
            throw HTTPProblem(
                .uriTooLong, "The path with its query has \(length) bytes; at most \(Self.uriBytes) are read.")
        }
        let fields = request.headers.reduce(0) { $0 + $1.name.rawName.utf8.count + $1.value.utf8.count }
        guard fields <= Self.fieldBytes else {
            throw HTTPProblem(
                .headerFieldsTooLarge, "The header fields have \(fields) bytes; at most \(Self.fieldBytes) are read.")
        }
        return try await next(request, context)
    }
}
