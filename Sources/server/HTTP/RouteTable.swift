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
            // As in the router, a literal route hides the captured ones that would match too.
            let matching = routes.filter { Self.matches($0.path, segments) }
            let mostLiteral = matching.map { Self.literals($0.path) }.max() ?? 0
            var found: Set<String> = []
            for route in matching where Self.literals(route.path) == mostLiteral { found.formUnion(route.methods) }
            return found.sorted()
        }
    }

    private static func literals(_ route: RouterPath) -> Int {
        // The cases of a component are the router's own; what takes any text at all is not a literal.
        route.count { !($0 ~= "\u{1}") }
    }

    private static func matches(_ route: RouterPath, _ segments: [Substring]) -> Bool {
        for (offset, component) in route.enumerated() {
            if component == .recursiveWildcard { return true }
            guard offset < segments.count, component ~= segments[offset] else { return false }
        }
        return route.count == segments.count
    }
}
