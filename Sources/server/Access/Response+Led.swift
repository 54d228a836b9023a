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
}
