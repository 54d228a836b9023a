/// One hop of a request: what is sent to which address. The next follows from this one and the answer.
package struct OutboundHop: Sendable {
    package var url: OutboundURL
    package var method: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]?

    package init(url: OutboundURL, method: String, headers: [(name: String, value: String)], body: [UInt8]?) {
        self.url = url
        self.method = method
        self.headers = headers
        self.body = body
    }

    /// The hop that a redirect asks for, or nil where the answer is none.
    ///
    /// - Throws: `forbiddenRedirect`, or `invalidURL` and `unsupportedScheme` for where it leads.
    package func next(status: Int, headers answer: OutboundHeaders) throws(OutboundError) -> OutboundHop? {
        guard [301, 302, 303, 307, 308].contains(status), let location = answer["location"], !location.isEmpty else {
            return nil
        }
        var next = self
        next.url = try url.redirected(to: location)
        guard url.scheme != "https" || next.url.scheme == "https" else {
            throw OutboundError(
                .forbiddenRedirect, "\(url.host) redirects from https to http",
                mend: "Give the address that the redirect ends at, if it is meant.")
        }
        // RFC 9110, 15.4: 303 asks for another resource by GET; for 301 and 302 that is what all do after a POST.
        if status == 303 ? !["GET", "HEAD"].contains(method) : status < 303 && method == "POST" {
            next.method = "GET"
            next.body = nil
            next.headers = FieldRules.withoutBody(next.headers)
        }
        // Once left out, a key does not come back, also where the next redirect leads home.
        if !url.isSameOrigin(as: next.url) { next.headers = FieldRules.crossOrigin(next.headers) }
        return next
    }
}
