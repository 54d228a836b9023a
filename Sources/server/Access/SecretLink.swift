internal import Hummingbird

/// A link that has a secret in its address: to sign in as the first administrator, or one that is mailed.
enum SecretLink {
    /// For its page: nobody is told more of its address than whose it is. With `no-referrer` a browser would send the page's
    /// own form with `Origin: null` (Fetch, “append a request `Origin` header”), and one that sends no `Sec-Fetch-Site` could
    /// not use the link.
    static let referrerPolicy = "strict-origin"

    private static let field = "token"
    private static let pages: Set<String> = ["/reset-password", "/sign-in/link", "/verify-address"]

    /// The secret; nil for an address without one, which is what is left of a link that a mail program cut off. What mail
    /// programs and gateways append to links is not looked at.
    static func token(in request: Request) throws -> String? {
        try request.readQuery(only: [field]) { $0.string(field, maxBytes: AuthRoutes.maximumBytes) }
    }

    /// Where the page of `path` is opened again: with the secret that the request has, where it is the page of a link.
    static func again(_ path: String, _ request: Request) -> String {
        guard pages.contains(path), let secret = try? Self.token(in: request), secret.utf8.allSatisfy(isOfSecrets)
        else { return path }
        return "\(path)?\(field)=\(secret)"
    }

    /// The bytes of base64url, which stand in an address as they are.
    private static func isOfSecrets(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
        default: false
        }
    }
}
