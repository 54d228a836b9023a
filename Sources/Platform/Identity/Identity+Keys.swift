package import Foundation
package import Store

extension Identity {
    private static let maximumLabelScalars = 100
    private static let maximumScopes = 32
    private static let maximumScopeBytes = 64

    /// Makes a key. Its secret is in what comes back, and nowhere else.
    ///
    /// - Parameters:
    ///   - userID: whose data the key reaches. A user's or educator's key has one, and no key may more than its user.
    ///   - scopes: what the key is limited to; none for all that the role may.
    ///   - label: what it is for.
    ///   - expiresAt: nil for a key that does not end by itself.
    /// - Throws: `IdentityError` of code `invalidRole`, `invalidKey` or `notFound`; `StoreError`.
    package func createKey(
        role: Role, userID: String? = nil, scopes: [String] = [], label: String? = nil, expiresAt: Date? = nil
    ) async throws -> (secret: String, record: APIKeyRecord) {
        guard Role.ofKeys.contains(role) else {
            throw IdentityError(.invalidRole, "a key of the role \(role.rawValue) would open nothing")
        }
        guard userID != nil || !role.isOfOneUser else {
            throw IdentityError(.invalidKey, "a key of the role \(role.rawValue) has to be some user's; name the user")
        }
        let now = clock()
        if let expiresAt, expiresAt <= now {
            throw IdentityError(.invalidKey, "the key would have ended already; name a later time")
        }
        let secret = KeySecret.make(random: random)
        let salt = random(KeySecret.saltBytes)
        let record = APIKeyRecord(
            id: secret.id, userID: userID, role: role.rawValue, scopes: try Self.read(scopes: scopes),
            label: try Self.read(label: label), salt: salt, hash: secret.hash(salt: salt),
            // As the database keeps it.
            createdAt: Self.inMilliseconds(now), expiresAt: expiresAt.map(Self.inMilliseconds))
        do {
            try await keys.create(record, ofOwners: role.ofOwners.map(\.rawValue))
        } catch let error as StoreError where error.code == .foreignKeyViolation {
            throw Self.noUser(userID ?? "")
        } catch let error as StoreError where error.code == .conflict {
            let owners = role.ofOwners.map(\.rawValue).joined(separator: " or ")
            throw IdentityError(
                .invalidRole,
                "a key may not do more than its user; one of the role \(role.rawValue) is for an account of the role "
                    + "\(owners), which this user's is not")
        }
        return (secret.revealed, record)
    }

    /// The keys in the order in which they were made, `limit` of them after the first `skip`, and how many there are in
    /// all; of one user alone where one is named.
    package func listKeys(skip: Int = 0, limit: Int = 100, userID: String? = nil) async throws -> (
        items: [APIKeyRecord], total: Int
    ) {
        try await keys.page(skip: skip, limit: limit, userID: userID)
    }

    /// Revokes a key, at once and for good. A key that was revoked stays so.
    ///
    /// - Parameter id: the key's id, with or without `plk_` before it; what follows a whole key's id is not looked at.
    /// - Throws: `IdentityError` of code `notFound`; `StoreError`.
    package func revokeKey(id: String) async throws {
        guard try await keys.revoke(id: Self.keyID(of: id)) else {
            throw IdentityError(.notFound, "there is no such key; “pathlight keys list” shows those that are there")
        }
    }

    /// Whether an administrator has a key that holds, or a password.
    package func hasAdministrator() async throws -> Bool { try await links.hasAdministrator() }

    /// Whether an administrator's key holds with which the service can be administered: not one that is limited to other
    /// scopes than `admin`.
    package func hasAdminKey() async throws -> Bool {
        try await keys.hasActiveKey(role: Role.admin.rawValue, scope: "admin")
    }

    /// Removes what has ended by itself: web sessions, links, and counts of failures.
    ///
    /// - Parameter seconds: how old failures have to be. They count for a day, those of a network for an hour.
    /// - Returns: how many rows went.
    @discardableResult
    package func purge(failuresAfter seconds: TimeInterval = 86_400) async throws -> Int {
        try await sessions.purge() + links.purge() + signIns.purge(after: seconds)
    }

    static func keyID(of text: String) -> String {
        guard text.utf8.starts(with: KeySecret.prefix.utf8) else { return text }
        return String(text.dropFirst(KeySecret.prefix.count).prefix { $0 != "_" })
    }

    private static func read(scopes: [String]) throws(IdentityError) -> [String] {
        let unique = Array(Set(scopes)).sorted()
        guard unique.count <= maximumScopes else {
            throw IdentityError(.invalidKey, "a key has at most \(maximumScopes) scopes")
        }
        for scope in unique {
            let isFine = (1...maximumScopeBytes).contains(scope.utf8.count) && scope.utf8.allSatisfy(isScopeByte)
            guard isFine else {
                throw IdentityError(
                    .invalidKey, "a scope is a word of small letters, digits and “:._-*”, such as careers:read")
            }
        }
        return unique
    }

    private static func isScopeByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || ":._-*".utf8.contains(byte)
    }

    private static func read(label: String?) throws(IdentityError) -> String? {
        guard let label = label?.trimmingCharacters(in: .whitespacesAndNewlines), !label.isEmpty else { return nil }
        let isFine =
            label.unicodeScalars.count <= maximumLabelScalars
            && label.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        guard isFine else {
            throw IdentityError(
                .invalidKey, "a label has at most \(maximumLabelScalars) characters, none of them control characters")
        }
        return label
    }

    private static func inMilliseconds(_ date: Date) -> Date { SQLTime.date(of: SQLTime.text(of: date)) ?? date }
}
