/// Why there is no answer from a server outside, in a form that callers can act on and people can read.
///
/// Names hosts and paths, but no query, header or body: those may hold keys.
package struct OutboundError: Error, Sendable, Equatable {
    /// The bounded set of reasons; raw values serve as metric labels.
    package enum Code: String, Sendable, CaseIterable {
        case invalidURL = "invalid_url"
        /// Neither http nor https.
        case unsupportedScheme = "unsupported_scheme"
        /// A method, header or limit that cannot be sent as it is.
        case invalidRequest = "invalid_request"
        /// The name leads to an address that is not to be reached from here.
        case forbiddenAddress = "forbidden_address"
        /// A redirect from https to http.
        case forbiddenRedirect = "forbidden_redirect"
        case notResolved = "not_resolved"
        case notConnected = "not_connected"
        case tls
        case timedOut = "timed_out"
        /// More body or header fields than allowed.
        case tooLarge = "too_large"
        case tooManyRedirects = "too_many_redirects"
        /// The connection ended before the answer did.
        case cutOff = "cut_off"
        /// What came is not the protocol.
        case protocolViolation = "protocol_violation"
        case cancelled
        /// The engine is closed or closing.
        case closed
        /// More transfers wait than the engine accepts.
        case overloaded
        case other
    }

    package let code: Code
    /// What happened, in one clause.
    package let message: String
    /// How to mend it, as an instruction, where there is one.
    package let mend: String?

    package init(_ code: Code, _ message: String, mend: String? = nil) {
        self.code = code
        self.message = message
        self.mend = mend
    }

    /// Whether the same request may succeed later without anybody mending anything.
    package var isTransient: Bool {
        switch code {
        case .notResolved, .notConnected, .timedOut, .cutOff, .overloaded: true
        default: false
        }
    }
}

extension OutboundError: CustomStringConvertible {
    package var description: String { mend.map { "\(message). \($0)" } ?? message }
}
