import HTTPTypes
package import Hummingbird
import Platform

/// Holds a request against its route's rule, and a write by cookie against forgery by other sites.
package struct AuthorisationMiddleware: RouterMiddleware {
    package typealias Context = RequestScope

    private static let safe: Set<HTTPRequest.Method> = [.get, .head, .options]

    let access: AccessControl

    package init(access: AccessControl) { self.access = access }

    package func handle(
        _ request: Request, context: RequestScope, next: (Request, RequestScope) async throws -> Response
    ) async throws -> Response {
        // What no route takes has no rule, and is answered further in.
        guard let rule = context.rule else { return try await next(request, context) }
        // Where no credential is looked at, nobody's can be misused.
        if case .open = rule.audience { return try await next(request, context) }
        try await require(rule, request, context)
        guard !Self.safe.contains(request.method) else { return try await next(request, context) }
        var request = request
        try await ForgeryCheck(access: access).require(&request, context)
        return try await next(request, context)
    }

    private func require(_ rule: RouteRule, _ request: Request, _ scope: RequestScope) async throws {
        let principal = scope.principal
        switch rule.audience {
        case .open, .everyone: break
        case .session:
            guard case .webSession = principal.credential else {
                throw refusal(
                    principal, "This is for who is signed in at a browser, by the session's cookie.", keysHelp: false)
            }
        case .roles(let roles):
            guard roles.contains(principal.role) else { throw refusal(principal, "This is for \(Self.list(roles)).") }
        case .own(let parameter):
            try await requireOwn(parameter, request, scope)
        case .programs:
            guard !access.isExposed || principal.role != .anonymous else {
                throw refusal(principal, "This is for who has an account or a key.")
            }
        case .operators:
            let isOperator =
                !access.isExposed || principal.role == .admin || principal.scopes.contains(RouteRule.Scope.metrics)
            guard isOperator else {
                throw refusal(principal, "This is for admins, and for keys with the scope `metrics`.")
            }
        }
        guard principal.scopes.isEmpty || rule.scope.map({ principal.scopes.contains($0) }) ?? true else {
            throw HTTPProblem(
                .scopeMissing,
                "The credential is limited to \(Self.list(principal.scopes)); this needs "
                    + "\(rule.scope.map { "`\($0)`" } ?? "one that is not limited").")
        }
    }

    private func requireOwn(_ parameter: String, _ request: Request, _ scope: RequestScope) async throws {
        let principal = scope.principal
        let owner = try scope.pathID(parameter) { _ in HTTPProblem(.forbidden, "These are another person's data.") }
        let isReading = Self.safe.contains(request.method)
        guard try await access.allows(principal, dataOf: owner, isReading: isReading) else {
            throw refusal(principal, "These are another person's data.")
        }
    }

    /// 401 for who might do better with a credential, 403 for who has shown one.
    private func refusal(_ principal: Principal, _ detail: String, keysHelp: Bool = true) -> HTTPProblem {
        guard principal.role == .anonymous else { return HTTPProblem(.forbidden, detail) }
        return AccessProblems.unauthorised("\(detail) \(keysHelp ? "Sign in, or send a key or token." : "Sign in.")")
    }

    private static func list(_ roles: Set<Role>) -> String {
        let names = Role.allCases.filter(roles.contains).map { "`\($0.rawValue)`" }
        return names.joined(separator: ", ")
    }

    private static func list(_ scopes: Set<String>) -> String {
        scopes.sorted().map { "`\(excerpt(of: $0))`" }.joined(separator: ", ")
    }
}
