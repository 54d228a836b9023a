import Foundation

/// What changes students and their lists.
extension StudentRepository {
    // MARK: Roster

    /// Stores what a source says, in one transaction; where nothing is new, nothing is written. Of equal ids the last one
    /// counts.
    ///
    /// - Parameter isRead: whether it is noted as what the file of another says (`StudentStanding.readMark`).
    /// - Throws: `StoreError` of code `invalidValue` for an id with U+0000, `ColumnCipherError`; then nothing is stored.
    package func upsert(
        _ students: [(input: StudentInput, marks: StudentMarks)], source: StudentSource, isRead: Bool = false
    ) async throws -> RosterChanges {
        let said = Self.last(of: students)
        // Sealed on the driver's thread, before the transaction that others wait for, and only what is new.
        let news = try await database.read { [cipher] connection in try Self.news(among: said, cipher, connection) }
        let unchanged = RosterChanges(unchanged: said.count - news.count)
        guard !news.isEmpty else { return unchanged }
        let now = SQLValue.time(clock())
        let written = try await database.write { try Self.store(news, source, isRead: isRead, now, $0) }
        return unchanged + written
    }

    /// Ids are told apart by their bytes, as the database does; Swift takes “ä” in one scalar and in two for the same.
    private static func last(
        of students: [(input: StudentInput, marks: StudentMarks)]
    ) -> [(input: StudentInput, marks: StudentMarks)] {
        var places: [[UInt8]: Int] = [:]
        for (place, student) in students.enumerated() { places[Array(student.input.userID.utf8)] = place }
        return places.values.sorted().map { students[$0] }
    }

    /// A student of whom something is to be written.
    private struct News: Sendable {
        let userID: String
        let marks: StudentMarks
        let sealedInput: String
    }

    private static func news(
        among said: [(input: StudentInput, marks: StudentMarks)], _ cipher: any ColumnCipher,
        _ connection: any SQLConnection
    ) throws -> [News] {
        let stored = try storedMarks(said.map(\.input.userID), connection)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try said.compactMap { input, marks in
            if let known = stored[Array(input.userID.utf8)], known.row == marks.row, known.input == marks.input {
                return nil
            }
            let text = try StudentDocument(input).text(encoder)
            return News(
                userID: input.userID, marks: marks, sealedInput: try cipher.seal(text, column: inputColumn))
        }
    }

    private static func store(
        _ news: [News], _ source: StudentSource, isRead: Bool, _ now: SQLValue, _ connection: any SQLConnection
    ) throws -> RosterChanges {
        // Another may have written the same since it was looked up.
        let stored = try storedMarks(news.map(\.userID), connection)
        var changes = RosterChanges()
        var rows: [[SQLValue]] = []
        for one in news {
            let known = stored[Array(one.userID.utf8)]
            if let known, known.row == one.marks.row, known.input == one.marks.input {
                changes.unchanged += 1
                continue
            }
            if let known {
                if known.input == one.marks.input { changes.renamed += 1 } else { changes.changed += 1 }
            } else {
                changes.added += 1
            }
            rows.append([
                .text(one.userID), .text(one.sealedInput), .text(one.marks.input), .optionalText(one.marks.course),
                .text(one.marks.row), .text(source.rawValue), now, now, isRead ? .text(one.marks.row) : .null,
            ])
        }
        try connection.executeMany(
            """
            INSERT INTO students
                (user_id, input, input_mark, course_mark, row_mark, source, created_at, updated_at, read_mark)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (user_id) DO UPDATE SET input = excluded.input, input_mark = excluded.input_mark,
                course_mark = excluded.course_mark, row_mark = excluded.row_mark, source = excluded.source,
                updated_at = excluded.updated_at, read_mark = COALESCE(excluded.read_mark, students.read_mark)
            """, rows)
        if !rows.isEmpty { try noteChange(in: connection) }
        return changes
    }

    private static func storedMarks(
        _ ids: [String], _ connection: any SQLConnection
    ) throws -> [[UInt8]: (input: String, row: String)] {
        var stored: [[UInt8]: (input: String, row: String)] = [:]
        for start in stride(from: 0, to: ids.count, by: chunk) {
            let part = ids[start..<min(start + chunk, ids.count)]
            try connection.forEachRow(
                "SELECT user_id, input_mark, row_mark FROM students WHERE user_id IN (\(places(part.count)))",
                part.map { .text($0) }
            ) { row in
                stored[Array(try row.text("user_id").utf8)] = (try row.text("input_mark"), try row.text("row_mark"))
            }
        }
        return stored
    }

