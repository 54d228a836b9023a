internal import Foundation
internal import Store

extension Identity {
    /// A key's use is written at most so often.
    private static let keyTouchSeconds: TimeInterval = 300

    /// Whose key or token a bearer's credential is.
    ///
    /// - Throws: `IdentityError` of code `invalidCredential`, `expired`, `revoked` or `disabled`; `StoreError`.
    package func principal(bearer credential: String) async throws -> Principal {
        if credential.utf8.starts(with: KeySecret.prefix.utf8) { return try await principal(key: credential) }
        guard let tokens else {
            throw IdentityError(
                .invalidCredential, "the credential is no key of this service, and tokens are not accepted")
        }
        let principal = try await tokens.principal(of: credential)
        // The provider knows nothing of who was shut out here.
        if let userID = principal.userID, try await users.state(of: userID) == .disabled { throw Self.disabled }
        return principal
    }

    /// Who is signed in with the cookie of a web session.
    ///
    /// - Throws: as above.
    package func principal(webSession token: String) async throws -> Principal {
        let session = try await sessions.authenticate(token)
        return Principal(
            role: try Role(stored: session.userRole), userID: session.userID,
            credential: .webSession(id: session.idHash))
    }

    /// Whether the token of a web session was made here, whether that goes on or not.
    package func hasMade(webSession token: String) -> Bool { sessions.hasMade(token) }

    /// What the forms of a web session carry.
    package func csrfToken(webSession token: String) -> String { WebSessions.csrfToken(for: token) }

    /// Whether what a request carries is its session's.
    package func isValid(csrfToken: String, webSession token: String) -> Bool {
        WebSessions.isValid(csrfToken: csrfToken, for: token)
    }

    private func principal(key text: String) async throws -> Principal {
        // Unknown and wrong read the same; that a key is revoked or over is told to who has it.
        guard let secret = KeySecret(text), let found = try await keys.key(id: secret.id),
            secret.matches(hash: found.key.hash, salt: found.key.salt)
        else { throw IdentityError(.invalidCredential, "the key is not one of this service") }
        let (key, now) = (found.key, clock())
        guard key.revokedAt == nil else { throw IdentityError(.revoked, "the key was revoked; ask for a new one") }
        guard key.isActive(at: now) else { throw IdentityError(.expired, "the key has ended; ask for a new one") }
        guard found.userState != .disabled else { throw Self.disabled }
        if key.lastUsedAt.map({ now >= $0.addingTimeInterval(Self.keyTouchSeconds) }) ?? true {
            // Reading goes on where nothing can be written.
            try? await keys.recordUse(of: key.id)
        }
        return Principal(
            role: try Role(stored: key.role), userID: key.userID, scopes: Set(key.scopes),
            credential: .key(id: key.id))
    }

    private static var disabled: IdentityError {
        IdentityError(.disabled, "the account is disabled; ask who runs the service")
    }
}

extension Role {
    /// - Throws: `StoreError` of code `unexpectedValue` for a role that is none.
    init(stored text: String) throws {
        guard let role = Role(rawValue: text) else {
            throw StoreError(.unexpectedValue, "“\(text)” is stored as a role and is none")
        }
        self = role
    }
}
