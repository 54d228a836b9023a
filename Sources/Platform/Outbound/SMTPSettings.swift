/// How mail leaves: one server, and how to speak to it.
package struct SMTPSettings: Sendable {
    package enum Security: String, Sendable, CaseIterable {
        /// A plain beginning, then TLS or nothing (RFC 3207); port 587.
        case startTLS = "starttls"
        /// TLS from the first byte (RFC 8314); port 465.
        case tls
        /// For a server on this machine alone.
        case plain
    }

    package var host: String
    package var port: Int
    package var security: Security
    package var user: String?
    package var password: OutboundSecret?
    /// The name by which the client introduces itself; nil says what the system is called.
    package var clientName: String?
    /// A file of certificates to trust instead of the system's.
    package var authorities: String?
    /// For one mail, from the submission to the server's last word.
    package var timeout: Duration

    package init(
        host: String, port: Int, security: Security = .startTLS, user: String? = nil, password: OutboundSecret? = nil,
        clientName: String? = nil, authorities: String? = nil, timeout: Duration = .seconds(60)
    ) {
        self.host = host
        self.port = port
        self.security = security
        self.user = user
        self.password = password
        self.clientName = clientName
        self.authorities = authorities
        self.timeout = timeout
    }

    /// The server as curl names it.
    ///
    /// - Throws: `invalid` for a host, port, name or credential that cannot be meant.
    func url() throws(MailTransportError) -> String {
        let isAddress6 = host.contains(":") && IPAddress(host) != nil
        guard isAddress6 || Self.isHost(host) else {
            throw MailTransportError(
                .invalid, "the mail server's name is none", mend: "Give a host name or an address.")
        }
        guard (1...65535).contains(port) else {
            throw MailTransportError(
                .invalid, "\(port) is no port", mend: "Mail servers use 587 (STARTTLS) or 465 (TLS).")
        }
        guard timeout > .zero, timeout <= .seconds(3600) else {
            throw MailTransportError(.invalid, "the time for one mail is not above 0 and at most an hour")
        }
        for text in [user, password?.exposed].compactMap({ $0 }) {
            guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
                throw MailTransportError(.invalid, "the mail server's user or password has control characters")
            }
        }
        guard (user == nil) == (password == nil) else {
            throw MailTransportError(.invalid, "of the mail server's user and password one is missing")
        }
        let scheme = security == .tls ? "smtps" : "smtp"
        var url = "\(scheme)://\(isAddress6 ? "[\(host)]" : host):\(port)"
        if let clientName {
            guard Self.isHost(clientName) else {
                throw MailTransportError(.invalid, "“\(clientName)” is no name by which to introduce oneself")
            }
            url += "/\(clientName)"
        }
        return url
    }

    private static func isHost(_ text: String) -> Bool {
        (1...253).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: "-")
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}
