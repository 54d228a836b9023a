extension Migration {
    /// Every step of the schema, oldest first. Add to the end; what a release has shipped stays as it is.
    package static let all: [Migration] = [
        Migration(version: 1, name: "careers", statements: careers),
        Migration(version: 2, name: "vectors", statements: vectors),
        Migration(version: 3, name: "sessions", statements: sessions),
        Migration(version: 4, name: "settings", statements: settings),
        Migration(version: 5, name: "career sources", statements: careerSources),
        Migration(version: 6, name: "index generations", statements: indexGenerations),
        Migration(version: 7, name: "recommendations", statements: recommendations),
        Migration(version: 8, name: "career events", statements: careerEvents),
        Migration(version: 9, name: "idempotent requests", statements: idempotentRequests),
        Migration(version: 10, name: "identity", statements: identity),
        Migration(version: 11, name: "tasks", statements: tasks),
        Migration(version: 12, name: "language models", statements: languageModels),
        Migration(version: 13, name: "mail suppressions", statements: mailSuppressions),
        Migration(version: 14, name: "column keys", statements: columnKeys),
        Migration(version: 15, name: "account links", statements: accountLinks),
        Migration(version: 16, name: "message ids", statements: messageIDs),
        Migration(version: 17, name: "sign-ins under way", statements: signInsUnderWay),
        Migration(version: 18, name: "career monitoring", statements: careerMonitoring),
        Migration(version: 19, name: "monitor standing", statements: monitorStanding),
        Migration(version: 20, name: "knowledge bases", statements: knowledgeBases),
    ]

    @Sendable private static func careers(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE careers (
                id \(dialect.text) NOT NULL PRIMARY KEY,
                source \(dialect.text) NOT NULL,
                name \(dialect.text) NOT NULL,
                cluster \(dialect.text) NOT NULL,
                document \(dialect.text) NOT NULL,
                ability_vector \(dialect.text) NOT NULL,
                is_active \(dialect.integer) NOT NULL CHECK (is_active IN (0, 1)),
                content_hash \(dialect.text) NOT NULL,
                created_at \(dialect.text) NOT NULL,
                updated_at \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """,
            "CREATE INDEX careers_source ON careers (source)",
        ]
    }

    @Sendable private static func vectors(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE embedding_spaces (
                id \(dialect.text) NOT NULL PRIMARY KEY,
                model_id \(dialect.text) NOT NULL,
                weights_sha256 \(dialect.text) NOT NULL,
                description \(dialect.text) NOT NULL,
                created_at \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """,
            """
            CREATE TABLE vectors (
                space_id \(dialect.text) NOT NULL REFERENCES embedding_spaces (id) ON DELETE CASCADE,
                item_kind \(dialect.text) NOT NULL,
                item_id \(dialect.text) NOT NULL,
                view \(dialect.text) NOT NULL,
                text_hash \(dialect.text) NOT NULL,
                dimension \(dialect.integer) NOT NULL CHECK (dimension > 0),
                vector \(dialect.blob) NOT NULL,
                checksum \(dialect.integer) NOT NULL,
                created_at \(dialect.text) NOT NULL,
                PRIMARY KEY (space_id, item_kind, item_id, view)
            )\(dialect.tableOptions)
            """,
            """
            CREATE TABLE generation_facts (
                space_id \(dialect.text) NOT NULL REFERENCES embedding_spaces (id) ON DELETE CASCADE,
                name \(dialect.text) NOT NULL,
                document \(dialect.text) NOT NULL,
                created_at \(dialect.text) NOT NULL,
                PRIMARY KEY (space_id, name)
            )\(dialect.tableOptions)
            """,
        ]
    }

    @Sendable private static func sessions(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE sessions (
                id \(dialect.text) NOT NULL PRIMARY KEY,
                kind \(dialect.text) NOT NULL,
                owner \(dialect.text),
                answers \(dialect.text),
                request \(dialect.text),
                reply \(dialect.text),
                created_at \(dialect.text) NOT NULL,
                updated_at \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """,
            "CREATE INDEX sessions_updated_at ON sessions (updated_at)",
            """
            CREATE TABLE saved_careers (
                session_id \(dialect.text) NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
                career_id \(dialect.text) NOT NULL,
                created_at \(dialect.text) NOT NULL,
                PRIMARY KEY (session_id, career_id)
            )\(dialect.tableOptions)
            """,
            "CREATE INDEX saved_careers_career ON saved_careers (career_id)",
            """
            CREATE TABLE career_views (
                id \(dialect.autoIdentity),
                session_id \(dialect.text) REFERENCES sessions (id) ON DELETE CASCADE,
                career_id \(dialect.text) NOT NULL,
                created_at \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """,
            "CREATE INDEX career_views_session ON career_views (session_id)",
            "CREATE INDEX career_views_career ON career_views (career_id)",
        ]
    }

    @Sendable private static func settings(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE settings (
                key \(dialect.text) NOT NULL PRIMARY KEY,
                value \(dialect.text) NOT NULL,
                updated_at \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """
        ]
    }
}
