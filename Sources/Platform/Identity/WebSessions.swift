internal import Crypto
package import Foundation
package import Store

/// Browsers in which somebody is signed in. The browser holds a token; stored is its hash.
///
/// A token has 24 random bytes and a mark of them that only this service can make. A session is removed when it ends,
/// and its browser has to be told apart yet from one with a cookie that anybody made.
package struct WebSessions: Sendable {
    static let tokenBytes = 32
    private static let randomBytes = 24
    /// Names what the mark is of among what the cipher makes indexes for.
    private static let markColumn = "web_sessions.token"
    /// A session ends after so long without use,
    package static let idleSeconds: TimeInterval = 14 * 86_400
    /// and after so long in all.
    package static let longestSeconds: TimeInterval = 60 * 86_400
    /// That a session was used is written at most so often; a page is many requests.
    static let touchSeconds: TimeInterval = 300

    private let repository: WebSessionRepository
    private let cipher: any ColumnCipher
    private let random: RandomBytes
    private let clock: @Sendable () -> Date

    /// - Parameter cipher: marks tokens by its index. That of one without a key anybody can make, who then can have a
    ///   browser forget what the pages keep, and nothing more.
    package init(
        _ database: any SQLDatabase, cipher: any ColumnCipher = PlainColumns(), random: RandomBytes = .system,
        clock: @escaping @Sendable () -> Date = { Date() }
    ) {
        repository = WebSessionRepository(database)
        self.cipher = cipher
        self.random = random
        self.clock = clock
    }

    /// Begins a session of an account that is as it was when its credential was looked at.
    ///
    /// - Parameter passwordHash: what was stored then; nil where the account had no password.
    /// - Returns: the token for the cookie, which is nowhere else.
    /// - Throws: `IdentityError` of code `invalidCredential` where the account is gone, was disabled or has got another
    ///   password since.
    package func create(userID: String, passwordHash: String?) async throws -> String {
        let secret = random(Self.randomBytes)
        let token = Base64URL.text(of: secret + mark(of: secret))
        let now = clock()
        let isCreated = try await repository.create(
            idHash: Self.hash(of: token), userID: userID, passwordHash: passwordHash, now: now,
            expiresAt: Self.end(createdAt: now, lastSeenAt: now))
        guard isCreated else {
            throw IdentityError(.invalidCredential, "the account was changed meanwhile; sign in again")
        }
        return token
    }

    /// The session of a token, which lives on by being used.
    ///
    /// - Throws: `IdentityError` of code `invalidCredential`, `expired` or `disabled`.
    package func authenticate(_ token: String) async throws -> WebSessionRecord {
        guard Self.isToken(token), let session = try await repository.session(idHash: Self.hash(of: token)) else {
            throw IdentityError(.invalidCredential, "nobody is signed in with this cookie; sign in again")
        }
        let now = clock()
        guard now < session.expiresAt, now < session.createdAt.addingTimeInterval(Self.longestSeconds) else {
            throw IdentityError(.expired, "the time since signing in is over; sign in again")
        }
        guard session.userState == .active else {
            throw IdentityError(.disabled, "the account is disabled; ask who runs the service")
        }
        if now >= session.lastSeenAt.addingTimeInterval(Self.touchSeconds) {
            // Reading goes on where nothing can be written: a full disk signs nobody out.
            try? await repository.touch(
                idHash: session.idHash, seenAt: now, expiresAt: Self.end(createdAt: session.createdAt, lastSeenAt: now))
        }
        return session
    }

    /// Whether a token is one that this service made, whether its session goes on or not.
    package func hasMade(_ token: String) -> Bool {
        guard Self.isToken(token), let bytes = Base64URL.bytes(of: token.utf8) else { return false }
        return ConstantTime.areEqual(
            Array(bytes.dropFirst(Self.randomBytes)), mark(of: Array(bytes.prefix(Self.randomBytes))))
    }

    private func mark(of secret: [UInt8]) -> [UInt8] {
        let index = cipher.index(Base64URL.text(of: secret), column: Self.markColumn)
        return Array(SHA256.hash(data: Array(index.utf8)).prefix(Self.tokenBytes - Self.randomBytes))
    }

    /// Ends a session; one that is not there has ended already.
    package func end(_ token: String) async throws {
        guard Self.isToken(token) else { return }
        try await repository.end(idHash: Self.hash(of: token))
    }

    /// Ends the sessions of a user, but for that of a token where one is given.
    ///
    /// - Returns: how many ended.
    @discardableResult
    package func endAll(of userID: String, except token: String? = nil) async throws -> Int {
        try await repository.endAll(of: userID, except: token.map(Self.hash))
    }

    /// The sessions of a user that go on, newest first, and how many there are in all.
    func page(of userID: String, skip: Int, limit: Int) async throws -> (items: [WebSessionRecord], total: Int) {
        try await repository.page(of: userID, now: clock(), skip: skip, limit: limit)
    }

    /// Ends a session of a user by its id, which is no token.
    func end(id: String, of userID: String) async throws -> Bool { try await repository.end(id: id, of: userID) }

    /// Removes what has ended by itself.
    package func purge() async throws -> Int { try await repository.purge(now: clock()) }

    /// What a session's forms carry, so that a request proves to come from a page of ours: another site makes the
    /// browser send the cookie, but cannot read it.
    package static func csrfToken(for token: String) -> String { Base64URL.text(of: csrfCode(for: token)) }

    /// Whether `given` is the session's own, in a time that does not tell how close it is.
    package static func isValid(csrfToken given: String, for token: String) -> Bool {
        guard isToken(token), given.utf8.count == 43, let bytes = Base64URL.bytes(of: given.utf8) else { return false }
        return ConstantTime.areEqual(bytes, csrfCode(for: token))
    }

    private static func csrfCode(for token: String) -> [UInt8] {
        let key = SymmetricKey(data: Array(token.utf8))
        return Array(HMAC<SHA256>.authenticationCode(for: Array("pathlight csrf 1".utf8), using: key))
    }

    /// What is stored in place of a token. Nobody can try 256 random bits, so that no salt is needed.
    static func hash(of token: String) -> String { Hexadecimal.text(of: SHA256.hash(data: Array(token.utf8))) }

    /// Whether text is of a token's form; anything else is not worth a look into the database.
    static func isToken(_ text: String) -> Bool {
        text.utf8.count == 43 && Base64URL.bytes(of: text.utf8)?.count == tokenBytes
    }

    private static func end(createdAt: Date, lastSeenAt: Date) -> Date {
        min(lastSeenAt.addingTimeInterval(idleSeconds), createdAt.addingTimeInterval(longestSeconds))
    }
}
