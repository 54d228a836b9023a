import HTTPTypes
package import Hummingbird
import Platform

/// Turns away who reaches the service past the proxy that ends TLS, so that nothing private goes over a network in the
/// clear. It asks who is at the other end of the connection, not what a header says.
package struct ProxyMiddleware: RouterMiddleware {
    package typealias Context = RequestScope

    /// Probes, which say nothing private: what watches a machine asks it directly.
    private static let exempt: Set<String> = ["/livez", "/readyz", "/healthz"]

    let access: AccessControl

    package init(access: AccessControl) { self.access = access }

    package func handle(
        _ request: Request, context: RequestScope, next: (Request, RequestScope) async throws -> Response
    ) async throws -> Response {
        guard access.requiresProxy, !access.trusts(peer: IPAddress(context.channel.remoteAddress)) else {
            return try await next(request, context)
        }
        if let pattern = context.endpointPath, Self.exempt.contains(pattern) { return try await next(request, context) }
        throw HTTPProblem(.proxyRequired, "The service answers its proxy alone; ask by the address that people use.")
    }
}
