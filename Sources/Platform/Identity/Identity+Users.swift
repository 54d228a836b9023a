package import Store

extension Identity {
    /// Makes an account.
    ///
    /// - Parameters:
    ///   - email: nil for one that signs in by a link or is only spoken for by a service.
    ///   - password: nil for one that signs in otherwise; needs an address.
    /// - Throws: `IdentityError` of code `invalidEmail`, `emailTaken`, `weakPassword`, `invalidName`, `invalidRole` or
    ///   `overloaded`; `StoreError`.
    package func createUser(email: String?, password: String?, name: String?, role: Role) async throws -> UserRecord {
        try await create(try NewAccount(email: email, password: password, name: name, role: role), by: .account)
    }

    /// - Parameter owner: who waits for it: `newcomer` for who makes an account for themselves.
    func create(_ account: NewAccount, by owner: PasswordHasher.Owner) async throws -> UserRecord {
        // Before the hash, which costs; the database decides in the end.
        if let email = account.email, try await users.user(email: email.text) != nil { throw Self.emailTaken }
        var hash: String?
        if let password = account.password { hash = try await hasher.hash(password, of: owner) }
        do {
            return try await users.create(
                email: account.email?.text, name: account.name, role: account.role.rawValue, passwordHash: hash)
        } catch let error as StoreError where error.code == .uniqueViolation {
            throw Self.emailTaken
        }
    }

    /// An account, or nil.
    package func user(id: String) async throws -> UserRecord? { try await users.user(id: id) }

    /// The accounts in the order in which they were made, `limit` of them after the first `skip`, and how many there
    /// are in all.
    package func users(skip: Int, limit: Int) async throws -> (items: [UserRecord], total: Int) {
        try await users.page(skip: skip, limit: limit)
    }

    /// Allows or forbids the use of an account; who is shut out is signed out everywhere, and keys hold no longer.
    ///
    /// - Throws: `IdentityError` of code `notFound`; `StoreError`.
    package func setState(_ state: UserState, of userID: String) async throws {
        guard try await users.setState(state, of: userID) else { throw Self.noUser(userID) }
    }

    /// Gives an account another role, and revokes its keys that may more than that.
    ///
    /// - Parameter state: set as by `setState` where it is given; both are done or neither is.
    /// - Throws: `IdentityError` of code `notFound` or `invalidRole`; `StoreError`.
    package func setRole(_ role: Role, state: UserState? = nil, of userID: String) async throws {
        guard Role.ofAccounts.contains(role) else { throw Self.noAccountRole(role) }
        let excess = role.above.map(\.rawValue)
        let isThere =
            if let state {
                try await users.set(role: role.rawValue, revokingKeysOf: excess, state: state, of: userID)
            } else {
                try await users.setRole(role.rawValue, of: userID, revokingKeysOf: excess)
            }
        guard isThere else { throw Self.noUser(userID) }
    }

    /// Gives an account another password without asking for the one there is, and signs it out everywhere.
    ///
    /// - Throws: `IdentityError` of code `notFound`, `weakPassword`, `invalidEmail` or `overloaded`; `StoreError`.
    package func setPassword(_ password: String, of userID: String) async throws {
        let user = try await existingUser(userID)
        guard let email = user.email else { throw Self.noAddress }
        try PasswordRules.check(password, email: try? EmailAddress(email), name: user.name)
        let hash = try await hasher.hash(password)
        guard try await users.replacePassword(with: hash, of: userID, replacing: .any) else {
            throw Self.noUser(userID)
        }
    }

    /// Lets an educator see a learner.
    ///
    /// - Throws: `IdentityError` of code `notFound` or `invalidRole`; `StoreError`.
    package func assign(learner: String, to educator: String) async throws {
        guard learner != educator else {
            throw IdentityError(.invalidRole, "nobody is assigned to themselves")
        }
        _ = try await existingUser(learner)
        guard try await existingUser(educator).role == Role.educator.rawValue else {
            throw IdentityError(.invalidRole, "the user \(educator) is no educator; learners are assigned to educators")
        }
        do {
            try await assignments.assign(learner: learner, to: educator)
        } catch let error as StoreError where error.code == .foreignKeyViolation {
            throw Self.noUser(learner)
        }
    }

    /// - Returns: whether the educator saw the learner until now.
    @discardableResult
    package func unassign(learner: String, from educator: String) async throws -> Bool {
        try await assignments.unassign(learner: learner, from: educator)
    }

    package func isAssigned(learner: String, to educator: String) async throws -> Bool {
        try await assignments.isAssigned(learner: learner, to: educator)
    }

    /// The learners of an educator, `limit` of them after the first `skip`, and how many there are in all.
    ///
    /// - Throws: `IdentityError` of code `notFound` where there is no such educator; `StoreError`.
    package func learners(of educator: String, skip: Int, limit: Int) async throws -> (items: [UserRecord], total: Int)
    {
        _ = try await existingUser(educator)
        return try await users.learners(of: educator, skip: skip, limit: limit)
    }

    /// The ids of an educator's learners.
    package func learners(of educator: String) async throws -> [String] {
        try await assignments.learners(of: educator)
    }

    func existingUser(_ id: String) async throws -> UserRecord {
        guard let user = try await users.user(id: id) else { throw Self.noUser(id) }
        return user
    }

    static func noUser(_ id: String) -> IdentityError {
        IdentityError(.notFound, "there is no user \(id.prefix(64)); “pathlight users list” shows those that are there")
    }

    static var noAddress: IdentityError {
        IdentityError(.invalidEmail, "a password needs an address to sign in with")
    }

    private static var emailTaken: IdentityError {
        IdentityError(.emailTaken, "there is an account with this address; sign in, or take another")
    }

    static func noAccountRole(_ role: Role) -> IdentityError {
        let names = Role.ofAccounts.map(\.rawValue).joined(separator: ", ")
        return IdentityError(.invalidRole, "an account cannot be of the role \(role.rawValue), only \(names)")
    }
}
