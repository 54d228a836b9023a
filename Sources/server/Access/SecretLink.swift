internal import Hummingbird

/// A link that has a secret in its address: to sign in as the first administrator, or one that is mailed.
enum SecretLink {
    /// For its page: nobody is told more of its address than whose it is. With `no-referrer` a browser would send the page's
    /// own form with `Origin: null` (Fetch, “append a request `Origin` header”), and one that sends no `Sec-Fetch-Site` could
    /// not use the link.
    static let referrerPolicy = "strict-origin"

    /// The secret; nil for an address without one, which is what is left of a link that a mail program cut off.
    static func token(in request: Request) throws -> String? {
        try request.readQuery { $0.string("token", maxBytes: AuthRoutes.maximumBytes) }
    }
}
