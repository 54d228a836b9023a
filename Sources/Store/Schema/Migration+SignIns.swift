/// Attempts to sign in that have begun and not ended, apart from those that failed.
extension Migration {
    @Sendable static func signInsUnderWay(_ dialect: SQLDialect) -> [String] {
        [
            // One row for each limit that an attempt counts against; `subject` as in `sign_in_attempts`.
            """
            CREATE TABLE sign_ins_under_way (
                id \(dialect.text) NOT NULL,
                subject \(dialect.text) NOT NULL,
                began_at \(dialect.text) NOT NULL,
                PRIMARY KEY (id, subject)
            )\(dialect.tableOptions)
            """,
            "CREATE INDEX sign_ins_under_way_subject ON sign_ins_under_way (subject, began_at)",
        ]
    }
}
