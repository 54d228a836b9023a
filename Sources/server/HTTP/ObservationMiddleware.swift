package import Hummingbird
import Logging

/// Measures each request and writes its line in the access log.
///
/// The line names the route's pattern, not the path: paths carry ids, queries carry what people typed.
package struct ObservationMiddleware: RouterMiddleware {
    package typealias Context = RequestScope

    let metrics: HTTPMetrics

    package init(metrics: HTTPMetrics) {
        self.metrics = metrics
    }

    package func handle(
        _ request: Request, context: RequestScope, next: (Request, RequestScope) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        metrics.requestStarted()
        defer { metrics.requestEnded() }
        // The problem middleware lies inside this one, so that errors have become replies here.
        let response = try await next(request, context)
        let duration = start.duration(to: .now)
        let route = context.route
        metrics.record(method: request.method, route: route, status: response.status.code, duration: duration)
        context.logger.info(
            "request",
            metadata: [
                "method": .string(HTTPMetrics.label(for: request.method)),
                "route": .string(route),
                "status": .stringConvertible(response.status.code),
                "ms": .stringConvertible(Self.milliseconds(duration)),
            ])
        return response
    }

    /// Milliseconds with two decimals.
    private static func milliseconds(_ duration: Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        return ((Double(seconds) * 1e5) + (Double(attoseconds) / 1e13)).rounded() / 100
    }
}
