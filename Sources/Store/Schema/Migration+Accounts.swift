/// What a link of one use is for, and since when an address is known to be its account's.
extension Migration {
    @Sendable static func accountLinks(_ dialect: SQLDialect) -> [String] {
        [
            // The links that are there already sign somebody in.
            """
            ALTER TABLE sign_in_links ADD COLUMN purpose \(dialect.text) NOT NULL DEFAULT 'sign_in'
                CHECK (purpose IN ('sign_in', 'password_reset', 'address_verification'))
            """,
            "ALTER TABLE users ADD COLUMN email_verified_at \(dialect.text)",
        ]
    }
}
