import HTTPTypes
package import Hummingbird
package import Platform

/// What decides who may ask what, and how much: put together once, shared by the middleware and the routes.
package struct AccessControl: Sendable {
    package let identity: Identity
    package let cookie: SessionCookie
    /// Whether others than this machine's own programs reach the service.
    package let isExposed: Bool
    /// Whether the service listens where other machines could reach it past the proxy.
    package let requiresProxy: Bool
    package let rules = RouteRules()
    /// Nil where addresses, or keys and users, are not limited.
    package let byAddress: TokenBucketTable?
    package let byPrincipal: TokenBucketTable?
    let adminLink: AdminLinkFile
    private let proxies: TrustedProxies

    package init(settings: ServiceSettings, identity: Identity) {
        self.identity = identity
        isExposed = settings.isExposed
        requiresProxy = !ServiceSettings.isLoopback(settings.host)
        adminLink = AdminLinkFile(dataDirectory: settings.dataDirectory)
        proxies = settings.trustedProxy.flatMap { TrustedProxies($0) } ?? TrustedProxies()
        // A proxy ends TLS in front of the service, whichever address it hands requests to.
        cookie = SessionCookie(isSecure: settings.isExposed)
        let rates = settings.requestLimits.effective(isExposed: settings.isExposed)
        byAddress = rates.address.map { TokenBucketTable(rate: $0) }
        byPrincipal = rates.key.map { TokenBucketTable(rate: $0) }
    }

    /// Whether what a peer sends has not gone over a network in the clear: it is a proxy that is named, or this machine.
    ///
    /// - Parameter peer: nil for a connection whose other end is not known, which nobody can vouch for.
    package func trusts(peer: IPAddress?) -> Bool {
        guard let peer = peer?.unmapped else { return false }
        return peer.isThisMachine || proxies.contains(peer)
    }

    /// Where a request comes from; nil for a connection without an address.
    package func client(of request: Request, _ scope: RequestScope) -> IPAddress? {
        proxies.client(
            peer: IPAddress(scope.channel.remoteAddress), forwarded: request.headers[values: .forwardedFor])
    }

    /// The address under which a client's failures to sign in are counted; nil where there is none.
    func addressText(of request: Request, _ scope: RequestScope) -> String? {
        client(of: request, scope)?.description
    }

    /// The names under which browsers know the service: host and port, as they stand in `Origin`.
    func authorities(of request: Request, _ scope: RequestScope) -> [String] {
        var names = [request.head.authority].compactMap { $0 }
        if let peer = IPAddress(scope.channel.remoteAddress), proxies.contains(peer),
            let name = request.headers[.forwardedHost]
        {
            names.append(name)
        }
        return names
    }

    /// Whether somebody may read, or write, what belongs to the user `owner`.
    package func allows(_ principal: Principal, dataOf owner: String, isReading: Bool) async throws -> Bool {
        switch principal.role {
        case .anonymous: return false
        case .service, .admin: return true
        case .user: return principal.userID == owner
        case .educator:
            guard let educator = principal.userID else { return false }
            if educator == owner { return true }
            guard isReading else { return false }
            return try await identity.isAssigned(learner: owner, to: educator)
        }
    }

    /// Whether somebody may read, or write in, a session of `owner`: nobody's sessions are open to who knows their id.
    package func allows(_ principal: Principal, sessionOf owner: String?, isReading: Bool) async throws -> Bool {
        guard let owner else { return true }
        return try await allows(principal, dataOf: owner, isReading: isReading)
    }
}
