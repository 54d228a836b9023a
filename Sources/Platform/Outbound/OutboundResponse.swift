/// What a server outside answered, whatever its status.
package struct OutboundResponse: Sendable {
    package let status: Int
    package let headers: OutboundHeaders
    /// Decompressed.
    package let body: [UInt8]
    /// Where it came from, after redirects.
    package let url: String

    package init(status: Int, headers: OutboundHeaders = OutboundHeaders(), body: [UInt8] = [], url: String) {
        self.status = status
        self.headers = headers
        self.body = body
        self.url = url
    }
}

extension OutboundResponse: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String { "\(status) from \(OutboundURL.withoutSecrets(url)), \(body.count) bytes" }

    package var debugDescription: String { description }
}
