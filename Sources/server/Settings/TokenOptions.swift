/// Which JSON Web Tokens are accepted: none, unless a secret or a key set is named.
package struct TokenOptions: Sendable, Equatable {
    /// A file whose content is the secret of HS256.
    package var secretFile: String?
    /// A file with the public keys of RS256 and ES256 (RFC 7517).
    package var jwksFile: String?
    package var issuer: String?
    package var audience: String?
    /// The claims that hold who it is and what they may do.
    package var userClaim = "sub"
    package var roleClaim = "role"

    package init() {}

    /// Whether tokens are accepted at all.
    package var isSet: Bool { secretFile != nil || jwksFile != nil }
}
