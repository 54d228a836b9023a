internal import Crypto
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
        // Whether an address is taken is something that a network may ask a few times, as it may guess a few times.
        try await signIns.countAgainst(address: address)
        do {
            let user = try await createUser(email: email, password: password, name: name, role: .user)
            try await signIns.forgive(address: address)
            return try await begin(user)
        } catch let error as IdentityError where error.code != .emailTaken {
            // Mistakes in typing tell nobody anything.
            try await signIns.forgive(address: address)
            throw error
        }
    }

    /// Signs somebody in by address and password.
    ///
    /// - Throws: `IdentityError` of code `invalidCredential`, `locked`, `overloaded` or `disabled`; `StoreError`.
    package func signIn(email: String, password: String, address: String?) async throws -> SignedIn {
        try await begin(try await signIns.authenticate(email: email, password: password, address: address))
    }

    /// Signs somebody in by a link, which is used up.
    ///
    /// - Throws: `IdentityError` of code `invalidCredential` or `disabled`; `StoreError`.
    package func signIn(link: String) async throws -> SignedIn {
        guard WebSessions.isToken(link), let userID = try await links.take(hash: Self.linkHash(of: link)),
            let user = try await users.user(id: userID)
        else {
            throw IdentityError(
                .invalidCredential, "the link was used already or has ended; start the service anew for another")
        }
        guard user.state == .active else {
            throw IdentityError(.disabled, "the account is disabled; ask who runs the service")
        }
        return try await begin(user)
    }

    /// The secret of a link that signs the first administrator in, once, within the hour; nil where an administrator has
    /// a password or a key. A new one ends those before it.
    package func makeAdminLink() async throws -> String? {
        let link = Base64URL.text(of: random(WebSessions.tokenBytes))
        let isMade = try await links.createForFirstAdmin(
            hash: Self.linkHash(of: link), expiresAt: clock().addingTimeInterval(Self.adminLinkSeconds))
        return isMade ? link : nil
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

    /// Gives somebody another password, who proves to know the one there is, and ends their other web sessions.
    ///
    /// - Parameters:
    ///   - current: not asked of an account that has none yet, such as the one that a link signed in.
    ///   - kept: the token of the session that goes on.
    /// - Throws: `IdentityError` of code `invalidCredential`, `locked`, `overloaded`, `weakPassword` or `notFound`.
    package func changePassword(
        userID: String, current: String?, new: String, address: String?, keeping kept: String?
    ) async throws {
        let user = try await existingUser(userID)
        try PasswordRules.check(new, email: user.email.flatMap { try? EmailAddress($0) }, name: user.name)
        if user.passwordHash != nil { try await signIns.confirm(user, password: current ?? "", address: address) }
        let hash = try await hasher.hash(new)
        guard try await users.setPasswordHash(hash, of: userID, replacing: user.passwordHash) else {
            throw IdentityError(.invalidCredential, "the password was changed meanwhile; sign in again")
        }
        try await sessions.endAll(of: userID, except: kept)
    }

    private func begin(_ user: UserRecord) async throws -> SignedIn {
        let token = try await sessions.create(userID: user.id)
        try await users.recordSignIn(of: user.id)
        return SignedIn(
            token: token, csrfToken: WebSessions.csrfToken(for: token), user: user,
            expiresAt: clock().addingTimeInterval(WebSessions.longestSeconds))
    }

    private static func linkHash(of link: String) -> String {
        Hexadecimal.text(of: SHA256.hash(data: Array("pathlight link 1\n\(link)".utf8)))
    }
}
