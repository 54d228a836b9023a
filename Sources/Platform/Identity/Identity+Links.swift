internal import Crypto
package import Foundation
package import Store

/// Links that are mailed to the address of an account.
extension Identity {
    /// How long a link to set another password holds.
    package static let resetLinkSeconds: TimeInterval = 3_600
    /// How long a link holds that shows that an address is one's own; people look at such mail later.
    package static let verificationLinkSeconds: TimeInterval = 3 * 86_400

    private static let doesNotHold = IdentityError(
        .invalidLink, "the link was used already, has ended, or was cut off; ask for another")

    /// The secret of a new link, 32 random bytes. It is nowhere else: stored is its hash.
    ///
    /// Links of one purpose that were made before hold beside it until one is used, since the message with an earlier one
    /// may be the one that arrives.
    ///
    /// - Throws: `StoreError` of code `foreignKeyViolation` where there is no such user.
    package func makeLink(_ purpose: LinkPurpose, for userID: String) async throws -> String {
        let secret = Base64URL.text(of: random(WebSessions.tokenBytes))
        let seconds = purpose == .addressVerification ? Self.verificationLinkSeconds : Self.resetLinkSeconds
        try await links.create(
            hash: Self.linkHash(of: secret, for: purpose), userID: userID, purpose: purpose,
            expiresAt: clock().addingTimeInterval(seconds))
        return secret
    }

    /// Whether a link holds; asking does not use it up.
    package func holds(link: String, for purpose: LinkPurpose) async throws -> Bool {
        guard WebSessions.isToken(link) else { return false }
        return try await links.owner(hash: Self.linkHash(of: link, for: purpose), purpose: purpose) != nil
    }

    /// Gives the account of a link another password, which uses the link up, signs out everywhere and lifts the account's
    /// lock-out: who guessed passwords must not keep the owner out.
    ///
    /// - Returns: the account as it is now; signing in is left to its owner.
    /// - Throws: `IdentityError` of code `invalidLink`, `weakPassword`, which leaves the link, or `overloaded`;
    ///   `StoreError`.
    @discardableResult
    package func resetPassword(link: String, to password: String) async throws -> UserRecord {
        guard WebSessions.isToken(link) else { throw Self.doesNotHold }
        let linkHash = Self.linkHash(of: link, for: .passwordReset)
        // Looked at first: a hash of a password is work that nobody does for a link that does not hold.
        guard let owner = try await links.owner(hash: linkHash, purpose: .passwordReset),
            let user = try await users.user(id: owner), let email = user.email, user.state == .active
        else { throw Self.doesNotHold }
        try PasswordRules.check(password, email: try? EmailAddress(email), name: user.name)
        let passwordHash = try await hasher.hash(password)
        let reset = try await users.resetPassword(
            link: linkHash, to: passwordHash, forgetting: signIns.accountSubject(email))
        guard let id = reset, let changed = try await users.user(id: id) else { throw Self.doesNotHold }
        return changed
    }

    /// Notes that the address of a link's account is its owner's, which uses the link up.
    ///
    /// - Throws: `IdentityError` of code `invalidLink`; `StoreError`.
    package func verifyAddress(link: String) async throws {
        guard WebSessions.isToken(link) else { throw Self.doesNotHold }
        let hash = Self.linkHash(of: link, for: .addressVerification)
        guard try await users.verifyEmail(link: hash) != nil else { throw Self.doesNotHold }
    }

    /// The purpose goes into the hash, so that a link would not even be found as one of another purpose.
    static func linkHash(of link: String, for purpose: LinkPurpose) -> String {
        let context = purpose == .signIn ? "pathlight link 1" : "pathlight link 1 \(purpose.rawValue)"
        return Hexadecimal.text(of: SHA256.hash(data: Array("\(context)\n\(link)".utf8)))
    }
}