    // MARK: Lists

    /// Stores a list and gives it to all students of its mark, in one transaction. Where there is none any more, since
    /// they said something else or were erased meanwhile, nothing is stored.
    ///
    /// - Parameters:
    ///   - isSame: whether it is what is stored already; then nothing is written where all have it.
    ///   - sparesBetter: whether students who have another list that is no fall-back keep that, and stay due.
    /// - Returns: how many students have got it.
    @discardableResult
    package func serve(
        _ list: InterestListRecord, isSame: Bool = false, sparesBetter: Bool = false
    ) async throws -> Int {
        let document = try cipher.seal(list.document, column: Self.listColumn)
        let spared = sparesBetter ? " AND \(Self.hasNothingBetter)" : ""
        // What no time is known of is due again.
        let servedAt: SQLValue = list.origin == .fallback ? .null : .time(list.madeAt)
        return try await database.write { connection in
            if isSame {
                let other = try connection.first(
                    """
                    SELECT user_id FROM students
                    WHERE input_mark = ? AND (served_mark IS NULL OR served_mark <> ?)\(spared) LIMIT 1
                    """,
                    [.text(list.mark), .text(list.mark)])
                guard other != nil else { return 0 }
            }
            let served = try connection.execute(
                """
                UPDATE students SET served_mark = input_mark, served_at = ?
                WHERE input_mark = ?\(spared)
                """,
                [servedAt, .text(list.mark)])
            guard served > 0 else { return 0 }
            try connection.execute(
                """
                INSERT INTO interest_lists
                    (input_mark, origin, career_count, generation, cost_nanodollars, made_at, document, asked_market)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (input_mark) DO UPDATE SET origin = excluded.origin,
                    career_count = excluded.career_count, generation = excluded.generation,
                    cost_nanodollars = excluded.cost_nanodollars, made_at = excluded.made_at,
                    document = excluded.document, asked_market = excluded.asked_market
                """,
                [
                    .text(list.mark), .text(list.origin.rawValue), .int(list.count),
                    .optionalInteger(list.generation), .integer(list.costNanodollars), .time(list.madeAt),
                    .text(document), .optionalText(list.askedMarket),
                ])
            try Self.noteChange(in: connection)
            return served
        }
    }

    /// Of a student: no list but a fall-back, or the one of what they say now.
    private static let hasNothingBetter = """
        (served_mark IS NULL OR served_mark = input_mark OR NOT EXISTS (
            SELECT 1 FROM interest_lists
            WHERE interest_lists.input_mark = students.served_mark AND interest_lists.origin <> 'fallback'))
        """

    /// Of a list: no student has its mark, neither of what they said nor of what they were served. In two parts, each of
    /// which an index answers.
    private static let isUnused = """
        NOT EXISTS (SELECT 1 FROM students WHERE students.input_mark = interest_lists.input_mark)
        AND NOT EXISTS (
            SELECT 1 FROM students
            WHERE students.served_mark = interest_lists.input_mark AND students.served_mark <> students.input_mark)
        """

    /// Removes the lists that no student has any more.
    ///
    /// - Returns: how many went.
    @discardableResult
    package func removeUnusedLists() async throws -> Int {
        try await database.write { try $0.execute("DELETE FROM interest_lists WHERE \(Self.isUnused)") }
    }

    /// Removes a student, and their lists and the paths of their course with the last who had them.
    ///
    /// - Returns: whether there was one.
    package func remove(userID: String) async throws -> Bool {
        try await database.write { connection in
            let row = try connection.first(
                "DELETE FROM students WHERE user_id = ? RETURNING input_mark, served_mark, course_mark, read_mark",
                [.text(userID)])
            guard let row else { return false }
            // Their row may stand in the file of another for long; as it is, it makes nobody a student again.
            if let mark = try row.optionalText("read_mark") {
                try connection.execute(
                    "INSERT INTO removed_rows (row_mark) VALUES (?) ON CONFLICT (row_mark) DO NOTHING", [.text(mark)])
            }
            let marks = Set([try row.text("input_mark"), try row.optionalText("served_mark")].compactMap { $0 })
            for mark in marks {
                try connection.execute(
                    "DELETE FROM interest_lists WHERE input_mark = ? AND \(Self.isUnused)", [.text(mark)])
            }
            if let course = try row.optionalText("course_mark") {
                try CourseRepository.removeUnused(course, in: connection)
            }
            try Self.noteChange(in: connection)
            return true
        }
    }
}
