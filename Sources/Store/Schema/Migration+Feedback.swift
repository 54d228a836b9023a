/// What was recommended, what people did with it, and which of their requests were already answered.
extension Migration {
    @Sendable static func recommendations(_ dialect: SQLDialect) -> [String] {
        [
            // `generation` holds the 64 bits of an unsigned number.
            """
            CREATE TABLE recommendations (
                id \(dialect.text) NOT NULL PRIMARY KEY,
                session_id \(dialect.text) NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
                generation \(dialect.integer) NOT NULL,
                career_ids \(dialect.text) NOT NULL,
                request \(dialect.text),
                query \(dialect.text),
                created_at \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """,
            "CREATE INDEX recommendations_session ON recommendations (session_id)",
        ]
    }

    /// One table for every kind of event, in place of one for what was saved and one for what was viewed.
    @Sendable static func careerEvents(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE career_events (
                sequence \(dialect.autoIdentity),
                id \(dialect.text) NOT NULL UNIQUE,
                kind \(dialect.text) NOT NULL CHECK (kind IN ('saved', 'viewed', 'dismissed', 'chosen')),
                session_id \(dialect.text) REFERENCES sessions (id) ON DELETE CASCADE,
                career_id \(dialect.text) NOT NULL,
                recommendation_id \(dialect.text) REFERENCES recommendations (id) ON DELETE SET NULL,
                created_at \(dialect.text) NOT NULL,
                CHECK (kind = 'viewed' OR session_id IS NOT NULL)
            )\(dialect.tableOptions)
            """,
            // Before the indices, which are then made in one go.
            """
            INSERT INTO career_events (id, kind, session_id, career_id, created_at)
            SELECT 'viewed-' || CAST(id AS TEXT), 'viewed', session_id, career_id, created_at
            FROM career_views ORDER BY id
            """,
            """
            INSERT INTO career_events (id, kind, session_id, career_id, created_at)
            SELECT 'saved-' || CAST(ROW_NUMBER() OVER (ORDER BY created_at, session_id, career_id) AS TEXT),
                'saved', session_id, career_id, created_at
            FROM saved_careers ORDER BY created_at, session_id, career_id
            """,
            "DROP TABLE career_views",
            "DROP TABLE saved_careers",
            """
            CREATE UNIQUE INDEX career_events_once ON career_events (session_id, career_id, kind)
            WHERE kind <> 'viewed'
            """,
            "CREATE INDEX career_events_session ON career_events (session_id, kind)",
            "CREATE INDEX career_events_career ON career_events (kind, career_id)",
            "CREATE INDEX career_events_recommendation ON career_events (recommendation_id)",
        ]
    }

    @Sendable static func idempotentRequests(_ dialect: SQLDialect) -> [String] {
        [
            // A request is answered once it has a status.
            """
            CREATE TABLE idempotent_requests (
                scope \(dialect.text) NOT NULL,
                key \(dialect.text) NOT NULL,
                request_hash \(dialect.text) NOT NULL,
                effect_id \(dialect.text) NOT NULL,
                status \(dialect.integer),
                content_type \(dialect.text),
                body \(dialect.blob),
                created_at \(dialect.text) NOT NULL,
                PRIMARY KEY (scope, key)
            )\(dialect.tableOptions)
            """,
            "CREATE INDEX idempotent_requests_created_at ON idempotent_requests (created_at)",
        ]
    }
}
