package import Foundation

/// What a link of one use does. One that is for one purpose does nothing else.
package enum LinkPurpose: String, Sendable, CaseIterable {
    case signIn = "sign_in"
    /// Sets another password.
    case passwordReset = "password_reset"
    /// Shows that the account's address is its owner's.
    case addressVerification = "address_verification"
}

/// Links of one use: to sign in, to set another password, to show that an address is one's own.
package struct SignInLinkRepository: Sendable {
    private let database: any SQLDatabase
    private let clock: @Sendable () -> Date
    private let makeID: @Sendable () -> String

    package init(
        _ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() },
        makeID: @escaping @Sendable () -> String = { RandomID.make() }
    ) {
        self.database = database
        self.clock = clock
        self.makeID = makeID
    }

    /// Stores a link for the first administrator, in place of earlier ones, where nobody can sign in as one yet: no
    /// administrator has a password, no administrator's key holds. The account is made where there is none.
    ///
    /// - Returns: whether the link was stored.
    package func createForFirstAdmin(hash: String, expiresAt: Date) async throws -> Bool {
        let now = SQLValue.time(clock())
        let id = makeID()
        return try await database.write { connection in
            guard try !Self.hasAdministrator(now: now, in: connection) else { return false }
            let existing = try connection.first(
                "SELECT id FROM users WHERE role = 'admin' AND state = 'active' ORDER BY created_at, id LIMIT 1")
            let admin = try existing?.text("id") ?? id
            if existing == nil {
                try connection.execute(
                    "INSERT INTO users (id, role, state, created_at, updated_at) VALUES (?, 'admin', 'active', ?, ?)",
                    [.text(id), now, now])
            }
            try connection.execute(
                "DELETE FROM sign_in_links WHERE user_id = ? AND purpose = 'sign_in'", [.text(admin)])
            try connection.execute(
                "INSERT INTO sign_in_links (hash, user_id, expires_at, purpose) VALUES (?, ?, ?, 'sign_in')",
                [.text(hash), .text(admin), .time(expiresAt)])
            return true
        }
    }

    /// Whether a link for the first administrator still holds. Where an administrator has a password or a key by now, it
    /// is taken back and does not.
    package func holdsForFirstAdmin(hash: String) async throws -> Bool {
        let now = clock()
        let (isThere, isLate) = try await database.read { connection in
            let row = try connection.first(
                "SELECT expires_at FROM sign_in_links WHERE hash = ? AND purpose = 'sign_in'", [.text(hash)])
            guard let row, try row.time("expires_at") > now else { return (false, false) }
            return (true, try Self.hasAdministrator(now: .time(now), in: connection))
        }
        guard isThere, isLate else { return isThere }
        _ = try await take(hash: hash)
        return false
    }

    /// Uses up a link for the first administrator.
    ///
    /// - Returns: whose it was; nil where it does not hold, which it does not once an administrator has a password or a
    ///   key, however it was kept from being taken back until now.
    package func takeForFirstAdmin(hash: String) async throws -> String? {
        let now = clock()
        return try await database.write { connection in
            let user = try Self.take(hash: hash, purpose: .signIn, now: now, in: connection)
            return try Self.hasAdministrator(now: .time(now), in: connection) ? nil : user
        }
    }

    /// Whether somebody can sign in as an administrator without a link.
    package func hasAdministrator() async throws -> Bool {
        let now = SQLValue.time(clock())
        return try await database.read { try Self.hasAdministrator(now: now, in: $0) }
    }

    private static func hasAdministrator(now: SQLValue, in connection: any SQLConnection) throws -> Bool {
        let withPassword = try connection.first(
            "SELECT id FROM users WHERE role = 'admin' AND state = 'active' AND password_hash IS NOT NULL LIMIT 1")
        return try withPassword != nil
            || APIKeyRepository.hasActiveKey(role: "admin", scope: "admin", now: now, in: connection)
    }

    /// Stores a link for a user.
    ///
    /// - Throws: `StoreError` of code `foreignKeyViolation` where there is no such user.
    package func create(
        hash: String, userID: String, purpose: LinkPurpose = .signIn, expiresAt: Date
    ) async throws {
        try await database.write { connection in
            try connection.execute(
                "INSERT INTO sign_in_links (hash, user_id, expires_at, purpose) VALUES (?, ?, ?, ?)",
                [.text(hash), .text(userID), .time(expiresAt), .text(purpose.rawValue)])
        }
    }

    /// Whose a link is, which is not used up by asking.
    ///
    /// - Returns: nil where there is no such link of that purpose or it has ended.
    package func owner(hash: String, purpose: LinkPurpose) async throws -> String? {
        let now = clock()
        return try await database.read { connection in
            let row = try connection.first(
                "SELECT user_id, expires_at FROM sign_in_links WHERE hash = ? AND purpose = ?",
                [.text(hash), .text(purpose.rawValue)])
            guard let row, try row.time("expires_at") > now else { return nil }
            return try row.text("user_id")
        }
    }

    /// Uses a link up.
    ///
    /// - Returns: whose it was, or nil where there is no such link of that purpose or it has ended.
    package func take(hash: String, purpose: LinkPurpose = .signIn) async throws -> String? {
        let now = clock()
        return try await database.write { connection in
            try Self.take(hash: hash, purpose: purpose, now: now, in: connection)
        }
    }

    /// As `take`, in a transaction with what the link is for.
    static func take(
        hash: String, purpose: LinkPurpose, now: Date, in connection: any SQLConnection
    ) throws -> String? {
        let row = try connection.first(
            "DELETE FROM sign_in_links WHERE hash = ? AND purpose = ? RETURNING user_id, expires_at",
            [.text(hash), .text(purpose.rawValue)])
        guard let row, try row.time("expires_at") > now else { return nil }
        return try row.text("user_id")
    }

    /// Removes the links of a purpose that a user has.
    ///
    /// - Returns: how many went.
    @discardableResult
    package func removeAll(of userID: String, purpose: LinkPurpose) async throws -> Int {
        try await database.write { connection in
            try connection.execute(
                "DELETE FROM sign_in_links WHERE user_id = ? AND purpose = ?",
                [.text(userID), .text(purpose.rawValue)])
        }
    }

    /// Removes the links that have ended.
    ///
    /// - Returns: how many went.
    package func purge() async throws -> Int {
        let now = SQLValue.time(clock())
        return try await database.write { connection in
            try connection.execute("DELETE FROM sign_in_links WHERE expires_at <= ?", [now])
        }
    }
}
