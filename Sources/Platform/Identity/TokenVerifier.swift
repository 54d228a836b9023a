package import Foundation
internal import JWTKit
internal import Store

/// Tokens of an identity provider (JWT, RFC 7519) to principals, along RFC 8725.
///
/// jwt-kit does the arithmetic of the signatures. Which key a signature is checked with is decided here, from what the
/// settings say and never from the token alone: a key has one algorithm, so that a public key is never taken for the
/// secret of HS256, and `none` is none.
package struct TokenVerifier: Sendable {
    static let maximumBytes = 16 << 10
    private static let maximumUserBytes = 128
    private static let maximumScopes = 64

    private let settings: TokenPolicy
    private let secret: TokenKey?
    private let file: KeySetFile?
    private let clock: @Sendable () -> Date

    /// - Throws: `IdentityError` of code `invalidSettings` where secret or key set cannot be used, or there is neither.
    package init(_ settings: TokenPolicy, clock: @escaping @Sendable () -> Date = { Date() }) async throws {
        guard settings.secret != nil || settings.keySetFile != nil else {
            throw IdentityError(.invalidSettings, "tokens need a secret for HS256 or a file with a key set")
        }
        if let secret = settings.secret {
            guard secret.count >= TokenPolicy.minimumSecretBytes else {
                throw IdentityError(
                    .invalidSettings,
                    "the secret of tokens has \(secret.count) bytes; HS256 needs \(TokenPolicy.minimumSecretBytes) at least"
                )
            }
            self.secret = try await TokenKey.hmac(secret)
        } else {
            secret = nil
        }
        if let path = settings.keySetFile {
            file = try await KeySetFile(path: path)
        } else {
            file = nil
        }
        self.settings = settings
        self.clock = clock
    }

    /// What became of the key set's file; nil where there is none.
    package var statistics: TokenStatistics? { file?.statistics }

    /// The same, once the file was looked at: without it, that happens when a token comes.
    package func refresh() async -> TokenStatistics? {
        _ = await file?.current()
        return statistics
    }

    /// Who a token is.
    ///
    /// - Throws: `IdentityError` of code `invalidCredential` or `expired`.
    package func principal(of token: String) async throws(IdentityError) -> Principal {
        guard token.utf8.count <= Self.maximumBytes else { throw Self.refusal("is longer than 16 KiB") }
        let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let head = Base64URL.bytes(of: parts[0]), let body = Base64URL.bytes(of: parts[1]),
            let signature = Base64URL.bytes(of: parts[2]),
            let header = try? JSONDecoder().decode(TokenHeader.self, from: Data(head))
        else { throw Self.refusal("is not of the form of a JWT") }
        let key = try await key(for: header)
        let signed = Array(token.utf8.prefix(parts[0].count + 1 + parts[1].count))
        guard (try? key.verifier.verify(signature, signs: signed)) == true else {
            throw Self.refusal("has a signature that does not fit")
        }
        guard let claims = try? JSONDecoder().decode(TokenClaims.self, from: Data(body)) else {
            throw Self.refusal("has claims that are no JSON object")
        }
        try checkTimes(claims)
        try checkParties(claims)
        return try principal(claims)
    }

    private func key(for header: TokenHeader) async throws(IdentityError) -> TokenKey {
        guard let algorithm = TokenAlgorithm(rawValue: header.algorithm) else {
            throw Self.refusal("is signed by an algorithm that is not accepted")
        }
        guard !header.isCritical else { throw Self.refusal("demands extensions that are not known") }
        // Logout tokens and the like are signed by the same keys and are no credentials (RFC 8725, section 3.11).
        let types = ["jwt", "at+jwt", "application/at+jwt", "application/jwt"]
        guard header.type.map({ types.contains($0.lowercased()) }) ?? true else {
            throw Self.refusal("is of a type that is no credential")
        }
        switch algorithm {
        case .hs256:
            if let secret { return secret }
        case .rs256, .es256:
            if let key = await file?.current().key(id: header.keyID, algorithm: algorithm) { return key }
        }
        throw Self.refusal("is signed by a key that is not known")
    }

    private func checkTimes(_ claims: TokenClaims) throws(IdentityError) {
        let now = clock().timeIntervalSince1970
        guard let end = claims.values["exp"]?.seconds else { throw Self.refusal("has no time at which it ends (exp)") }
        guard now < end + settings.leewaySeconds else {
            throw IdentityError(.expired, "the token has ended; get a new one")
        }
        guard let start = claims.values["nbf"], start != .null else { return }
        guard let start = start.seconds, now >= start - settings.leewaySeconds else {
            throw Self.refusal("does not hold yet (nbf)")
        }
    }

    private func checkParties(_ claims: TokenClaims) throws(IdentityError) {
        if let issuer = settings.issuer, claims.values["iss"] != .text(issuer) {
            throw Self.refusal("is of another issuer (iss)")
        }
        if let audience = settings.audience, !(claims.values["aud"]?.texts ?? []).contains(audience) {
            throw Self.refusal("is for another service (aud)")
        }
    }

    private func principal(_ claims: TokenClaims) throws(IdentityError) -> Principal {
        let named = claims[settings.roleClaim]?.texts ?? []
        // Of several roles the one that sees most. Unknown names count for nothing: providers have their own.
        let role = Role.ofKeys.last { named.contains($0.rawValue) } ?? .user
        let userID: String?
        switch claims[settings.userClaim] {
        case .text(let text): userID = text
        case .integer(let number): userID = String(number)
        case nil: userID = nil
        default: throw Self.refusal("names its user by something other than text")
        }
        if let userID {
            guard (1...Self.maximumUserBytes).contains(userID.utf8.count),
                userID.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7F })
            else { throw Self.refusal("names its user by a text that is empty, too long, or has spaces") }
        } else if role == .user || role == .educator {
            throw Self.refusal("names no user (\(settings.userClaim))")
        }
        return Principal(role: role, userID: userID, scopes: try scopes(claims), credential: .token)
    }

    private func scopes(_ claims: TokenClaims) throws(IdentityError) -> Set<String> {
        guard let name = settings.scopeClaim else { return [] }
        let words: [String]
        switch claims[name] {
        case .text(let text): words = text.split(separator: " ").map(String.init)
        case .list(let list) where list.allSatisfy({ $0.texts?.count == 1 }): words = list.flatMap { $0.texts ?? [] }
        default: words = []
        }
        // No scopes at all would mean “not limited”.
        guard !words.isEmpty, words.count <= Self.maximumScopes else {
            throw Self.refusal("has no usable scopes (\(name))")
        }
        return Set(words)
    }

    private static func refusal(_ reason: String) -> IdentityError {
        IdentityError(.invalidCredential, "the token \(reason)")
    }
}
