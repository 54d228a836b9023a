internal import Foundation

/// What must be stored yet for a password to be replaced.
package enum StoredPassword: Sendable, Equatable {
    case any
    /// This hash, or none where it is nil.
    case exactly(String?)
}

extension UserRepository {
    /// Stores another password's hash, ends the account's web sessions and its links to set another password, all in one
    /// write: who held the old password is out at the moment from which it opens nothing.
    ///
    /// - Parameters:
    ///   - old: what must be stored yet.
    ///   - kept: the hash of the token of a session that goes on.
    /// - Returns: whether it was stored; otherwise nothing has changed.
    package func replacePassword(
        with hash: String, of id: String, replacing old: StoredPassword, keeping kept: String? = nil
    ) async throws -> Bool {
        let now = SQLValue.time(clock())
        return try await database.write { connection in
            let (condition, arguments): (String, [SQLValue]) =
                switch old {
                case .any: ("", [])
                case .exactly(nil): (" AND password_hash IS NULL", [])
                case .exactly(let old?): (" AND password_hash = ?", [.text(old)])
                }
            let isStored =
                try connection.execute(
                    "UPDATE users SET password_hash = ?, updated_at = ? WHERE id = ?\(condition)",
                    [.text(hash), now, .text(id)] + arguments) == 1
            guard isStored else { return false }
            try connection.execute(
                "DELETE FROM web_sessions WHERE user_id = ? AND id_hash <> ?", [.text(id), .text(kept ?? "")])
            try connection.execute(
                "DELETE FROM sign_in_links WHERE user_id = ? AND purpose = ?",
                [.text(id), .text(LinkPurpose.passwordReset.rawValue)])
            return true
        }
    }
}
