import HTTPTypes
package import Hummingbird
import Platform

/// Turns away what is too much before anything of it is read: too many requests under way, too many from one address.
package struct LimitsMiddleware: RouterMiddleware {
    package typealias Context = RequestScope

    /// Probes: who asks them must learn that the service is alive above all when it is busy.
    private static let exempt: Set<String> = ["/livez", "/readyz"]

    let access: AccessControl

    package init(access: AccessControl) { self.access = access }

    package func handle(
        _ request: Request, context: RequestScope, next: (Request, RequestScope) async throws -> Response
    ) async throws -> Response {
        if let pattern = context.endpointPath, Self.exempt.contains(pattern) { return try await next(request, context) }
        guard access.underWay.enter() else {
            throw AccessProblems.tooManyRequests(
                "As many requests are under way as may; try again in a moment.", wait: .seconds(1))
        }
        defer { access.underWay.leave() }
        if let buckets = access.byAddress, let client = access.client(of: request, context),
            case .wait(let wait) = buckets.take(client.limitKey)
        {
            throw AccessProblems.tooManyRequests("Too many requests from this address.", wait: wait)
        }
        return try await next(request, context)
    }
}

/// Turns away what is too much for one key or user; who is anonymous has the address's bucket. It lies inside the
/// middleware that finds out who that is.
package struct PrincipalLimitsMiddleware: RouterMiddleware {
    package typealias Context = RequestScope

    let access: AccessControl

    package init(access: AccessControl) { self.access = access }

    package func handle(
        _ request: Request, context: RequestScope, next: (Request, RequestScope) async throws -> Response
    ) async throws -> Response {
        if let buckets = access.byPrincipal, let caller = context.principal.caller,
            case .wait(let wait) = buckets.take(.name(caller))
        {
            throw AccessProblems.tooManyRequests("Too many requests with this credential.", wait: wait)
        }
        return try await next(request, context)
    }
}
