package import Foundation
package import Store

/// Somebody who has just signed in.
package struct SignedIn: Sendable {
    /// For the cookie.
    package let token: String
    /// For the session's forms.
    package let csrfToken: String
    package let user: UserRecord
    /// When the session ends at the latest.
    package let expiresAt: Date
}

extension SignedIn: CustomStringConvertible, CustomReflectable {
    package var description: String { "\(user) has signed in" }
    package var customMirror: Mirror { Mirror(self, children: ["user": user]) }
}

extension Identity {
    /// How long a link that is printed at the start holds.
    static let adminLinkSeconds: TimeInterval = 3_600

    /// Makes an account and signs it in.
    ///
    /// - Parameter address: the client's, of the network.
    /// - Throws: `IdentityError` of code `invalidEmail`, `emailTaken`, `weakPassword`, `invalidName`, `locked` or
    ///   `overloaded`; `StoreError`.
    package func signUp(email: String, password: String, name: String?, address: String?) async throws -> SignedIn {
        let account = try NewAccount(email: email, password: password, name: name, role: .user)
        // Past the mistakes in typing, every answer tells whether the address is taken, and accounts cost as well.
        try await signIns.countSignUp(address: address)
        return try await begin(try await create(account, by: .newcomer))
    }

    /// Signs somebody in by address and password.
    ///
    /// - Throws: `IdentityError` of code `invalidCredential`, `locked`, `overloaded` or `disabled`; `StoreError`. Where the
    ///   account has got another password while this one was looked at, it is `invalidCredential` too.
    package func signIn(email: String, password: String, address: String?) async throws -> SignedIn {
        try await begin(try await signIns.authenticate(email: email, password: password, address: address))
    }

    /// Signs somebody in by a link, which is used up.
    ///
    /// - Throws: `IdentityError` of code `invalidCredential` or `disabled`; `StoreError`.
    package func signIn(link: String) async throws -> SignedIn {
        guard WebSessions.isToken(link),
            let userID = try await links.takeForFirstAdmin(hash: Self.linkHash(of: link, for: .signIn)),
            let user = try await users.user(id: userID)
        else { throw try await refusedLink() }
        guard user.state == .active else {
            throw IdentityError(.disabled, "the account is disabled; ask who runs the service")
        }
        return try await begin(user)
    }

    /// Where there is an administrator, no start makes another link.
    private func refusedLink() async throws -> IdentityError {
        guard try await links.hasAdministrator() else {
            return IdentityError(
                .invalidCredential, "the link was used already or has ended; start the service anew for another")
        }
        return IdentityError(
            .invalidCredential, "the link does not hold, since there is an administrator; sign in, or ask them")
    }

    /// The secret of a link that signs the first administrator in, once, within the hour; nil where an administrator has
    /// a password or a key. A new one ends those before it.
    package func makeAdminLink() async throws -> String? {
        let link = Base64URL.text(of: random(WebSessions.tokenBytes))
        let isMade = try await links.createForFirstAdmin(
            hash: Self.linkHash(of: link, for: .signIn), expiresAt: clock().addingTimeInterval(Self.adminLinkSeconds))
        return isMade ? link : nil
    }

    /// Whether the first administrator's link still signs in. Once somebody has an administrator's password or key, it
    /// is taken back and does not.
    package func holds(adminLink link: String) async throws -> Bool {
        try await links.holdsForFirstAdmin(hash: Self.linkHash(of: link, for: .signIn))
    }

    /// Ends a web session.
    package func signOut(token: String) async throws { try await sessions.end(token) }

    /// Ends the web sessions of a user, but for that of a token where one is given.
    ///
    /// - Returns: how many ended.
    @discardableResult
    package func signOutEverywhere(userID: String, except token: String? = nil) async throws -> Int {
        try await sessions.endAll(of: userID, except: token)
    }

    /// Gives somebody another password, who proves to know the one there is, and ends their other web sessions and the
    /// links to set another.
    ///
    /// - Parameters:
    ///   - current: not asked of an account that has none yet, such as the one that a link signed in.
    ///   - kept: the token of the session that goes on.
    /// - Throws: `IdentityError` of code `invalidCredential`, `locked`, `overloaded`, `weakPassword`,
    ///   `invalidEmail` for an account that could not sign in with one, or `notFound`.
    package func changePassword(
        userID: String, current: String?, new: String, address: String?, keeping kept: String?
    ) async throws {
        var user = try await existingUser(userID)
        guard let email = user.email else { throw Self.noAddress }
        try PasswordRules.check(new, email: try? EmailAddress(email), name: user.name)
        if user.passwordHash != nil {
            user = try await signIns.confirm(user, password: current ?? "", address: address)
        }
        let hash = try await hasher.hash(new)
        let isReplaced = try await users.replacePassword(
            with: hash, of: userID, replacing: .exactly(user.passwordHash), keeping: kept.map(WebSessions.hash))
        guard isReplaced else {
            throw IdentityError(.invalidCredential, "the password was changed meanwhile; sign in again")
        }
    }

    private func begin(_ user: UserRecord) async throws -> SignedIn {
        let token = try await sessions.create(userID: user.id, passwordHash: user.passwordHash)
        try await users.recordSignIn(of: user.id)
        return SignedIn(
            token: token, csrfToken: WebSessions.csrfToken(for: token), user: user,
            expiresAt: clock().addingTimeInterval(WebSessions.longestSeconds))
    }
}
