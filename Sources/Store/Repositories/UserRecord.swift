package import Foundation

/// Whether an account may be used.
package enum UserState: String, Sendable, CaseIterable {
    case active, disabled
}

/// Somebody's account.
package struct UserRecord: Sendable, Equatable {
    package let id: String
    package let email: String?
    package let name: String?
    /// A role by its name; who the roles are is decided above.
    package let role: String
    /// Nil for an account that signs in otherwise.
    package let passwordHash: String?
    package let state: UserState
    package let createdAt: Date
    package let updatedAt: Date
    package let lastSignInAt: Date?
    /// When its owner showed that mail to the address reaches them; nil where that is not known.
    package let emailVerifiedAt: Date?

    package var isEmailVerified: Bool { emailVerifiedAt != nil }

    static let columns = """
        id, email, name, role, password_hash, state, created_at, updated_at, last_sign_in_at, email_verified_at
        """

    init(_ row: SQLRow, cipher: any ColumnCipher) throws {
        id = try row.text("id")
        email = try cipher.open(try row.optionalText("email"), column: UserRepository.emailColumn)
        name = try cipher.open(try row.optionalText("name"), column: UserRepository.nameColumn)
        role = try row.text("role")
        passwordHash = try row.optionalText("password_hash")
        state = try UserState(column: "state", of: row)
        createdAt = try row.time("created_at")
        updatedAt = try row.time("updated_at")
        lastSignInAt = try row.optionalTime("last_sign_in_at")
        emailVerifiedAt = try row.optionalTime("email_verified_at")
    }
}

extension UserRecord: CustomStringConvertible, CustomReflectable {
    /// Without address, name and hash: a record may end in a message.
    package var description: String { "user \(id) (\(role), \(state.rawValue))" }
    package var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}

extension UserState {
    /// - Throws: `StoreError` of code `unexpectedValue` for any other text.
    init(column: String, of row: SQLRow) throws {
        let text = try row.text(column)
        guard let state = UserState(rawValue: text) else {
            throw StoreError(.unexpectedValue, "the state of a user is “\(text)”, which is none")
        }
        self = state
    }
}
