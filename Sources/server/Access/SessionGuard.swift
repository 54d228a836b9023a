import Platform
import Store

/// Keeps stored sessions to who they belong to. Another person's session is as if it were not there: 404, so that
/// nothing tells whether an id exists.
struct SessionGuard: Sendable {
    let access: AccessControl
    let owners: SessionOwnerRepository

    func allows(_ principal: Principal, sessionOf owner: String?, isReading: Bool) async throws -> Bool {
        try await access.allows(principal, sessionOf: owner, isReading: isReading)
    }

    /// - Throws: `HTTPProblem` (`session_not_found`) where there is no such session, or not for `principal`.
    func requireWritable(_ session: String, _ principal: Principal) async throws {
        guard let owner = try await owners.owner(of: session),
            try await mayWrite(in: session, of: owner, principal)
        else { throw ResultRoutes.noSession(session) }
    }

    /// Whether `principal` may write in a session. One that is nobody's becomes theirs with the first thing that they write
    /// into it as somebody known: people answer the quiz first and sign up afterwards, and what they go on with is theirs.
    func mayWrite(in session: String, of owner: SessionOwnerRepository.Owner, _ principal: Principal) async throws
        -> Bool
    {
        var owner = owner
        // A program writes for others.
        if owner == .nobody, let user = principal.userID, principal.role != .service {
            guard let adopted = try await owners.adopt(session, by: user) else { return false }
            owner = adopted
        }
        return switch owner {
        case .nobody: true
        case .user(let id): try await allows(principal, sessionOf: id, isReading: false)
        }
    }
}
