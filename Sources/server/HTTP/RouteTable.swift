import HTTPTypes
package import Hummingbird
import Synchronization

/// Which methods each path takes, for the answers to a method that it does not.
///
/// Hummingbird answers 404 to both an unknown path and an unknown method. This table is asked only then, so
/// that a plain list is quick enough.
package final class RouteTable: Sendable {
    private let routes = Mutex<[(path: RouterPath, methods: [String])]>([])

    package init() {}

    /// Takes over the routes of a router once all are registered.
    package func load(from router: Router<RequestScope>) {
        var methods: [String: (path: RouterPath, methods: Set<String>)] = [:]
        for route in router.routes {
            methods[route.path.description, default: (route.path, [])].methods.insert(route.method.rawValue)
        }
        let table = methods.values.map { entry in
            var all = entry.methods.union(["OPTIONS"])
            if all.contains("GET") { all.insert("HEAD") }
            return (path: entry.path, methods: all.sorted())
        }
        routes.withLock { $0 = table }
    }

    /// The methods of the routes that match `path`, with HEAD beside GET and OPTIONS always; empty for an
    /// unknown path.
    package func methods(for path: String) -> [String] {
        let segments = path.split(separator: "/", omittingEmptySubsequences: true)
        return routes.withLock { routes in
            var found: Set<String> = []
            for route in routes where Self.matches(route.path, segments) { found.formUnion(route.methods) }
            return found.sorted()
        }
    }

    private static func matches(_ route: RouterPath, _ segments: [Substring]) -> Bool {
        for (offset, component) in route.enumerated() {
            if component == .recursiveWildcard { return true }
            guard offset < segments.count, component ~= segments[offset] else { return false }
        }
        return route.count == segments.count
    }
}
