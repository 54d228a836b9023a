/// Sends requests to servers outside. `CurlTransport` is the one of the program; tests put their own in its place.
package protocol OutboundTransport: Sendable {
    /// Sends one request and returns what was answered, with any status.
    ///
    /// - Throws: `OutboundError` where there is no whole answer; never later than the request's timeout allows.
    func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse
}
