/// Who is to get no mail, and what was sent. Addresses stand here as the cipher's index alone.
extension Migration {
    @Sendable static func mailSuppressions(_ dialect: SQLDialect) -> [String] {
        [
            // An address may have left one list, then another, and be gone later: each is a fact of its own, and lifting
            // one leaves the others. An empty list means every list.
            """
            CREATE TABLE mail_suppressions (
                address_index \(dialect.text) NOT NULL,
                list \(dialect.text) NOT NULL,
                reason \(dialect.text) NOT NULL CHECK (reason IN ('bounced', 'complaint', 'unsubscribed')),
                detail \(dialect.text),
                created_at \(dialect.text) NOT NULL,
                PRIMARY KEY (address_index, list, reason)
            )\(dialect.tableOptions)
            """,
            "CREATE INDEX mail_suppressions_created_at ON mail_suppressions (created_at)",
            // What has come to an end: the same message is not sent again.
            """
            CREATE TABLE mail_log (
                message_key \(dialect.text) NOT NULL PRIMARY KEY,
                address_index \(dialect.text) NOT NULL,
                outcome \(dialect.text) NOT NULL CHECK (outcome IN ('sent', 'refused', 'suppressed')),
                detail \(dialect.text),
                finished_at \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """,
            "CREATE INDEX mail_log_address ON mail_log (address_index)",
            "CREATE INDEX mail_log_finished_at ON mail_log (finished_at)",
            // Keys that the service makes itself. Not among the settings, which administrators read.
            """
            CREATE TABLE mail_keys (
                name \(dialect.text) NOT NULL PRIMARY KEY,
                bytes \(dialect.blob) NOT NULL,
                created_at \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """,
        ]
    }

    /// By what a bounce names the message that it is about.
    @Sendable static func messageIDs(_ dialect: SQLDialect) -> [String] {
        [
            // Of messages from before this step it is not known: their bounces are not believed.
            "ALTER TABLE mail_log ADD COLUMN message_id \(dialect.text)",
            "CREATE INDEX mail_log_message_id ON mail_log (message_id)",
        ]
    }
}
