import HTTPTypes
package import Hummingbird
import Logging

/// Turns every error of a handler into a problem document, or a page for who looks at pages, and a missing route into
/// 404, 405 or the answer to OPTIONS.
package struct ProblemMiddleware: RouterMiddleware {
    package typealias Context = RequestScope

    let table: ProblemTable
    let routes: RouteTable
    /// Nil where everybody is answered by documents: in tests of HTTP itself.
    let pages: ProblemPage?

    package init(table: ProblemTable, routes: RouteTable, pages: ProblemPage? = nil) {
        self.table = table
        self.routes = routes
        self.pages = pages
    }

    package func handle(
        _ request: Request, context: RequestScope, next: (Request, RequestScope) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            // The router marks a request that no route took by this path; it has no parameters then.
            if context.endpointPath == Self.unmatched, let error = error as? HTTPError, error.status == .notFound {
                return noRoute(request, context)
            }
            return response(for: error, request, context)
        }
    }

    /// What the router writes for a request that no route took.
    static let unmatched = "NotFound"

    private func noRoute(_ request: Request, _ context: RequestScope) -> Response {
        let path = request.uri.path
        let methods = path == "*" ? [] : routes.methods(for: path)
        if request.method == .options, !methods.isEmpty || path == "*" {
            return Response(status: .noContent, headers: methods.isEmpty ? [:] : [.allow: list(methods)])
        }
        let shown = excerpt(of: path, limit: 256)
        guard !methods.isEmpty else {
            return reply(HTTPProblem(.notFound, "No route has the path `\(shown)`."), request, context)
        }
        let problem = HTTPProblem(
            .methodNotAllowed, "`\(shown)` takes \(list(methods)), not \(excerpt(of: request.method.rawValue)).",
            headers: [.allow: list(methods)])
        return reply(problem, request, context)
    }

    private func reply(_ problem: HTTPProblem, _ request: Request, _ context: RequestScope) -> Response {
        pages?.response(for: problem, to: request, context, routes)
            ?? problem.response(from: request, context: context)
    }

    private func list(_ methods: [String]) -> String { methods.joined(separator: ", ") }

    private func response(for error: any Error, _ request: Request, _ context: RequestScope) -> Response {
        var problem = table.problem(for: error)
        if context.deadline.isExpired, problem.code == .cancelled || problem.code == .internalError {
            problem = HTTPProblem(
                .deadlineExceeded, "The request was not answered in time and has been cancelled.",
                headers: [.retryAfter: "1"], cause: error)
        }
        // Who abandons a request makes no mistake of the service.
        if problem.status.kind == .serverError, problem.code != .cancelled {
            context.logger.error(
                "request failed",
                metadata: [
                    "code": .string(problem.code.name),
                    "error": .string(String(reflecting: problem.cause ?? error)),
                ])
        } else {
            // Not the detail, which quotes what the client sent.
            context.logger.debug("request refused", metadata: ["code": .string(problem.code.name)])
        }
        return reply(problem, request, context)
    }
}
