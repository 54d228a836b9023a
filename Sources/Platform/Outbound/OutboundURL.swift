internal import CCurl

/// An http or https address, read by the parser that will use it: what is checked is what is connected to.
package struct OutboundURL: Sendable, Equatable {
    static let maximumLength = 8192

    /// `http` or `https`.
    package let scheme: String
    /// A name in lower case, or an address as curl writes it: `127.0.0.1` for `0x7f.1`, `[::1]` for IPv6.
    package let host: String
    package let port: Int
    let path: String
    /// The whole, without fragment, as curl writes it.
    package let text: String

    /// Reads an absolute address.
    ///
    /// - Throws: `invalidURL` or `unsupportedScheme`.
    package init(_ text: String) throws(OutboundError) {
        try self.init(text, relativeTo: nil)
    }

    /// Reads where a redirect leads, which may be relative.
    package func redirected(to location: String) throws(OutboundError) -> OutboundURL {
        try OutboundURL(location, relativeTo: self)
    }

    private init(_ given: String, relativeTo base: OutboundURL?) throws(OutboundError) {
        let what = base == nil ? "the address" : "the address that a redirect leads to"
        guard given.utf8.count <= Self.maximumLength else {
            throw OutboundError(.invalidURL, "\(what) is longer than \(Self.maximumLength) bytes")
        }
        // C would stop reading at NUL, and a line break would end the request's first line.
        guard !given.isEmpty, given.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw OutboundError(.invalidURL, "\(what) is empty or has control characters")
        }
        guard let parser = CurlURLParser() else { throw OutboundError(.other, "curl has no memory for an address") }
        if let base { try parser.read(base.text, UInt32(CURLU_DISALLOW_USER), what) }
        // A browser sends what a redirect says with spaces and letters beyond ASCII encoded, and so do we.
        let lenient = base == nil ? 0 : CURLU_URLENCODE | CURLU_ALLOW_SPACE
        try parser.read(given, UInt32(CURLU_DISALLOW_USER) | UInt32(lenient), what)
        guard let scheme = parser.part(CURLUPART_SCHEME)?.lowercased(), scheme == "http" || scheme == "https" else {
            throw OutboundError(
                .unsupportedScheme, "\(what) is neither http nor https", mend: "Give an http:// or https:// address.")
        }
        parser.remove(CURLUPART_FRAGMENT)
        guard let host = parser.part(CURLUPART_HOST), !host.isEmpty,
            let port = parser.part(CURLUPART_PORT, UInt32(CURLU_DEFAULT_PORT)).flatMap({ Int($0) }),
            (1...65535).contains(port),
            let path = parser.part(CURLUPART_PATH), let text = parser.part(CURLUPART_URL)
        else { throw OutboundError(.invalidURL, "\(what) names no host or no possible port") }
        // A name that ends in a dot is the same host, and would miss a list of names.
        self.host = (host.hasSuffix(".") ? String(host.dropLast()) : host).lowercased()
        self.scheme = scheme
        self.port = port
        self.path = path
        self.text = text
    }

    /// Scheme, host and port: what keys and cookies are bound to (RFC 6454).
    func isSameOrigin(as other: OutboundURL) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }

    /// The address where the host is written as one, not a name.
    var literal: IPAddress? {
        guard host.hasPrefix("["), host.hasSuffix("]") else { return IPAddress(host) }
        return IPAddress(String(host.dropFirst().dropLast().prefix { $0 != "%" }))
    }

    /// For messages: without the query, which may hold a key.
    package var shown: String { Self.withoutSecrets(text) }

    /// `text` without query, fragment and what stands before an `@`, whether or not it is an address.
    package static func withoutSecrets(_ text: String) -> String {
        let plain = text.prefix { $0 != "?" && $0 != "#" }
        guard let at = plain.lastIndex(of: "@") else { return String(plain) }
        return "(secret)" + plain[at...]
    }
}

/// curl's parser of addresses, freed once.
@safe
private struct CurlURLParser: ~Copyable {
    private let handle: OpaquePointer

    init?() {
        guard let handle = unsafe curl_url() else { return nil }
        unsafe self.handle = handle
    }

    deinit {
        // SAFETY: the handle is this value's own, and this is its end.
        unsafe curl_url_cleanup(handle)
    }

    func read(_ text: String, _ flags: UInt32, _ what: String) throws(OutboundError) {
        // SAFETY: the handle lives, and curl copies the text.
        let code = unsafe curl_url_set(handle, CURLUPART_URL, text, flags)
        switch code {
        case CURLUE_OK: return
        case CURLUE_UNSUPPORTED_SCHEME:
            throw OutboundError(
                .unsupportedScheme, "\(what) is neither http nor https", mend: "Give an http:// or https:// address.")
        case CURLUE_USER_NOT_ALLOWED:
            throw OutboundError(
                .invalidURL, "\(what) has a user name or password in it", mend: "Send credentials in a header.")
        default:
            // SAFETY: a text that curl keeps for ever.
            let reason = unsafe curl_url_strerror(code).map { unsafe String(cString: $0) } ?? "unknown reason"
            throw OutboundError(.invalidURL, "\(what) is no valid address: \(reason)")
        }
    }

    func part(_ part: CURLUPart, _ flags: UInt32 = 0) -> String? {
        var found: UnsafeMutablePointer<CChar>?
        // SAFETY: curl gives a text of its own allocation, which is copied and then freed once.
        guard unsafe curl_url_get(handle, part, &found, flags) == CURLUE_OK, let text = unsafe found else { return nil }
        defer { unsafe curl_free(text) }
        return unsafe String(cString: text)
    }

    func remove(_ part: CURLUPart) {
        // SAFETY: the handle lives; a null text removes the part.
        _ = unsafe curl_url_set(handle, part, nil, 0)
    }
}
