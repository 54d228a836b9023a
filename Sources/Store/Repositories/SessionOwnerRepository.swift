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
        package static let any = Claim(nil, writer: nil, adopts: false)

        /// Whose the session was when the write was let in, and has to be yet; nil where that does not matter.
        let owner: Owner?
        /// Who writes, where that is somebody known: theirs it may have become since, by another write of theirs.
        let writer: String?
        /// Whether a session of nobody becomes the writer's by the write.
        let adopts: Bool

        private init(_ owner: Owner?, writer: String?, adopts: Bool) {
            self.owner = owner
            self.writer = writer
            self.adopts = adopts
        }

        package init(on owner: Owner, writer: String?, adopts: Bool) {
            self.init(owner, writer: writer, adopts: adopts)
        }
    }

    private let database: any SQLDatabase

    package init(_ database: any SQLDatabase) { self.database = database }

    /// The owner of a session, or nil where there is no such session.
    package func owner(of session: String) async throws -> Owner? {
        try await database.read { try Self.owner(of: session, in: $0) }
    }

    /// Within the transaction of a write: gives a session that is nobody's to a writer who adopts it, so that it changes
    /// hands with what is kept in it or not at all.
    ///
    /// - Returns: whether the write may be made; false where the session is gone, or somebody else has got it since the
    ///   write was let in.
    static func settle(_ claim: Claim, on session: String, in connection: any SQLConnection) throws -> Bool {
        guard let owner = claim.owner else { return true }
        if owner == .nobody, claim.adopts, let writer = claim.writer {
            try connection.execute(
                "UPDATE sessions SET owner = ? WHERE id = ? AND owner IS NULL", [.text(writer), .text(session)])
        }
        guard let now = try Self.owner(of: session, in: connection) else { return false }
        return now == owner || now == claim.writer.map(Owner.user(id:))
    }

    private static func owner(of session: String, in connection: any SQLConnection) throws -> Owner? {
        try connection.first("SELECT owner FROM sessions WHERE id = ?", [.text(session)]).map { row in
            try row.optionalText("owner").map { .user(id: $0) } ?? .nobody
        }
    }
}
