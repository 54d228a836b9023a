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
        let isAllowed =
            switch try await owners.owner(of: session) {
            case nil: false
            case .nobody: true
            case .user(let owner): try await allows(principal, sessionOf: owner, isReading: false)
            }
        guard isAllowed else { throw ResultRoutes.noSession(session) }
    }
}
