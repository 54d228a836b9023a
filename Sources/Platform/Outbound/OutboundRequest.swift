/// One HTTP request to a server outside.
///
/// Headers and body may hold keys and what people said: `description` shows neither, nor the query of the address.
package struct OutboundRequest: Sendable {
    package var method: String
    /// An absolute http or https address without user and password.
    package var url: String
    /// In the order in which they are sent. What frames a message (Host, Content-Length, …) is the transport's alone.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]?
    /// For everything together: waiting, resolving, connecting, redirects, the last byte of the body.
    package var timeout: Duration
    /// Bytes of the body that are taken, after decompression.
    package var maximumBytes: Int
    package var maximumRedirects: Int
    /// For addresses that an operator configured, such as a model server on this machine. Holds for this address's own
    /// origin: a redirect elsewhere is checked as usual.
    package var allowsPrivateAddresses: Bool

    package init(
        method: String = "GET", url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
        timeout: Duration = .seconds(30), maximumBytes: Int = 4 << 20, maximumRedirects: Int = 5,
        allowsPrivateAddresses: Bool = false
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.maximumBytes = maximumBytes
        self.maximumRedirects = maximumRedirects
        self.allowsPrivateAddresses = allowsPrivateAddresses
    }
}

extension OutboundRequest: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String {
        "\(method) \(OutboundURL.withoutSecrets(url)), \(headers.count) headers, \(body?.count ?? 0) bytes"
    }

    package var debugDescription: String { description }
}
