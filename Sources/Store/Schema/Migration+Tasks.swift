/// Work that outlives a request, and when it comes due by the clock.
extension Migration {
    @Sendable static func tasks(_ dialect: SQLDialect) -> [String] {
        [
            // A lease is whole or absent, and only what runs has one.
            """
            CREATE TABLE tasks (
                id \(dialect.text) NOT NULL PRIMARY KEY,
                kind \(dialect.text) NOT NULL,
                payload \(dialect.text) NOT NULL,
                unique_key \(dialect.text),
                priority \(dialect.integer) NOT NULL,
                state \(dialect.text) NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'dead', 'cancelled')),
                attempts \(dialect.integer) NOT NULL CHECK (attempts >= 0),
                maximum_attempts \(dialect.integer) NOT NULL CHECK (maximum_attempts >= 1),
                due_at \(dialect.text) NOT NULL,
                lease_owner \(dialect.text),
                lease_token \(dialect.text),
                lease_until \(dialect.text),
                progress \(dialect.text),
                cancel_requested \(dialect.integer) NOT NULL CHECK (cancel_requested IN (0, 1)),
                last_error \(dialect.text),
                result \(dialect.text),
                created_at \(dialect.text) NOT NULL,
                started_at \(dialect.text),
                finished_at \(dialect.text),
                CHECK (
                    (state = 'running' AND lease_owner IS NOT NULL AND lease_token IS NOT NULL
                        AND lease_until IS NOT NULL)
                    OR (state <> 'running' AND lease_owner IS NULL AND lease_token IS NULL AND lease_until IS NULL)
                ),
                CHECK ((finished_at IS NOT NULL) = (state IN ('done', 'dead', 'cancelled')))
            )\(dialect.tableOptions)
            """,
            """
            CREATE UNIQUE INDEX tasks_unique_key ON tasks (unique_key) WHERE state IN ('waiting', 'running')
            """,
            // In the order in which they are taken.
            "CREATE INDEX tasks_due ON tasks (priority DESC, due_at, id) WHERE state = 'waiting'",
            "CREATE INDEX tasks_lease ON tasks (lease_until) WHERE state = 'running'",
            "CREATE INDEX tasks_finished ON tasks (finished_at) WHERE finished_at IS NOT NULL",
            "CREATE INDEX tasks_created ON tasks (created_at, id)",
            // `times` above 1 tells of an effect that was not one transaction with its task's end.
            """
            CREATE TABLE task_effects (
                task_id \(dialect.text) NOT NULL PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
                document \(dialect.text) NOT NULL,
                times \(dialect.integer) NOT NULL CHECK (times >= 1),
                created_at \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """,
            // Due times up to `settled_until` were queued or passed over; `last_time` is the last that was queued.
            """
            CREATE TABLE schedules (
                name \(dialect.text) NOT NULL PRIMARY KEY,
                kind \(dialect.text) NOT NULL,
                expression \(dialect.text) NOT NULL,
                zone \(dialect.text) NOT NULL,
                catch_up \(dialect.text) NOT NULL CHECK (catch_up IN ('once', 'skip')),
                payload \(dialect.text) NOT NULL,
                is_enabled \(dialect.integer) NOT NULL CHECK (is_enabled IN (0, 1)),
                settled_until \(dialect.text) NOT NULL,
                last_time \(dialect.text),
                updated_at \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """,
        ]
    }
}
