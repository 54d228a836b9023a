package import Foundation
package import Store

/// Address and password to an account, slowly enough for who guesses.
///
/// Failures are counted per account and per network, in the database, so that replicas count together. Whether there is
/// an account changes neither the answer nor the time that it takes.
package struct SignIn: Sendable {
    private let users: UserRepository
    private let attempts: SignInAttemptRepository
    private let cipher: any ColumnCipher
    private let hasher: PasswordHasher
    private let clock: @Sendable () -> Date

    package init(
        _ database: any SQLDatabase, users: UserRepository, cipher: any ColumnCipher, hasher: PasswordHasher,
        clock: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.users = users
        attempts = SignInAttemptRepository(database, clock: clock)
        self.cipher = cipher
        self.hasher = hasher
        self.clock = clock
    }

    /// The account of an address, if the password is its own.
    ///
    /// - Parameter address: the client's, of the network; nil where there is none, as for a command.
    /// - Throws: `IdentityError` of code `invalidCredential`, `locked`, `overloaded` or `disabled`.
    package func authenticate(email given: String, password: String, address: String?) async throws -> UserRecord {
        // What no address can be is treated as one of nobody.
        let email = try? EmailAddress(given)
        let account = email.map { accountSubject($0.text) }
        return try await attempt(account: account, address: address) {
            let user: UserRecord? = if let email { try await users.user(email: email.text) } else { nil }
            return try await check(password, of: user)
        }
    }

    /// The same for who is signed in already and proves it once more.
    package func confirm(_ user: UserRecord, password: String, address: String?) async throws {
        let account = user.email.map(accountSubject) ?? "account:\(user.id)"
        _ = try await attempt(account: account, address: address) { try await check(password, of: user) }
    }

    /// Counts something that a network should not be able to do often, such as asking whether addresses are taken.
    ///
    /// - Throws: `IdentityError` of code `locked`.
    func countAgainst(address: String?) async throws { try await begin([addressLimit(address)]) }

    /// Takes the last count back.
    func forgive(address: String?) async throws {
        try await attempts.succeed(resetting: nil, forgiving: addressLimit(address).map { [$0.subject] } ?? [])
    }

    /// Forgets counts that are of no effect any more.
    package func purge() async throws -> Int {
        try await attempts.purge(olderThan: clock().addingTimeInterval(-LockOut.ofAccount.forgetsAfter))
    }

    /// Under what the failures of an address of mail are counted; for who erases an account.
    package func accountSubject(_ email: String) -> String {
        "account:" + cipher.index(email, column: "sign_in_attempts.subject")
    }

    private func attempt(
        account: String?, address: String?, _ check: () async throws -> UserRecord?
    ) async throws -> UserRecord {
        let network = addressLimit(address)
        try await begin([account.map { LockOut.ofAccount.limit(of: $0) }, network])
        let user: UserRecord?
        do {
            user = try await check()
        } catch {
            // Not the caller's failure. What fails here as well is counted for a day, and no more.
            try? await attempts.succeed(resetting: nil, forgiving: [account, network?.subject].compactMap(\.self))
            throw error
        }
        guard let user else {
            throw IdentityError(.invalidCredential, "address or password is wrong")
        }
        // The network's other failures stay: signing in with an account of one's own would reset them at will.
        try await attempts.succeed(resetting: account, forgiving: [network?.subject].compactMap(\.self))
        guard user.state == .active else {
            throw IdentityError(.disabled, "the account is disabled; ask who runs the service")
        }
        return user
    }

    /// The user, where the password is right.
    private func check(_ password: String, of user: UserRecord?) async throws -> UserRecord? {
        let result = try await hasher.check(password, against: user?.passwordHash)
        guard result.matches, let user else { return nil }
        if result.needsRehash, let old = user.passwordHash, let new = try? await hasher.hash(password) {
            // An improvement that can wait for the next time.
            _ = try? await users.setPasswordHash(new, of: user.id, replacing: old)
        }
        return user
    }

    private func begin(_ limits: [SignInLimit?]) async throws {
        guard let until = try await attempts.begin(limits.compactMap(\.self)) else { return }
        let seconds = max(1, Int(until.timeIntervalSince(clock()).rounded(.up)))
        throw IdentityError(
            .locked, "signing in failed too often; try again in \(seconds) s", retryAfter: .seconds(seconds))
    }

    private func addressLimit(_ address: String?) -> SignInLimit? {
        address.map {
            LockOut.ofAddress.limit(
                of: "network:" + cipher.index(Self.network(of: $0), column: "sign_in_attempts.subject"))
        }
    }

    /// What one client has to itself: an IPv4 address, or the 64 bits of an IPv6 network, in which it can have any
    /// address that it likes.
    static func network(of address: String) -> String {
        switch IPAddress(address)?.unmapped {
        case .v4(let number): "4:\(number)"
        case .v6(let number): "6:\(number >> 64)"
        case nil: address
        }
    }
}
