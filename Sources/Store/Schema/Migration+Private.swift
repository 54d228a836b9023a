/// What proves that a key of the ring is the one that sealed.
extension Migration {
    @Sendable static func columnKeys(_ dialect: SQLDialect) -> [String] {
        [
            // A row for each key that something may be sealed with, and one for the key of the index.
            """
            CREATE TABLE column_keys (
                key_id \(dialect.text) NOT NULL PRIMARY KEY,
                check_value \(dialect.text) NOT NULL,
                created_at \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """
        ]
    }
}
