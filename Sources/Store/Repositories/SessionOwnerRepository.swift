/// Whose a session is, without what it holds: asked before each write into one, and held to within that write.
package struct SessionOwnerRepository: Sendable {
    package enum Owner: Sendable, Equatable {
        /// Somebody anonymous: who knows the session's id has it.
        case nobody
        case user(id: String)
    }

    /// What a write into a session was let in for.
    package struct Claim: Sendable, Equatable {
        /// For who may write in everybody's sessions and takes none for their own.
        package static let any = Claim(nil, heir: nil)

        /// Whose the session was when the write was let in, and has to be yet; nil where that does not matter.
        let owner: Owner?
        /// Whose a session of nobody becomes by the write; nil where it stays nobody's.
        let heir: String?

        private init(_ owner: Owner?, heir: String?) {
            self.owner = owner
            self.heir = heir
        }

        package init(on owner: Owner, heir: String?) { self.init(owner, heir: heir) }
    }

    private let database: any SQLDatabase

    package init(_ database: any SQLDatabase) { self.database = database }

    /// The owner of a session, or nil where there is no such session.
    package func owner(of session: String) async throws -> Owner? {
        try await database.read { try Self.owner(of: session, in: $0) }
    }

    /// Within the transaction of a write: gives a session that is nobody's to the claim's heir, so that it changes hands
    /// with what is kept in it or not at all.
    ///
    /// - Returns: whether the write may be made; false where the session is gone, or somebody else has got it since the
    ///   write was let in.
    static func settle(_ claim: Claim, on session: String, in connection: any SQLConnection) throws -> Bool {
        guard let owner = claim.owner else { return true }
        if owner == .nobody, let heir = claim.heir {
            try connection.execute(
                "UPDATE sessions SET owner = ? WHERE id = ? AND owner IS NULL", [.text(heir), .text(session)])
        }
        guard let now = try Self.owner(of: session, in: connection) else { return false }
        return now == owner || now == claim.heir.map(Owner.user(id:))
    }

    private static func owner(of session: String, in connection: any SQLConnection) throws -> Owner? {
        try connection.first("SELECT owner FROM sessions WHERE id = ?", [.text(session)]).map { row in
            try row.optionalText("owner").map { .user(id: $0) } ?? .nobody
        }
    }
}
