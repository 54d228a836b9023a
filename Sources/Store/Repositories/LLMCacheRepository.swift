package import Foundation

/// Replies of language models by the digest of what was asked, until they expire.
package struct LLMCacheRepository: Sendable {
    /// The column's name for the cipher.
    package static let column = "llm_cache.reply"

    private let database: any SQLDatabase
    private let cipher: any ColumnCipher
    private let clock: @Sendable () -> Date

    package init(
        _ database: any SQLDatabase, cipher: any ColumnCipher = PlainColumns(),
        clock: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.database = database
        self.cipher = cipher
        self.clock = clock
    }

    /// Stores a reply, in place of the one of that key.
    ///
    /// - Parameters:
    ///   - userID: on whose behalf it was asked, so that it goes when they do.
    ///   - needsUsage: whether it is left out where no call is accounted to that user: they were erased since they asked.
    package func set(
        _ key: String, to reply: String, userID: String?, expiresAt: Date, needsUsage: Bool = false
    ) async throws {
        let now = clock()
        let sealed = try cipher.seal(reply, column: Self.column)
        try await database.write { connection in
            if needsUsage, let userID, try !LLMUsageRepository.knows(userID, in: connection) { return }
            try connection.execute(
                """
                INSERT INTO llm_cache (key, user_id, reply, created_at, expires_at) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (key) DO UPDATE SET user_id = excluded.user_id, reply = excluded.reply,
                    created_at = excluded.created_at, expires_at = excluded.expires_at
                """,
                [.text(key), .optionalText(userID), .text(sealed), .time(now), .time(expiresAt)])
        }
    }

    /// The reply of a key and when it expires, or nil where there is none that holds.
    package func reply(of key: String) async throws -> (text: String, expiresAt: Date)? {
        let now = clock()
        let row = try await database.read { connection in
            try connection.first(
                "SELECT reply, expires_at FROM llm_cache WHERE key = ? AND expires_at > ?", [.text(key), .time(now)])
        }
        guard let row else { return nil }
        return (try cipher.open(try row.text("reply"), column: Self.column), try row.time("expires_at"))
    }

    /// Which of some keys have a reply, expired ones included.
    package func present(_ keys: [String]) async throws -> Set<String> {
        try await database.read { connection in
            Set(
                try keys.filter { key in
                    try connection.first("SELECT key FROM llm_cache WHERE key = ?", [.text(key)]) != nil
                })
        }
    }

    /// How many replies are kept, expired ones included.
    package func count() async throws -> Int {
        try await database.read { connection in
            try connection.first("SELECT COUNT(*) AS total FROM llm_cache")?.int("total") ?? 0
        }
    }

    /// Removes what has expired, and of the rest what expires first beyond `limit`.
    ///
    /// - Returns: how many replies went.
    @discardableResult
    package func purge(limit: Int) async throws -> Int {
        let now = clock()
        return try await database.write { connection in
            let expired = try connection.execute("DELETE FROM llm_cache WHERE expires_at <= ?", [.time(now)])
            let surplus = try connection.execute(
                """
                DELETE FROM llm_cache WHERE key IN (
                    SELECT key FROM llm_cache ORDER BY expires_at DESC, key LIMIT \(Int32.max) OFFSET ?)
                """, [.int(limit)])
            return expired + surplus
        }
    }
}
