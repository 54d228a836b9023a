package import Foundation

/// An API key as it is stored: enough to recognise the secret, not to give it back.
package struct APIKeyRecord: Sendable, Equatable {
    /// The public part of the key.
    package let id: String
    /// Whose data the key reaches; nil for a program's.
    package let userID: String?
    package let role: String
    /// Empty where the key is not limited.
    package let scopes: [String]
    /// What it is for, in words of who made it.
    package let label: String?
    package let salt: [UInt8]
    package let hash: [UInt8]
    package let createdAt: Date
    /// Nil for a key that does not end by itself.
    package let expiresAt: Date?
    package let revokedAt: Date?
    /// To within some minutes.
    package let lastUsedAt: Date?

    package init(
        id: String, userID: String?, role: String, scopes: [String], label: String?, salt: [UInt8], hash: [UInt8],
        createdAt: Date, expiresAt: Date?, revokedAt: Date? = nil, lastUsedAt: Date? = nil
    ) {
        self.id = id
        self.userID = userID
        self.role = role
        self.scopes = scopes
        self.label = label
        self.salt = salt
        self.hash = hash
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
        self.lastUsedAt = lastUsedAt
    }

    init(_ row: SQLRow) throws {
        id = try row.text("id")
        userID = try row.optionalText("user_id")
        role = try row.text("role")
        scopes = try StringList.strings(of: try row.text("scopes"))
        label = try row.optionalText("label")
        salt = try row.blob("salt")
        hash = try row.blob("hash")
        createdAt = try row.time("created_at")
        expiresAt = try row.optionalTime("expires_at")
        revokedAt = try row.optionalTime("revoked_at")
        lastUsedAt = try row.optionalTime("last_used_at")
    }

    /// Whether the key holds at `moment`.
    package func isActive(at moment: Date) -> Bool {
        revokedAt == nil && expiresAt.map { moment < $0 } ?? true
    }
}

extension APIKeyRecord: CustomStringConvertible, CustomReflectable {
    package var description: String { "key \(id) (\(role))" }
    package var customMirror: Mirror { Mirror(self, children: ["id": id, "role": role]) }
}
