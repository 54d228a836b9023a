package import HTTPTypes
package import Hummingbird
import Synchronization

/// The rule of each route: filled while routes are added, checked against the router before anything is served.
package final class RouteRules: Sendable {
    /// A method and a pattern, as they are in messages: `GET /api/careers/{id}`.
    private struct Place: Hashable {
        let method: String
        let pattern: String

        var shown: String { "\(method) \(pattern)" }
    }

    /// Why routes and rules do not go together: a mistake of the program, found at its start.
    package struct Mismatch: Error, Equatable, CustomStringConvertible {
        /// Routes that nobody said who may call, as `GET /pattern`.
        package let withoutRule: [String]
        /// Rules of routes that there are not.
        package let withoutRoute: [String]

        package init(withoutRule: [String], withoutRoute: [String]) {
            self.withoutRule = withoutRule
            self.withoutRoute = withoutRoute
        }

        package var description: String {
            var parts: [String] = []
            if !withoutRule.isEmpty {
                parts.append(
                    "these routes have no rule of who may call them: \(withoutRule.joined(separator: ", ")); "
                        + "add them through `HTTPService.routes` with a rule")
            }
            if !withoutRoute.isEmpty {
                parts.append("these rules have no route: \(withoutRoute.joined(separator: ", "))")
            }
            return parts.joined(separator: "; ")
        }
    }

    private let rules = Mutex<[Place: RouteRule]>([:])

    package init() {}

    package func add(_ rule: RouteRule, for method: HTTPRequest.Method, _ path: RouterPath) {
        let place = Place(method: method.rawValue, pattern: path.description)
        rules.withLock { rules in
            precondition(rules[place] == nil, "\(place.shown) has two rules")
            rules[place] = rule
        }
    }

    /// The rule of the route that the router found, HEAD's being GET's; nil for a route without one.
    package func rule(for method: HTTPRequest.Method, pattern: String) -> RouteRule? {
        let name = method == .head ? HTTPRequest.Method.get.rawValue : method.rawValue
        return rules.withLock { $0[Place(method: name, pattern: pattern)] }
    }

    /// - Throws: `Mismatch` where a route has no rule or a rule no route.
    package func check(against router: Router<RequestScope>) throws(Mismatch) {
        let routes = Set(
            router.routes.filter { $0.method != .head }
                .map { Place(method: $0.method.rawValue, pattern: $0.path.description) })
        let ruled = Set(rules.withLock { $0.keys })
        guard routes != ruled else { return }
        throw Mismatch(
            withoutRule: routes.subtracting(ruled).map(\.shown).sorted(),
            withoutRoute: ruled.subtracting(routes).map(\.shown).sorted())
    }
}
