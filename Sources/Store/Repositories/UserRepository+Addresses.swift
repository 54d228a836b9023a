/// What is known of an account by its address, and what a link does that was mailed there.
extension UserRepository {
    /// The name under which an address is found. It tells nothing of the address, so that it may stand in a task.
    package func index(of email: String) -> String { cipher.index(email, column: Self.emailColumn) }

    /// The account whose address has an index, or nil.
    package func user(emailIndex index: String) async throws -> UserRecord? {
        try await database.read { [cipher] connection in
            try connection.first("SELECT \(UserRecord.columns) FROM users WHERE email_index = ?", [.text(index)])
                .map { try UserRecord($0, cipher: cipher) }
        }
    }

    /// Uses up a link that was mailed to an account's address, which shows that the address is its owner's.
    ///
    /// - Returns: the account's id; nil for a link that does not hold.
    package func verifyEmail(link hash: String) async throws -> String? {
        let now = clock()
        return try await database.write { connection in
            let taken = try SignInLinkRepository.take(
                hash: hash, purpose: .addressVerification, now: now, in: connection)
            guard let id = taken else { return nil }
            let isActive =
                try connection.execute(
                    """
                    UPDATE users SET email_verified_at = COALESCE(email_verified_at, ?)
                    WHERE id = ? AND email IS NOT NULL AND state = 'active'
                    """, [.time(now), .text(id)]) == 1
            guard isActive else { return nil }
            try Self.removeLinks(of: id, for: .addressVerification, in: connection)
            return id
        }
    }

    /// Uses up a link that was mailed to an account's address and stores another password's hash: signs the account out
    /// everywhere, ends its other links to do so, and forgets its failures to sign in. Who has the link reads the mail of
    /// that address, so that it is verified as well.
    ///
    /// - Parameter subject: under which the account's failures are counted.
    /// - Returns: the account's id; nil for a link that does not hold, and then nothing has changed.
    package func resetPassword(link hash: String, to passwordHash: String, forgetting subject: String?) async throws
        -> String?
    {
        let now = clock()
        return try await database.write { connection in
            let taken = try SignInLinkRepository.take(hash: hash, purpose: .passwordReset, now: now, in: connection)
            guard let id = taken else { return nil }
            let isActive =
                try connection.execute(
                    """
                    UPDATE users SET password_hash = ?, updated_at = ?,
                        email_verified_at = COALESCE(email_verified_at, ?)
                    WHERE id = ? AND email IS NOT NULL AND state = 'active'
                    """, [.text(passwordHash), .time(now), .time(now), .text(id)]) == 1
            guard isActive else { return nil }
            try connection.execute("DELETE FROM web_sessions WHERE user_id = ?", [.text(id)])
            try Self.removeLinks(of: id, for: .passwordReset, in: connection)
            if let subject {
                try connection.execute("DELETE FROM sign_in_attempts WHERE subject = ?", [.text(subject)])
            }
            return id
        }
    }

    private static func removeLinks(
        of id: String, for purpose: LinkPurpose, in connection: any SQLConnection
    ) throws {
        try connection.execute(
            "DELETE FROM sign_in_links WHERE user_id = ? AND purpose = ?", [.text(id), .text(purpose.rawValue)])
    }
}

extension UserRepository {
    /// The learners of an educator in the order of their ids, `limit` of them after the first `skip`, and how many there
    /// are in all.
    package func learners(of educator: String, skip: Int, limit: Int) async throws -> (items: [UserRecord], total: Int)
    {
        try await database.read { [cipher] connection in
            let rows = try connection.query(
                """
                SELECT \(UserRecord.columns) FROM users
                WHERE id IN (SELECT learner_id FROM learner_assignments WHERE educator_id = ?)
                ORDER BY id LIMIT ? OFFSET ?
                """, [.text(educator), .int(limit), .int(skip)])
            let count = try connection.first(
                "SELECT COUNT(*) AS total FROM learner_assignments WHERE educator_id = ?", [.text(educator)])
            return (try rows.map { try UserRecord($0, cipher: cipher) }, try count?.int("total") ?? 0)
        }
    }
}
