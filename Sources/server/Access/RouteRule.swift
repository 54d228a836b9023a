package import Platform

/// Who may call a route; it stands beside the route, where the route is added.
package struct RouteRule: Sendable, Equatable {
    package enum Audience: Sendable, Equatable {
        /// Files and probes, the same for everybody: no credential is even looked at.
        case open
        /// Everybody. A credential that is sent must hold all the same.
        case everyone
        /// Who is signed in at a browser, for what is their own account's. No key and no token: those are for programs, and
        /// one that leaked must not change the password that it is to be outlived by.
        case session
        /// These roles alone.
        case roles(Set<Role>)
        /// Who owns what the path names: the user of that id, an educator to whom the user is assigned, and services and
        /// admins for anybody. Educators only read.
        case own(parameter: String)
        /// Everybody where only this machine reaches the service, otherwise who is signed in or has a key.
        case programs
        /// Who runs the service: everybody where only this machine reaches it, otherwise an admin or a key of the scope
        /// `metrics`.
        case operators
    }

    package let audience: Audience
    /// What a credential with scopes must have among them; nil where scopes do not matter.
    package let scope: String?

    package init(_ audience: Audience, scope: String? = nil) {
        self.audience = audience
        self.scope = scope
    }

    package static let open = RouteRule(.open)
    package static let everyone = RouteRule(.everyone)
    package static let session = RouteRule(.session)
    package static let signedIn = RouteRule(.roles([.user, .educator, .service, .admin]))
    package static let admin = RouteRule(.roles([.admin]), scope: Scope.admin)
    /// Programs that keep students and their lists, and who looks after them.
    package static let monitor = RouteRule(.roles([.service, .admin]), scope: Scope.monitor)
    package static let operators = RouteRule(.operators, scope: Scope.metrics)

    package static let recommend = RouteRule(.everyone, scope: Scope.recommend)
    package static let results = RouteRule(.everyone, scope: Scope.results)
    package static let careers = RouteRule(.everyone, scope: Scope.careers)
    package static let embeddings = RouteRule(.programs, scope: Scope.embeddings)

    package static func own(_ parameter: String, scope: String) -> RouteRule {
        RouteRule(.own(parameter: parameter), scope: scope)
    }

    /// The names that a key's scopes may have.
    package enum Scope {
        package static let recommend = "recommend"
        package static let results = "results"
        package static let careers = "careers"
        package static let embeddings = "embeddings"
        package static let metrics = "metrics"
        package static let monitor = "monitor"
        package static let admin = "admin"
        package static let all = [admin, careers, embeddings, metrics, monitor, recommend, results]
    }
}
