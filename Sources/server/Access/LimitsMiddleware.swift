import HTTPTypes
package import Hummingbird
import Platform

/// Turns away what is too much from one address, before it is known who asks.
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
        if let buckets = access.byAddress, let client = access.client(of: request, context),
            case .wait(let wait) = buckets.take(client.limitKey)
        {
            throw AccessProblems.tooManyRequests("Too many requests from this address.", wait: wait)
        }
        return try await next(request, context)
    }
}

/// Turns away what is too much for one user, or for one key that is nobody's; who is anonymous has the address's bucket.
/// It lies inside the middleware that finds out who that is.
package struct PrincipalLimitsMiddleware: RouterMiddleware {
    package typealias Context = RequestScope

    let access: AccessControl

    package init(access: AccessControl) { self.access = access }

    package func handle(
        _ request: Request, context: RequestScope, next: (Request, RequestScope) async throws -> Response
    ) async throws -> Response {
        if let buckets = access.byPrincipal, let bucket = context.principal.bucket,
            case .wait(let wait) = buckets.take(.name(bucket))
        {
            throw AccessProblems.tooManyRequests("Too many requests by this user, or with this key.", wait: wait)
        }
        return try await next(request, context)
    }
}
