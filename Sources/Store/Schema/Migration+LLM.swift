/// What calls of language models cost, what they answered, and the prompts that administrators put in place of others.
extension Migration {
    @Sendable static func languageModels(_ dialect: SQLDialect) -> [String] {
        [
            // Nobody in particular is the empty user: a part of the primary key cannot be null. Money is in billionths
            // of a dollar, since a token costs less than a millionth.
            """
            CREATE TABLE llm_usage (
                day \(dialect.text) NOT NULL,
                user_id \(dialect.text) NOT NULL,
                feature \(dialect.text) NOT NULL,
                provider \(dialect.text) NOT NULL,
                model \(dialect.text) NOT NULL,
                calls \(dialect.integer) NOT NULL CHECK (calls >= 0),
                input_tokens \(dialect.integer) NOT NULL CHECK (input_tokens >= 0),
                output_tokens \(dialect.integer) NOT NULL CHECK (output_tokens >= 0),
                cost_nanodollars \(dialect.integer) NOT NULL CHECK (cost_nanodollars >= 0),
                PRIMARY KEY (day, user_id, feature, provider, model)
            )\(dialect.tableOptions)
            """,
            "CREATE INDEX llm_usage_user ON llm_usage (user_id)",
            """
            CREATE TABLE llm_budget_days (
                day \(dialect.text) NOT NULL PRIMARY KEY,
                spent \(dialect.integer) NOT NULL CHECK (spent >= 0),
                alerted_80 \(dialect.integer) NOT NULL CHECK (alerted_80 IN (0, 1)),
                alerted_100 \(dialect.integer) NOT NULL CHECK (alerted_100 IN (0, 1))
            )\(dialect.tableOptions)
            """,
            // A row for each call under way in place of one sum: what a killed process had reserved ends by itself.
            """
            CREATE TABLE llm_reservations (
                id \(dialect.text) NOT NULL PRIMARY KEY,
                day \(dialect.text) NOT NULL REFERENCES llm_budget_days (day) ON DELETE CASCADE,
                amount \(dialect.integer) NOT NULL CHECK (amount >= 0),
                expires_at \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """,
            "CREATE INDEX llm_reservations_day ON llm_reservations (day)",
            """
            CREATE TABLE llm_cache (
                key \(dialect.text) NOT NULL PRIMARY KEY,
                user_id \(dialect.text),
                reply \(dialect.text) NOT NULL,
                created_at \(dialect.text) NOT NULL,
                expires_at \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """,
            "CREATE INDEX llm_cache_user ON llm_cache (user_id)",
            "CREATE INDEX llm_cache_expires_at ON llm_cache (expires_at)",
            """
            CREATE TABLE prompts (
                id \(dialect.text) NOT NULL PRIMARY KEY,
                text \(dialect.text) NOT NULL,
                updated_at \(dialect.text) NOT NULL,
                updated_by \(dialect.text)
            )\(dialect.tableOptions)
            """,
        ]
    }
}
