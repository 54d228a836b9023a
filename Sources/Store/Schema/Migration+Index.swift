/// What the catalogue comes from, and the index that is made of it.
extension Migration {
    @Sendable static func careerSources(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE career_sources (
                name \(dialect.text) NOT NULL PRIMARY KEY,
                title \(dialect.text) NOT NULL,
                attribution \(dialect.text),
                licence \(dialect.text),
                url \(dialect.text),
                version \(dialect.text),
                updated_at \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """,
            """
            CREATE TABLE revisions (
                name \(dialect.text) NOT NULL PRIMARY KEY,
                revision \(dialect.integer) NOT NULL CHECK (revision >= 0)
            )\(dialect.tableOptions)
            """,
        ]
    }

    @Sendable static func indexGenerations(_ dialect: SQLDialect) -> [String] {
        [
            // The space is not a foreign key: a generation outlives its space's vectors until it is replaced.
            // `swapping` lives within one transaction alone, while two generations change places.
            """
            CREATE TABLE index_generations (
                id \(dialect.autoIdentity),
                kind \(dialect.text) NOT NULL,
                space_id \(dialect.text) NOT NULL,
                state \(dialect.text) NOT NULL CHECK (state IN ('building', 'current', 'previous', 'swapping')),
                format \(dialect.integer) NOT NULL,
                plan_hash \(dialect.text) NOT NULL,
                row_count \(dialect.integer) NOT NULL CHECK (row_count >= 0),
                document \(dialect.text),
                created_at \(dialect.text) NOT NULL,
                finished_at \(dialect.text)
            )\(dialect.tableOptions)
            """,
            "CREATE UNIQUE INDEX index_generations_state ON index_generations (kind, state)",
            """
            CREATE TABLE index_blocks (
                generation_id \(dialect.integer) NOT NULL REFERENCES index_generations (id) ON DELETE CASCADE,
                number \(dialect.integer) NOT NULL CHECK (number >= 0),
                row_count \(dialect.integer) NOT NULL CHECK (row_count >= 0),
                bytes \(dialect.blob) NOT NULL,
                PRIMARY KEY (generation_id, number)
            )\(dialect.tableOptions)
            """,
        ]
    }
}
