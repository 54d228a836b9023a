/// Students whose interests are watched, what they are served, and the runs that keep it fresh.
extension Migration {
    @Sendable static func careerMonitoring(_ dialect: SQLDialect) -> [String] {
        students(dialect) + keptLists(dialect) + monitorRuns(dialect)
    }

    private static func students(_ dialect: SQLDialect) -> [String] {
        [
            // `input` is sealed; the marks are keyed hashes of it. Nobody has been served without a mark; one who was, and
            // has no time, was served what is to be tried again.
            """
            CREATE TABLE students (
                user_id \(dialect.text) NOT NULL PRIMARY KEY,
                input \(dialect.text) NOT NULL,
                input_mark \(dialect.text) NOT NULL,
                course_mark \(dialect.text),
                row_mark \(dialect.text) NOT NULL,
                served_mark \(dialect.text),
                served_at \(dialect.text),
                source \(dialect.text) NOT NULL CHECK (source IN ('file', 'api', 'command')),
                created_at \(dialect.text) NOT NULL,
                updated_at \(dialect.text) NOT NULL,
                CHECK (served_at IS NULL OR served_mark IS NOT NULL)
            )\(dialect.tableOptions)
            """,
            // All that tells who is due, and groups them in the order in which they are taken.
            "CREATE INDEX students_due ON students (input_mark, served_mark, served_at, user_id)",
            // Whoever still has the list of what they said before; the others are found by `students_due`.
            "CREATE INDEX students_changed ON students (served_mark, user_id) WHERE served_mark <> input_mark",
            "CREATE INDEX students_course ON students (course_mark, user_id) WHERE course_mark IS NOT NULL",
        ]
    }

    /// Documents come last, so that what stands before them is read without the pages of a long one.
    private static func keptLists(_ dialect: SQLDialect) -> [String] {
        let origins = "'engine', 'model', 'fallback'"
        return [
            // No reference from `students`: lists are named by marks before they are made, and outlive a change.
            """
            CREATE TABLE interest_lists (
                input_mark \(dialect.text) NOT NULL PRIMARY KEY,
                origin \(dialect.text) NOT NULL CHECK (origin IN (\(origins))),
                career_count \(dialect.integer) NOT NULL CHECK (career_count >= 0),
                generation \(dialect.integer),
                cost_nanodollars \(dialect.integer) NOT NULL CHECK (cost_nanodollars >= 0),
                made_at \(dialect.text) NOT NULL,
                document \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """,
            """
            CREATE TABLE course_paths (
                course_mark \(dialect.text) NOT NULL PRIMARY KEY,
                course \(dialect.text) NOT NULL,
                origin \(dialect.text) NOT NULL CHECK (origin IN (\(origins))),
                path_count \(dialect.integer) NOT NULL CHECK (path_count >= 0),
                generation \(dialect.integer),
                cost_nanodollars \(dialect.integer) NOT NULL CHECK (cost_nanodollars >= 0),
                made_at \(dialect.text) NOT NULL,
                document \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """,
        ]
    }

    private static func monitorRuns(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE monitor_runs (
                id \(dialect.text) NOT NULL PRIMARY KEY,
                reason \(dialect.text) NOT NULL CHECK (reason IN ('schedule', 'command', 'api')),
                state \(dialect.text) NOT NULL CHECK (state IN ('running', 'done', 'failed', 'stopped')),
                report \(dialect.text) NOT NULL,
                started_at \(dialect.text) NOT NULL,
                ended_at \(dialect.text),
                CHECK ((ended_at IS NULL) = (state = 'running'))
            )\(dialect.tableOptions)
            """,
            "CREATE INDEX monitor_runs_started_at ON monitor_runs (started_at, id)",
            """
            CREATE TABLE monitor_files (
                name \(dialect.text) NOT NULL PRIMARY KEY,
                sha256 \(dialect.text) NOT NULL,
                bytes \(dialect.integer) NOT NULL CHECK (bytes >= 0),
                revision \(dialect.integer),
                updated_at \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """,
        ]
    }

    /// What stood in the files, row by row, and whom a model was asked for.
    @Sendable static func monitorStanding(_ dialect: SQLDialect) -> [String] {
        [
            // As `row_mark`: of the row as `student_interests.csv` had it when it was written last, and as the file of
            // another was read last.
            "ALTER TABLE students ADD COLUMN written_mark \(dialect.text)",
            "ALTER TABLE students ADD COLUMN read_mark \(dialect.text)",
            // The market that a model was told of when it answered; null where none has.
            "ALTER TABLE interest_lists ADD COLUMN asked_market \(dialect.text)",
            "ALTER TABLE course_paths ADD COLUMN asked_market \(dialect.text)",
            // Rows of the file of another, by their marks, whose students were removed: keyed hashes of what is gone.
            """
            CREATE TABLE removed_rows (
                row_mark \(dialect.text) NOT NULL PRIMARY KEY
            )\(dialect.tableOptions)
            """,
        ]
    }
}
