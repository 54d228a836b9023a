import HTTPTypes
package import Hummingbird

/// A router that takes no route without a rule.
package struct GuardedRouter {
    package typealias Handler = @Sendable (Request, RequestScope) async throws -> Response

    private let router: Router<RequestScope>
    private let rules: RouteRules

    package init(_ router: Router<RequestScope>, rules: RouteRules) {
        self.router = router
        self.rules = rules
    }

    package func get(_ path: RouterPath, _ rule: RouteRule, use handler: @escaping Handler) {
        add(.get, path, rule, handler)
    }

    package func post(_ path: RouterPath, _ rule: RouteRule, use handler: @escaping Handler) {
        add(.post, path, rule, handler)
    }

    package func put(_ path: RouterPath, _ rule: RouteRule, use handler: @escaping Handler) {
        add(.put, path, rule, handler)
    }

    package func patch(_ path: RouterPath, _ rule: RouteRule, use handler: @escaping Handler) {
        add(.patch, path, rule, handler)
    }

    package func delete(_ path: RouterPath, _ rule: RouteRule, use handler: @escaping Handler) {
        add(.delete, path, rule, handler)
    }

    private func add(
        _ method: HTTPRequest.Method, _ path: RouterPath, _ rule: RouteRule, _ handler: @escaping Handler
    ) {
        router.on(path, method: method, use: handler)
        rules.add(rule, for: method, path)
    }
}
