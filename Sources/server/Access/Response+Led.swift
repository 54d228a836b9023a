internal import HTTPTypes
internal import Hummingbird

extension Response {
    /// Leads a browser on to a page of this service after it sent a form. Nothing keeps the reply.
    ///
    /// - Parameter cookie: what `Set-Cookie` says; nil for nothing.
    static func led(to path: String, cookie: String? = nil) -> Response {
        var headers: HTTPFields = [.location: path, .cacheControl: "no-store"]
        headers[.setCookie] = cookie
        return Response(status: .seeOther, headers: headers)
    }

    /// As of its header fields.
    mutating func clearBrowserStorage() { headers.clearBrowserStorage() }
}

extension HTTPFields {
    /// Has the browser forget what the service's pages keep in its storage: answers, texts and results are not for who
    /// uses a shared computer next. Only for who is or was signed in: with a cookie, no other site can have sent the
    /// request.
    mutating func clearBrowserStorage() { self[.clearSiteData] = "\"storage\"" }
}
