package import Foundation

/// The students whose interests are watched, and the lists that they are served.
///
/// Who is due is told by marks and times alone, from one index: no input is opened for somebody who is not. A list and
/// what its students were served come and go in one transaction, and a list that nobody has is not kept.
package struct StudentRepository: Sendable {
    /// The names under which the columns are sealed.
    package static let inputColumn = "students.input"
    package static let listColumn = "interest_lists.document"
    /// Ids of one statement.
    static let chunk = 500

    let database: any SQLDatabase
    let cipher: any ColumnCipher
    let clock: @Sendable () -> Date

    package init(
        _ database: any SQLDatabase, cipher: any ColumnCipher = PlainColumns(),
        clock: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.database = database
        self.cipher = cipher
        self.clock = clock
    }

    // MARK: Who is due

    /// Told with two times: the earliest that is not outdated, and the present.
    private static let outdated = "served_at IS NULL OR served_at < ? OR served_at > ?"

    package static let countStatement = """
        SELECT COUNT(*) AS students,
            CAST(COALESCE(SUM(CASE WHEN served_mark IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT) AS added,
            CAST(COALESCE(SUM(CASE WHEN served_mark <> input_mark THEN 1 ELSE 0 END), 0) AS BIGINT) AS changed,
            CAST(COALESCE(SUM(
                CASE WHEN served_mark = input_mark AND (\(outdated)) THEN 1 ELSE 0 END
            ), 0) AS BIGINT) AS outdated
        FROM students
        """

    package static func dueStatement(isAfter: Bool) -> String {
        """
        SELECT input_mark AS mark, MIN(user_id) AS user_id, COUNT(*) AS due FROM students
        WHERE \(isAfter ? "input_mark > ? AND " : "")(
            served_mark IS NULL OR served_mark <> input_mark OR \(outdated))
        GROUP BY input_mark ORDER BY input_mark LIMIT ?
        """
    }

    /// How many there are of whom, each in one group: of who changed nobody asks how old their list is.
    ///
    /// - Parameter outdatedBefore: lists that were made before are outdated; those of the future as well, since then
    ///   the clock was set back.
    /// - Complexity: O(students), in one index.
    package func counts(outdatedBefore: Date) async throws -> DueCounts {
        let now = clock()
        return try await database.read { connection in
            let row = try connection.first(Self.countStatement, [.time(outdatedBefore), .time(now)])
            guard let row else { throw StoreError(.other, "the students were not counted") }
            return DueCounts(
                students: try row.int("students"), new: try row.int("added"), changed: try row.int("changed"),
                outdated: try row.int("outdated"))
        }
    }

    /// The next groups of students who are due, by their marks, ascending.
    ///
    /// - Parameters:
    ///   - mark: the last one of the page before; nil for the first page.
    ///   - outdatedBefore: as for `counts`.
    package func due(after mark: String?, limit: Int, outdatedBefore: Date) async throws -> [DueGroup] {
        let now = clock()
        let after: [SQLValue] = mark.map { [.text($0)] } ?? []
        return try await database.read { connection in
            try connection.query(
                Self.dueStatement(isAfter: !after.isEmpty), after + [.time(outdatedBefore), .time(now), .int(limit)]
            ).map(DueGroup.init)
        }
    }

    // MARK: Whether anything changed

    private static let revisionName = "students"

    /// Counts up with every change of students, of what they are served, and of the paths of their courses: by it a file
    /// is known that is older than they are.
    package func revision() async throws -> Int64 {
        try await database.read { try Revision.current(of: Self.revisionName, in: $0) }
    }

    /// Counts a change in the transaction that makes it.
    package static func noteChange(in connection: any SQLConnection) throws {
        try Revision.advance(revisionName, in: connection)
    }

    // MARK: Looking

    /// Students in the order asked; those that are not there are left out, and those whose input is damaged.
    ///
    /// - Throws: `ColumnCipherError` of code `missingKey`.
    package func students(ids: [String]) async throws -> [StudentRecord] {
        try await database.read { [cipher] connection in
            var found: [[UInt8]: StudentRecord] = [:]
            for start in stride(from: 0, to: ids.count, by: Self.chunk) {
                let part = ids[start..<min(start + Self.chunk, ids.count)]
                try connection.forEachRow(
                    "SELECT \(StudentRecord.columns) FROM students WHERE user_id IN (\(Self.places(part.count)))",
                    part.map { .text($0) }
                ) { row in
                    guard let student = try StudentRecord.opened(row, cipher) else { return }
                    found[Array(student.input.userID.utf8)] = student
                }
            }
            return ids.compactMap { found[Array($0.utf8)] }
        }
    }

    /// The ids of students of an input, or of a course, ascending.
    ///
    /// - Parameter userID: the last one before them.
    package func ids(
        of column: MarkColumn, mark: String, after userID: String, limit: Int
    ) async throws -> [String] {
        try await database.read { connection in
            try connection.query(
                """
                SELECT user_id FROM students WHERE \(column.rawValue) = ? AND user_id > ? ORDER BY user_id LIMIT ?
                """, [.text(mark), .text(userID), .int(limit)]
            ).map { try $0.text("user_id") }
        }
    }

    package enum MarkColumn: String, Sendable {
        case input = "input_mark"
        case course = "course_mark"
    }

    /// A student and the list that they were served last, or nil. A list that is damaged is taken for none.
    ///
    /// - Throws: `ColumnCipherError` where the student cannot be opened.
    package func list(of userID: String) async throws -> (student: StudentRecord, list: InterestListRecord?)? {
        try await database.read { [cipher] connection in
            let row = try connection.first(
                "SELECT \(StudentRecord.columns) FROM students WHERE user_id = ?", [.text(userID)])
            return try Self.withLists(row.map { [try StudentRecord($0, cipher: cipher)] } ?? [], cipher, connection)
                .first
        }
    }

    /// A page of the students by their ids, each with the list that they were served last.
    ///
    /// - Parameter userID: the last one of the page before; nil for the first page.
    package func page(after userID: String?, limit: Int) async throws -> StudentPage {
        let after: [SQLValue] = userID.map { [.text($0)] } ?? []
        return try await database.read { [cipher] connection in
            let rows = try connection.query(
                """
                SELECT \(StudentRecord.columns) FROM students \(after.isEmpty ? "" : "WHERE user_id > ?")
                ORDER BY user_id LIMIT ?
                """, after + [.int(limit)])
            let opened = try rows.map { try StudentRecord.opened($0, cipher) }
            let unreadable = try zip(rows, opened).filter { $1 == nil }.map { try $0.0.text("user_id") }
            return StudentPage(
                students: try Self.withLists(opened.compactMap { $0 }, cipher, connection), unreadable: unreadable,
                last: try rows.last?.text("user_id"))
        }
    }

    /// The lists for inputs by their marks: who is new may be served what another was, without its being made again. One
    /// that is damaged is taken for none.
    package func lists(marks: Set<String>) async throws -> [String: InterestListRecord] {
        try await database.read { [cipher] connection in try Self.lists(marks.sorted(), cipher, connection) }
    }

    /// A list is read and opened once for all who share it.
    private static func withLists(
        _ students: [StudentRecord], _ cipher: any ColumnCipher, _ connection: any SQLConnection
    ) throws -> [(student: StudentRecord, list: InterestListRecord?)] {
        let shared = try lists(Set(students.compactMap(\.servedMark)).sorted(), cipher, connection)
        return students.map { student in (student, student.servedMark.flatMap { shared[$0] }) }
    }

    private static func lists(
        _ marks: [String], _ cipher: any ColumnCipher, _ connection: any SQLConnection
    ) throws -> [String: InterestListRecord] {
        var found: [String: InterestListRecord] = [:]
        for start in stride(from: 0, to: marks.count, by: chunk) {
            let part = marks[start..<min(start + chunk, marks.count)]
            try connection.forEachRow(
                "SELECT \(InterestListRecord.columns) FROM interest_lists WHERE input_mark IN (\(places(part.count)))",
                part.map { .text($0) }
            ) { row in
                // One that is damaged keeps nobody from the others.
                do {
                    let list = try InterestListRecord(row, cipher: cipher)
                    found[list.mark] = list
                } catch let error as ColumnCipherError where error.code == .damaged {
                    return
                }
            }
        }
        return found
    }

    /// `?, ?, …`
    static func places(_ count: Int) -> String { Array(repeating: "?", count: count).joined(separator: ", ") }
}

extension DueGroup {
    init(_ row: SQLRow) throws {
        self.init(mark: try row.text("mark"), userID: try row.text("user_id"), students: try row.int("due"))
    }
}

/// Some of the students, by their ids.
package struct StudentPage: Sendable {
    package let students: [(student: StudentRecord, list: InterestListRecord?)]
    /// The ids of those whose input is damaged.
    package let unreadable: [String]
    /// The last id of all of them, for the next page; nil where there is none any more.
    package let last: String?
}
