package import CoreMetrics
package import HTTPTypes
import Synchronization

/// What the HTTP side measures.
package final class HTTPMetrics: Sendable {
    package static let requests = MetricDefinition(
        "http_requests_total", "Requests answered, by method, route pattern and status.")
    package static let duration = MetricDefinition(
        "http_request_duration_seconds", "Time from a request's head to its reply, by method and route pattern.")
    package static let inFlight = MetricDefinition("http_requests_in_flight", "Requests being answered now.")
    package static let definitions = [requests, duration, inFlight]

    private struct Key: Hashable {
        let method: String
        let route: String
        let status: Int
    }

    private struct Instruments {
        let requests: Counter
        let duration: CoreMetrics.Timer
    }

    private let factory: any MetricsFactory
    private let inFlight: Meter
    /// Making an instrument looks it up in the registry; this map keeps that off the path of a request.
    private let cache = Mutex<[Key: Instruments]>([:])

    package init(factory: any MetricsFactory) {
        self.factory = factory
        inFlight = Meter(label: Self.inFlight.name, dimensions: [], factory: factory)
    }

    package func requestStarted() { inFlight.increment() }
    package func requestEnded() { inFlight.decrement() }

    /// - Parameter route: the pattern, such as `/api/careers/{id}`, never a path.
    package func record(method: HTTPRequest.Method, route: String, status: Int, duration: Duration) {
        let key = Key(method: Self.label(for: method), route: route, status: status)
        let instruments = cache.withLock { cache in
            if let known = cache[key] { return known }
            let made = Instruments(
                requests: Counter(
                    label: Self.requests.name,
                    dimensions: [("method", key.method), ("route", route), ("status", String(status))],
                    factory: factory),
                duration: CoreMetrics.Timer(
                    label: Self.duration.name, dimensions: [("method", key.method), ("route", route)],
                    factory: factory))
            cache[key] = made
            return made
        }
        instruments.requests.increment()
        let (seconds, attoseconds) = duration.components
        instruments.duration.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    /// The method, or `OTHER`: a client may invent any number of them.
    package static func label(for method: HTTPRequest.Method) -> String {
        let known: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        return known.contains(method.rawValue) ? method.rawValue : "OTHER"
    }
}
