internal import Foundation

/// Which tokens of an identity provider are accepted, and what they say of whom.
package struct TokenPolicy: Sendable {
    /// Of HS256, shared with the provider: 32 bytes at least. Nil where HS256 is not accepted.
    package var secret: [UInt8]?
    /// A file of public keys (JWKS, RFC 7517) for RS256 and ES256. Nil where they are not accepted.
    package var keySetFile: String?
    /// What `iss` must be; nil where it is not looked at.
    package var issuer: String?
    /// What `aud` must be or contain; nil where it is not looked at.
    package var audience: String?
    /// The claim that names the user. Names with dots (`realm_access.roles`) lead into objects, where no claim has
    /// that very name.
    package var userClaim = "sub"
    /// The claim that names the role, or a list with the role in it. Without it, or with none that is known here, the
    /// token is a user's.
    package var roleClaim = "role"
    /// The claim that limits the token: words with spaces between them, or a list. Nil by default: providers say
    /// `openid profile` there, which means nothing here and would limit every token to nothing.
    package var scopeClaim: String?
    /// By how much the clocks of provider and service may differ.
    package var leewaySeconds: Double = 60

    package init() {}

    static let minimumSecretBytes = 32
}

extension TokenPolicy: CustomStringConvertible, CustomReflectable {
    package var description: String {
        "tokens by \(secret == nil ? "no secret" : "a secret") and \(keySetFile ?? "no key set")"
    }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
