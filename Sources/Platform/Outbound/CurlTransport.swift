/// Sends requests by libcurl, within the limits of each and past the guard of addresses.
///
/// Redirects are followed here and not by curl, so that every hop goes through the whole check.
package final class CurlTransport: OutboundTransport {
    private let settings: OutboundSettings
    private let allowed: AllowedPrivate
    private let engine: CurlEngine

    /// - Throws: `invalidRequest` for settings that cannot be meant, `other` where curl does not start.
    package init(_ settings: OutboundSettings = OutboundSettings()) throws(OutboundError) {
        allowed = try AllowedPrivate(settings.allowedPrivate)
        guard FieldRules.isValue(settings.userAgent) else {
            throw OutboundError(.invalidRequest, "the user agent has control characters")
        }
        if let proxy = settings.proxy { try Self.check(proxy: proxy) }
        self.settings = settings
        engine = try CurlEngine(
            maximumTransfers: settings.maximumTransfers, maximumUnderWay: settings.maximumUnderWay)
    }

    package var statistics: OutboundStatistics { engine.statistics }

    /// Fails what is under way with `closed`.
    package func close() { engine.close() }

    package func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse {
        try Self.check(request)
        let deadline = ContinuousClock.now + request.timeout
        let first = try OutboundURL(request.url)
        var hop = OutboundHop(
            url: first, method: request.method.uppercased(), headers: request.headers, body: request.body)
        var redirects = 0
        while true {
            let isNamed = request.allowsPrivateAddresses && hop.url.isSameOrigin(as: first)
            let outcome = await engine.perform(
                try plan(hop, until: deadline, maximumBytes: request.maximumBytes, isNamed: isNamed))
            if let failure = outcome.failure { throw failure }
            guard (200...999).contains(outcome.status) else {
                throw OutboundError(.protocolViolation, "\(hop.url.host) answered with the status \(outcome.status)")
            }
            guard let next = try hop.next(status: outcome.status, headers: outcome.headers) else {
                return OutboundResponse(
                    status: outcome.status, headers: outcome.headers, body: outcome.body, url: hop.url.text)
            }
            guard redirects < request.maximumRedirects else {
                throw OutboundError(
                    .tooManyRedirects, "\(first.host) redirects more than \(request.maximumRedirects) times")
            }
            redirects += 1
            hop = next
        }
    }

    private func plan(
        _ hop: OutboundHop, until deadline: ContinuousClock.Instant, maximumBytes: Int, isNamed: Bool
    ) throws(OutboundError) -> TransferPlan {
        var addressGuard = allowed.addressGuard(for: hop.url.host, isNamed: isNamed)
        if settings.proxy != nil {
            // The connection is to the proxy, which the operator named; of the server only a written address can be seen.
            if let literal = hop.url.literal, let objection = addressGuard.objection(to: literal) {
                throw OutboundError(
                    .forbiddenAddress, "the server is at an address that is not to be reached: \(objection)")
            }
            addressGuard = AddressGuard(reach: .named)
        }
        return TransferPlan(
            work: .exchange(
                HTTPExchange(
                    method: hop.method, headers: hop.headers, body: hop.body, userAgent: settings.userAgent,
                    maximumBytes: maximumBytes)),
            url: hop.url.text, addressGuard: addressGuard, deadline: deadline,
            connectTimeout: settings.connectTimeout, authorities: settings.authorities, proxy: settings.proxy,
            lifeline: nil)
    }

    private static func check(_ request: OutboundRequest) throws(OutboundError) {
        let method = request.method.uppercased()
        guard FieldRules.isToken(method), method.utf8.count <= 32, !["CONNECT", "TRACE"].contains(method) else {
            throw OutboundError(.invalidRequest, "the method is none that can be sent")
        }
        guard method != "HEAD" || request.body == nil else {
            throw OutboundError(.invalidRequest, "a HEAD request has no body")
        }
        guard request.timeout > .zero, request.timeout <= .seconds(3600) else {
            throw OutboundError(.invalidRequest, "the time for a request is not above 0 and at most an hour")
        }
        guard request.maximumBytes >= 0, request.maximumRedirects >= 0 else {
            throw OutboundError(.invalidRequest, "a limit of the request is below 0")
        }
        try FieldRules.check(request.headers)
    }

    private static func check(proxy: String) throws(OutboundError) {
        do throws(OutboundError) {
            _ = try OutboundURL(proxy)
        } catch {
            throw OutboundError(.invalidRequest, "the proxy is none: \(error.message)", mend: "Give http://host:port.")
        }
    }
}
