package import Foundation

/// The courses that students name, and where each of them leads.
///
/// A course is nothing but what students say: it is there while one of them names it.
package struct CourseRepository: Sendable {
    private let database: any SQLDatabase
    private let clock: @Sendable () -> Date

    package init(_ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() }) {
        self.database = database
        self.clock = clock
    }

    package static let countStatement = """
        SELECT COUNT(*) AS courses,
            CAST(COALESCE(SUM(CASE WHEN course_paths.course_mark IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT) AS added,
            CAST(COALESCE(SUM(
                CASE WHEN course_paths.origin = 'fallback' OR course_paths.made_at < ? OR course_paths.made_at > ?
                THEN 1 ELSE 0 END
            ), 0) AS BIGINT) AS outdated
        FROM (SELECT DISTINCT course_mark FROM students WHERE course_mark IS NOT NULL) AS named
        LEFT JOIN course_paths ON course_paths.course_mark = named.course_mark
        """

    /// Paths are looked up once for each course, not for each student: after grouping.
    package static func dueStatement(isAfter: Bool) -> String {
        """
        SELECT course_mark AS mark, MIN(user_id) AS user_id, COUNT(*) AS due FROM students
        WHERE \(isAfter ? "course_mark > ?" : "course_mark IS NOT NULL")
        GROUP BY course_mark
        HAVING NOT EXISTS (
            SELECT 1 FROM course_paths
            WHERE course_paths.course_mark = students.course_mark AND course_paths.origin <> 'fallback'
                AND course_paths.made_at >= ? AND course_paths.made_at <= ?)
        ORDER BY course_mark LIMIT ?
        """
    }

    /// How many courses students name, of how many nothing is there, and of how many what is there is too old, of the
    /// future, or a fall-back.
    package func counts(outdatedBefore: Date) async throws -> (courses: Int, new: Int, outdated: Int) {
        let now = clock()
        return try await database.read { connection in
            let row = try connection.first(Self.countStatement, [.time(outdatedBefore), .time(now)])
            guard let row else { throw StoreError(.other, "the courses were not counted") }
            return (try row.int("courses"), try row.int("added"), try row.int("outdated"))
        }
    }

    /// The next courses without fresh paths, by their marks, ascending, each with those who name it.
    ///
    /// - Parameter mark: the last one of the page before; nil for the first page.
    package func due(after mark: String?, limit: Int, outdatedBefore: Date) async throws -> [DueGroup] {
        let now = clock()
        let after: [SQLValue] = mark.map { [.text($0)] } ?? []
        return try await database.read { connection in
            try connection.query(
                Self.dueStatement(isAfter: !after.isEmpty), after + [.time(outdatedBefore), .time(now), .int(limit)]
            ).map(DueGroup.init)
        }
    }

    /// Stores the paths of a course, in place of those it had; its name stays as it was written first. Where no student
    /// names the course any more, nothing is stored.
    ///
    /// - Returns: whether they were stored.
    @discardableResult
    package func serve(_ paths: CoursePathsRecord) async throws -> Bool {
        try await database.write { connection in
            let named = try connection.first(
                "SELECT user_id FROM students WHERE course_mark = ? LIMIT 1", [.text(paths.mark)])
            guard named != nil else { return false }
            try connection.execute(
                """
                INSERT INTO course_paths
                    (course_mark, course, origin, path_count, generation, cost_nanodollars, made_at, document,
                    asked_market)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (course_mark) DO UPDATE SET origin = excluded.origin, path_count = excluded.path_count,
                    generation = excluded.generation, cost_nanodollars = excluded.cost_nanodollars,
                    made_at = excluded.made_at, document = excluded.document, asked_market = excluded.asked_market
                """,
                [
                    .text(paths.mark), .text(paths.course), .text(paths.origin.rawValue), .int(paths.count),
                    .optionalInteger(paths.generation), .integer(paths.costNanodollars), .time(paths.madeAt),
                    .text(paths.document), .optionalText(paths.askedMarket),
                ])
            try StudentRepository.noteChange(in: connection)
            return true
        }
    }

    /// The paths of a course, or nil.
    package func paths(mark: String) async throws -> CoursePathsRecord? {
        try await database.read { connection in
            try connection.first(
                "SELECT \(CoursePathsRecord.columns) FROM course_paths WHERE course_mark = ?", [.text(mark)]
            ).map(CoursePathsRecord.init)
        }
    }

    /// The paths of a course that somebody may be shown, or nil: of one that enough students name, or that is theirs.
    ///
    /// - Parameters:
    ///   - minimumStudents: as for the page of them by name.
    ///   - userID: who asks; nil for somebody who is no student.
    package func paths(
        mark: String, minimumStudents: Int, orNamedBy userID: String?
    ) async throws -> CoursePathsRecord? {
        try await database.read { connection in
            try connection.first(
                """
                SELECT \(CoursePathsRecord.columns) FROM course_paths WHERE course_mark = ? AND (
                    EXISTS (
                        SELECT 1 FROM students
                        WHERE students.course_mark = course_paths.course_mark AND students.user_id = ?)
                    OR (SELECT COUNT(*) FROM students WHERE students.course_mark = course_paths.course_mark) >= ?)
                """, [.text(mark), .optionalText(userID), .int(minimumStudents)]
            ).map(CoursePathsRecord.init)
        }
    }

    /// A page of the courses that have paths, by their marks.
    ///
    /// - Parameter mark: the last one of the page before; nil for the first page.
    package func page(after mark: String?, limit: Int) async throws -> [CoursePathsRecord] {
        let after: [SQLValue] = mark.map { [.text($0)] } ?? []
        return try await database.read { connection in
            try connection.query(
                """
                SELECT \(CoursePathsRecord.columns) FROM course_paths
                \(after.isEmpty ? "" : "WHERE course_mark > ?") ORDER BY course_mark LIMIT ?
                """, after + [.int(limit)]
            ).map(CoursePathsRecord.init)
        }
    }

    /// A page of the courses that have paths, by their names, and how many there are.
    ///
    /// - Parameter minimumStudents: who name a course that is among them: what one alone wrote is theirs.
    package func page(
        skip: Int, limit: Int, minimumStudents: Int
    ) async throws -> (items: [CoursePathsRecord], total: Int) {
        let shared = """
            FROM course_paths WHERE course_mark IN (
                SELECT course_mark FROM students WHERE course_mark IS NOT NULL
                GROUP BY course_mark HAVING COUNT(*) >= ?)
            """
        return try await database.read { connection in
            let total = try connection.first("SELECT COUNT(*) AS total \(shared)", [.int(minimumStudents)])
            let rows = try connection.query(
                "SELECT \(CoursePathsRecord.columns) \(shared) ORDER BY course, course_mark LIMIT ? OFFSET ?",
                [.int(minimumStudents), .int(limit), .int(skip)])
            return (try rows.map(CoursePathsRecord.init), try total?.int("total") ?? 0)
        }
    }

    private static let isUnused =
        "NOT EXISTS (SELECT 1 FROM students WHERE students.course_mark = course_paths.course_mark)"

    /// Removes the paths of courses that no student names any more.
    ///
    /// - Returns: how many went.
    @discardableResult
    package func removeUnused() async throws -> Int {
        try await database.write { connection in
            let removed = try connection.execute("DELETE FROM course_paths WHERE \(Self.isUnused)")
            // A file that was written of them meanwhile is older than that.
            if removed > 0 { try StudentRepository.noteChange(in: connection) }
            return removed
        }
    }

    /// Removes the paths of a course where no student names it any more; the caller notes the change.
    static func removeUnused(_ mark: String, in connection: any SQLConnection) throws {
        try connection.execute("DELETE FROM course_paths WHERE course_mark = ? AND \(Self.isUnused)", [.text(mark)])
    }
}
