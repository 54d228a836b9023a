internal import Store

/// The address under which people reach the service, for links that leave it: in mail, on a terminal.
///
/// It comes from the settings, or from where the service listens if that is this machine alone. What a request says of
/// the host is never looked at: whoever asks for a link could have it lead to their own machine.
package final class PublicAddress: Sendable {
    private let fixed: String?
    private let loopbackHost: String?
    private let port: Guarded<Int?>

    /// - Parameters:
    ///   - publicURL: of the settings, `https://careers.example.org`; comes before everything else.
    ///   - loopbackHost: what the service listens on where only this machine reaches it, nil where others do.
    ///   - port: nil or 0 where it is not known before `listens`.
    package init(publicURL: String?, loopbackHost: String?, port: Int? = nil) {
        var url = publicURL
        while url?.utf8.last == UInt8(ascii: "/") { url?.removeLast() }
        fixed = url
        self.loopbackHost = loopbackHost
        self.port = Guarded(port == 0 ? nil : port)
    }

    /// Whether there is an address, or will be once the service listens.
    package var isKnown: Bool { fixed != nil || loopbackHost != nil }

    /// Scheme, host and port, without a slash at the end; nil where none is known, or not yet.
    package var base: String? {
        if let fixed { return fixed }
        guard let loopbackHost, let port = port.withLock({ $0 }) else { return nil }
        return Self.loopback(host: loopbackHost, port: port)
    }

    /// Says which port the service has got.
    package func listens(on port: Int) { self.port.withLock { $0 = port } }

    /// The address of this machine.
    package static func loopback(host: String, port: Int) -> String {
        let isBareV6 = host.contains(":") && !host.hasPrefix("[")
        return "http://\(isBareV6 ? "[\(host)]" : host):\(port)"
    }
}
