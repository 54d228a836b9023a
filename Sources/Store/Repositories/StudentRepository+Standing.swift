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

    /// The next lists that no model has been asked about for this market, by their marks, ascending, each with one student
    /// of that input. Fall-backs are not among them: they are due anyway.
    package func unasked(market: String, after mark: String?, limit: Int) async throws -> [DueGroup] {
        try await database.read { connection in
            try connection.query(
                """
                SELECT interest_lists.input_mark AS mark, MIN(students.user_id) AS user_id, COUNT(*) AS due
                FROM interest_lists JOIN students ON students.input_mark = interest_lists.input_mark
                WHERE interest_lists.origin <> 'fallback' AND interest_lists.input_mark > ?
                    AND (interest_lists.asked_market IS NULL OR interest_lists.asked_market <> ?)
                GROUP BY interest_lists.input_mark ORDER BY interest_lists.input_mark LIMIT ?
                """, [.text(mark ?? ""), .text(market), .int(limit)]
            ).map(DueGroup.init)
        }
    }
}
