/// Accounts, keys, web sessions, and who watches over whom.
extension Migration {
    @Sendable static func identity(_ dialect: SQLDialect) -> [String] {
        let roles = "'user', 'educator', 'service', 'admin'"
        return [
            // `email` and `name` are sealed; `email_index` is what an address is found by.
            """
            CREATE TABLE users (
                id \(dialect.text) NOT NULL PRIMARY KEY,
                email \(dialect.text),
                email_index \(dialect.text) UNIQUE,
                name \(dialect.text),
                role \(dialect.text) NOT NULL CHECK (role IN (\(roles))),
                password_hash \(dialect.text),
                state \(dialect.text) NOT NULL CHECK (state IN ('active', 'disabled')),
                created_at \(dialect.text) NOT NULL,
                updated_at \(dialect.text) NOT NULL,
                last_sign_in_at \(dialect.text),
                CHECK ((email IS NULL) = (email_index IS NULL))
            )\(dialect.tableOptions)
            """,
            "CREATE INDEX users_created_at ON users (created_at, id)",
            """
            CREATE TABLE api_keys (
                id \(dialect.text) NOT NULL PRIMARY KEY,
                user_id \(dialect.text) REFERENCES users (id) ON DELETE CASCADE,
                role \(dialect.text) NOT NULL CHECK (role IN (\(roles))),
                scopes \(dialect.text) NOT NULL,
                label \(dialect.text),
                salt \(dialect.blob) NOT NULL,
                hash \(dialect.blob) NOT NULL,
                created_at \(dialect.text) NOT NULL,
                expires_at \(dialect.text),
                revoked_at \(dialect.text),
                last_used_at \(dialect.text)
            )\(dialect.tableOptions)
            """,
            "CREATE INDEX api_keys_user ON api_keys (user_id)",
            "CREATE INDEX api_keys_created_at ON api_keys (created_at, id)",
            """
            CREATE TABLE web_sessions (
                id_hash \(dialect.text) NOT NULL PRIMARY KEY,
                user_id \(dialect.text) NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                created_at \(dialect.text) NOT NULL,
                last_seen_at \(dialect.text) NOT NULL,
                expires_at \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """,
            "CREATE INDEX web_sessions_user ON web_sessions (user_id)",
            "CREATE INDEX web_sessions_expires_at ON web_sessions (expires_at)",
            // `subject` is an index of an account's address or of a network, never either of them.
            """
            CREATE TABLE sign_in_attempts (
                subject \(dialect.text) NOT NULL PRIMARY KEY,
                failures \(dialect.integer) NOT NULL CHECK (failures >= 0),
                locked_until \(dialect.text),
                updated_at \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """,
            "CREATE INDEX sign_in_attempts_updated_at ON sign_in_attempts (updated_at)",
            """
            CREATE TABLE sign_in_links (
                hash \(dialect.text) NOT NULL PRIMARY KEY,
                user_id \(dialect.text) NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                expires_at \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """,
            "CREATE INDEX sign_in_links_user ON sign_in_links (user_id)",
            """
            CREATE TABLE learner_assignments (
                educator_id \(dialect.text) NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                learner_id \(dialect.text) NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                PRIMARY KEY (educator_id, learner_id),
                CHECK (educator_id <> learner_id)
            )\(dialect.tableOptions)
            """,
            "CREATE INDEX learner_assignments_learner ON learner_assignments (learner_id)",
        ]
    }
}
