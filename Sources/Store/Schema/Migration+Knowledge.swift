/// What texts are grounded by.
extension Migration {
    @Sendable static func knowledgeBases(_ dialect: SQLDialect) -> [String] {
        [
            // The text space is not a foreign key: titles are embedded before the space that they ground is there.
            """
            CREATE TABLE knowledge_bases (
                id \(dialect.text) NOT NULL PRIMARY KEY,
                text_space_id \(dialect.text) NOT NULL,
                titles_hash \(dialect.text) NOT NULL,
                rule \(dialect.text) NOT NULL,
                titles \(dialect.integer) NOT NULL CHECK (titles > 0),
                occupations \(dialect.integer) NOT NULL CHECK (occupations > 0),
                created_at \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """,
            "CREATE INDEX knowledge_bases_made_of ON knowledge_bases (text_space_id, titles_hash, rule)",
            """
            CREATE TABLE knowledge_base_blocks (
                knowledge_base_id \(dialect.text) NOT NULL REFERENCES knowledge_bases (id) ON DELETE CASCADE,
                number \(dialect.integer) NOT NULL CHECK (number >= 0),
                bytes \(dialect.blob) NOT NULL,
                PRIMARY KEY (knowledge_base_id, number)
            )\(dialect.tableOptions)
            """,
        ]
    }
}
