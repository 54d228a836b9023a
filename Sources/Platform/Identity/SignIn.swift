package import Foundation
package import Store

/// Address and password to an account, slowly enough for who guesses.
///
/// Failures are counted per account and per network, in the database, so that replicas count together. Whether there is
/// an account changes neither the answer nor the time that it takes.
package struct SignIn: Sendable {
    private static let subjectColumn = "sign_in_attempts.subject"

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
    ///
    /// - Returns: the account, whose hash may be a new one of the same password.
    package func confirm(_ user: UserRecord, password: String, address: String?) async throws -> UserRecord {
        let account = user.email.map(accountSubject) ?? "account:\(user.id)"
        return try await attempt(account: account, address: address) { try await check(password, of: user) }
    }

    /// Counts an account that a network asks for, whatever comes of it: the answer tells whether an address is taken.
    ///
    /// - Throws: `IdentityError` of code `locked`.
    func countSignUp(address: String?) async throws {
        guard let address else { return }
        let limit = LockOut.ofSignUps.limit(of: "sign-up:" + networkIndex(address))
        guard let until = try await attempts.count([limit]) else { return }
        let seconds = seconds(until: until)
        throw IdentityError(
            .locked, "too many accounts were asked for from this network; try again in \(seconds) s",
            retryAfter: .seconds(seconds))
    }

    /// Forgets failures that are older than so many seconds.
    package func purge(after seconds: TimeInterval) async throws -> Int {
        try await attempts.purge(olderThan: clock().addingTimeInterval(-seconds))
    }

    /// Under what the failures of an address of mail are counted; for who erases an account.
    package func accountSubject(_ email: String) -> String {
        "account:" + cipher.index(email, column: Self.subjectColumn)
    }

    private func attempt(
        account: String?, address: String?, _ check: () async throws -> UserRecord?
    ) async throws -> UserRecord {
        let limits = [account.map { LockOut.ofAccount.limit(of: $0) }, addressLimit(address)].compactMap(\.self)
        let id = try await begin(limits)
        let user: UserRecord?
        do {
            user = try await check()
        } catch {
            // Not the caller's failure. What fails here as well counts as one once it lapses.
            try? await conclude { [attempts] in try await attempts.abandon(id) }
            throw error
        }
        guard let user else {
            try await conclude { [attempts] in try await attempts.fail(id, limits) }
            throw IdentityError(.invalidCredential, "address or password is wrong")
        }
        // The network's failures stay: signing in with an account of one's own would reset them at will.
        try await conclude { [attempts] in try await attempts.succeed(id, resetting: account) }
        guard user.state == .active else {
            throw IdentityError(.disabled, "the account is disabled; ask who runs the service")
        }
        return user
    }

    /// Writes how an attempt ended, even if nobody waits for the answer any more.
    private func conclude(_ write: @escaping @Sendable () async throws -> Void) async throws {
        try await Task { try await write() }.value
    }

    /// The user as they are then, where the password is right.
    private func check(_ password: String, of user: UserRecord?) async throws -> UserRecord? {
        let result = try await hasher.check(password, against: user?.passwordHash)
        guard result.matches, let user else { return nil }
        // An improvement that can wait for the next time.
        guard result.needsRehash, let old = user.passwordHash, let new = try? await hasher.hash(password),
            (try? await users.setPasswordHash(new, of: user.id, replacing: old)) == true
        else { return user }
        // Sessions begin with the hash that was looked at; another one, set meanwhile, is of a password that was not.
        guard let renewed = try await users.user(id: user.id), renewed.passwordHash == new else { return user }
        return renewed
    }

    /// - Returns: the attempt's id.
    private func begin(_ limits: [SignInLimit]) async throws -> String {
        switch try await attempts.begin(limits) {
        case .underWay(let id): return id
        case .locked(let until):
            let seconds = seconds(until: until)
            throw IdentityError(
                .locked, "signing in failed too often; try again in \(seconds) s", retryAfter: .seconds(seconds))
        case .busy:
            throw IdentityError(
                .overloaded, "too many people sign in at once from here; try again in a few seconds",
                retryAfter: .seconds(2))
        }
    }

    private func addressLimit(_ address: String?) -> SignInLimit? {
        address.map { LockOut.ofAddress.limit(of: "network:" + networkIndex($0)) }
    }

    private func networkIndex(_ address: String) -> String {
        cipher.index(Self.network(of: address), column: Self.subjectColumn)
    }

    private func seconds(until date: Date) -> Int { max(1, Int(date.timeIntervalSince(clock()).rounded(.up))) }

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
