package import Foundation

/// What a row of a file is to be compared with: keyed hashes of the student's row, at several times.
package struct StudentStanding: Sendable, Equatable {
    /// As stored.
    package let rowMark: String
    /// As `student_interests.csv` had it when it was written last; nil where it never had.
    package let writtenMark: String?
    /// As the file of another had it when it was read last; nil where it never was.
    package let readMark: String?
    /// When the list was made that they were served last.
    package let listMadeAt: Date?
}

/// What stood in files, row by row: so that of a file somebody changed only what they changed is taken in.
extension StudentRepository {
    /// By the bytes of their ids; who is not there is left out.
    package func standings(of ids: [String]) async throws -> [[UInt8]: StudentStanding] {
        try await database.read { connection in
            var found: [[UInt8]: StudentStanding] = [:]
            for start in stride(from: 0, to: ids.count, by: Self.chunk) {
                let part = ids[start..<min(start + Self.chunk, ids.count)]
                try connection.forEachRow(
                    """
                    SELECT students.user_id, students.row_mark, students.written_mark, students.read_mark,
                        interest_lists.made_at
                    FROM students LEFT JOIN interest_lists ON interest_lists.input_mark = students.served_mark
                    WHERE students.user_id IN (\(Self.places(part.count)))
                    """, part.map { .text($0) }
                ) { row in
                    found[Array(try row.text("user_id").utf8)] = StudentStanding(
                        rowMark: try row.text("row_mark"), writtenMark: try row.optionalText("written_mark"),
                        readMark: try row.optionalText("read_mark"), listMadeAt: try row.optionalTime("made_at"))
                }
            }
            return found
        }
    }

    /// Notes that the file of another says of these students what is stored.
    package func noteRead(_ rows: [(userID: String, mark: String)]) async throws {
        guard !rows.isEmpty else { return }
        try await database.write { connection in
            try connection.executeMany(
                "UPDATE students SET read_mark = row_mark WHERE user_id = ? AND row_mark = ?",
                rows.map { [.text($0.userID), .text($0.mark)] })
        }
    }

    /// Which of these rows of the file of another are of students who were removed.
    package func removedRows(among marks: [String]) async throws -> Set<String> {
        try await database.read { connection in
            guard try connection.first("SELECT row_mark FROM removed_rows LIMIT 1") != nil else { return [] }
            var found: Set<String> = []
            for start in stride(from: 0, to: marks.count, by: Self.chunk) {
                let part = marks[start..<min(start + Self.chunk, marks.count)]
                try connection.forEachRow(
                    "SELECT row_mark FROM removed_rows WHERE row_mark IN (\(Self.places(part.count)))",
                    part.map { .text($0) }
                ) { found.insert(try $0.text("row_mark")) }
            }
            return found
        }
    }

    /// Forgets the rows of removed students that do not stand in the file any more.
    package func keepRemovedRows(_ marks: Set<String>) async throws {
        let stored = try await database.read { connection in
            try connection.query("SELECT row_mark FROM removed_rows").map { try $0.text("row_mark") }
        }
        let gone = stored.filter { !marks.contains($0) }
        guard !gone.isEmpty else { return }
        try await database.write { connection in
            try connection.executeMany("DELETE FROM removed_rows WHERE row_mark = ?", gone.map { [.text($0)] })
        }
    }

    /// How many students `student_interests.csv` had when it was written last, and are there still.
    package func writtenCount() async throws -> Int {
        try await database.read { connection in
            try connection.first("SELECT COUNT(*) AS written FROM students WHERE written_mark IS NOT NULL")?
                .int("written") ?? 0
        }
    }

    /// Makes those due again who were served these lists, since what is stored of them is damaged.
    package func forget(lists marks: [String]) async throws {
        guard !marks.isEmpty else { return }
        try await database.write { connection in
            try connection.executeMany(
                "UPDATE students SET served_at = NULL WHERE served_mark = ?", marks.map { [.text($0)] })
        }
    }

    /// Notes what `student_interests.csv` has of these students, whatever is stored by now.
    package func noteWritten(_ rows: [(userID: String, mark: String)]) async throws {
        for start in stride(from: 0, to: rows.count, by: Self.chunk) {
            let part = rows[start..<min(start + Self.chunk, rows.count)]
            try await database.write { connection in
                try connection.executeMany(
                    "UPDATE students SET written_mark = ? WHERE user_id = ?",
                    part.map { [.text($0.mark), .text($0.userID)] })
            }
        }
    }

    /// The next lists, or paths of courses, that no model has been asked about for this market, by their marks, ascending,
    /// each with one student of that mark. Fall-backs are not among them: they are due anyway.
    package func unasked(
        of column: MarkColumn, market: String, after mark: String?, limit: Int
    ) async throws -> [DueGroup] {
        let (name, table) = (column.rawValue, column == .input ? "interest_lists" : "course_paths")
        return try await database.read { connection in
            try connection.query(
                """
                SELECT made.\(name) AS mark, MIN(students.user_id) AS user_id, COUNT(*) AS due
                FROM \(table) AS made JOIN students ON students.\(name) = made.\(name)
                WHERE made.origin <> 'fallback' AND made.\(name) > ?
                    AND (made.asked_market IS NULL OR made.asked_market <> ?)
                GROUP BY made.\(name) ORDER BY made.\(name) LIMIT ?
                """, [.text(mark ?? ""), .text(market), .int(limit)]
            ).map(DueGroup.init)
        }
    }
}
