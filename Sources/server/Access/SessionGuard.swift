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

    /// What lets `principal` write in a session; it goes with the write.
    ///
    /// - Parameter adopts: as below.
    /// - Throws: `HTTPProblem` (`session_not_found`) where there is no such session, or not for `principal`.
    func requireWritable(
        _ session: String, _ principal: Principal, adopts: Bool
    ) async throws -> SessionOwnerRepository.Claim {
        guard let owner = try await owners.owner(of: session),
            let found = try await claim(on: owner, principal, adopts: adopts)
        else { throw ResultRoutes.noSession(session) }
        return found
    }

    /// What lets `principal` write in a session of `owner`; nil where nothing does.
    ///
    /// One that is nobody's becomes theirs with the first thing that they keep in it as somebody known: people answer the
    /// quiz first and sign up afterwards, and what they go on with is theirs. The write itself does that, since what is
    /// refused after this was asked must not take a session from who made it.
    ///
    /// - Parameter adopts: whether the write is such a thing.
    func claim(
        on owner: SessionOwnerRepository.Owner, _ principal: Principal, adopts: Bool
    ) async throws -> SessionOwnerRepository.Claim? {
        let user: String? = if case .user(let id) = owner { id } else { nil }
        guard try await allows(principal, sessionOf: user, isReading: false) else { return nil }
        return switch principal.role {
        // They write for others, also with a key or an account that is some user's.
        case .service, .admin: .any
        case .anonymous, .user, .educator:
            SessionOwnerRepository.Claim(on: owner, writer: principal.userID, adopts: adopts)
        }
    }
}
