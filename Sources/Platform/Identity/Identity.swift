package import Foundation
package import Store

/// Accounts, keys, tokens and web sessions behind one door: who somebody is.
///
/// Every method throws `IdentityError` for what is the caller's, and `StoreError` where the database fails; the two
/// are kept apart so that a database in trouble is never taken for a wrong password.
package struct Identity: Sendable {
    let database: any SQLDatabase
    let clock: @Sendable () -> Date
    let random: RandomBytes
    let users: UserRepository
    let keys: APIKeyRepository
    let links: SignInLinkRepository
    let assignments: LearnerAssignmentRepository
    let hasher: PasswordHasher
    let sessions: WebSessions
    let signIns: SignIn
    /// Nil where no tokens are accepted.
    package let tokens: TokenVerifier?

    /// - Parameters:
    ///   - cipher: seals addresses and names, and marks the tokens of web sessions.
    ///   - tokens: nil where JWTs are not accepted.
    package init(
        database: any SQLDatabase, cipher: any ColumnCipher, hasher: PasswordHasher = PasswordHasher(),
        tokens: TokenVerifier? = nil, random: RandomBytes = .system,
        clock: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.database = database
        self.clock = clock
        self.random = random
        self.hasher = hasher
        self.tokens = tokens
        users = UserRepository(database, cipher: cipher, clock: clock)
        keys = APIKeyRepository(database, clock: clock)
        links = SignInLinkRepository(database, clock: clock)
        assignments = LearnerAssignmentRepository(database)
        sessions = WebSessions(database, cipher: cipher, random: random, clock: clock)
        signIns = SignIn(database, users: users, cipher: cipher, hasher: hasher, clock: clock)
    }
}
