package import HTTPTypes

/// The cookie that holds a web session's token.
package struct SessionCookie: Sendable, Equatable {
    /// As long as a session lasts at most; when it ends before, the service says so.
    private static let lifetimeSeconds = 60 * 86_400

    /// Whether browsers reach the service by TLS. `__Host-` then keeps other hosts of the same domain from setting it.
    package let isSecure: Bool

    package init(isSecure: Bool) { self.isSecure = isSecure }

    package var name: String { isSecure ? "__Host-pathlight" : "pathlight" }

    private var attributes: String { "; Path=/; HttpOnly; SameSite=Lax" + (isSecure ? "; Secure" : "") }

    /// The value of `Set-Cookie` that signs a browser in.
    package func setting(_ token: String) -> String { "\(name)=\(token)\(attributes); Max-Age=\(Self.lifetimeSeconds)" }

    /// The value of `Set-Cookie` that signs a browser out.
    package var clearing: String { "\(name)=\(attributes); Max-Age=0" }

    /// The token that a request carries, or nil.
    ///
    /// - Throws: `HTTPProblem` (`two_credentials`) where it carries several: one was slipped in by somebody else, and
    ///   nothing tells which (RFC 6265, section 8.6).
    package func token(in fields: HTTPFields) throws(HTTPProblem) -> String? {
        var found: String?
        for field in fields[values: .cookie] {
            for pair in field.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, parts[0].trimmingPrefix(while: { $0 == " " }) == name, !parts[1].isEmpty else {
                    continue
                }
                guard found == nil else {
                    throw HTTPProblem(
                        .twoCredentials, "The cookie `\(name)` comes twice; delete both and sign in again.")
                }
                found = String(parts[1])
            }
        }
        return found
    }
}
