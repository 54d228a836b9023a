import Foundation
import Store
import Testing

struct StudentRepositoryTests {
    private static let week: TimeInterval = 7 * 86_400

    private static func student(
        _ id: String, interests: String = "sailing", name: String = "Ada", course: String? = "physics"
    ) -> (input: StudentInput, marks: StudentMarks) {
        let input = StudentInput(
            userID: id, username: "\(id)1", name: name, hometown: "Turin", course: course ?? "", interests: interests)
        let mark = "\(course ?? "-") \(interests)"
        return (input, StudentMarks(input: mark, course: course, row: "\(id) \(name) \(mark)"))
    }

    private static func list(
        _ mark: String, at date: Date, origin: ListOrigin = .engine, document: String = "[]"
    ) -> InterestListRecord {
        InterestListRecord(
            mark: mark, origin: origin, document: document, count: 3, generation: origin == .engine ? 7 : nil,
            costNanodollars: 12, madeAt: date)
    }

    /// A repository with a cipher that shows what was not sealed, and a clock.
    private static func make(_ database: any SQLDatabase) -> (StudentRepository, TestClock) {
        let clock = TestClock()
        let cipher = UserRepositoryTests.Reversing()
        return (StudentRepository(database, cipher: cipher, clock: clock.read), clock)
    }

    // MARK: Roster

    @Test(arguments: DriverUnderTest.all)
    func `what a source says comes back as it was said, sealed in between`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let (students, clock) = Self.make(database)
            var odd = Self.student("ada", course: nil)
            odd.input.interests = "=1+1, \"quoted\"\r\n\u{0}\u{1F}; 日本語🚀 a\u{308}/\\"
            odd.input.username = ""
            let rows = [odd, Self.student("bob")]
            #expect(try await students.upsert(rows, source: .file) == RosterChanges(added: 2))
            let found = try #require(try await students.students(ids: ["ada"]).first)
            #expect(found.input == rows[0].input && found.marks == rows[0].marks)
            #expect(Array(found.input.interests.utf8) == Array(rows[0].input.interests.utf8))
            #expect(found.source == .file && found.createdAt == clock.now && found.updatedAt == clock.now)
            #expect(found.servedMark == nil && found.servedAt == nil)
            #expect(!"\(found)".contains("Turin"))
            let stored = try await database.read { try $0.first("SELECT input FROM students WHERE user_id = 'bob'") }
            let text = try #require(try stored?.text("input"))
            #expect(text.hasPrefix("students.input|") && !text.contains("Turin"))
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `new, changed, renamed and unchanged students are told apart`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let (students, clock) = Self.make(database)
            let start = clock.now
            let first = ["a", "b", "c"].map { Self.student($0) }
            #expect(try await students.upsert(first, source: .file) == RosterChanges(added: 3))
            #expect(try await students.upsert([], source: .file) == RosterChanges())
            clock.advance(by: 60)
            let second = [
                Self.student("a"), Self.student("b", name: "Eve"), Self.student("c", interests: "rowing"),
                Self.student("d"),
            ]
            #expect(
                try await students.upsert(second, source: .api)
                    == RosterChanges(added: 1, changed: 1, renamed: 1, unchanged: 1))
            let found = try await students.students(ids: ["d", "nobody", "a", "c", "b"])
            #expect(found.map(\.input.userID) == ["d", "a", "c", "b"])
            #expect(found.map(\.source) == [.api, .file, .api, .api])
            #expect(found.map(\.createdAt) == [clock.now, start, start, start])
            #expect(found.map(\.updatedAt) == [clock.now, start, clock.now, clock.now])
            #expect(found[2].input.interests == "rowing" && found[3].input.name == "Eve")
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `of equal ids the last one counts, and ids are equal in their bytes`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let (students, _) = Self.make(database)
            let rows = [
                Self.student("a", interests: "first"), Self.student("b\u{E4}"), Self.student("a", interests: "last"),
                Self.student("ba\u{308}", interests: "rowing"),
            ]
            #expect(try await students.upsert(rows, source: .file) == RosterChanges(added: 3))
            #expect(try await students.upsert(rows, source: .file) == RosterChanges(unchanged: 3))
            let found = try await students.students(ids: ["a", "b\u{E4}", "ba\u{308}"])
            #expect(found.map(\.input.interests) == ["last", "sailing", "rowing"])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `nothing new is not written`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let (students, _) = Self.make(database)
            // More than one statement takes.
            let rows = (0..<1_203).map { Self.student("student-\($0)") }
            #expect(try await students.upsert(rows, source: .file) == RosterChanges(added: 1_203))
            let calls = Guarded<[SQLCall]>([])
            let watch = SQLCallWatch { call in calls.withLock { $0.append(call) } }
            try await SQLCallWatch.$current.withValue(watch) {
                let changes = try await students.upsert(rows, source: .api)
                #expect(changes == RosterChanges(unchanged: 1_203))
            }
            #expect(calls.withLock { $0.map(\.isWrite) } == [false])
            let next = (0..<1_203).map { Self.student("student-\($0)", interests: $0 == 700 ? "rowing" : "sailing") }
            try await SQLCallWatch.$current.withValue(watch) {
                let changes = try await students.upsert(next, source: .api)
                #expect(changes == RosterChanges(changed: 1, unchanged: 1_202))
            }
            #expect(calls.withLock { $0.map(\.isWrite) } == [false, false, true])
            let touched = try await database.read { connection in
                try connection.query("SELECT user_id FROM students WHERE source = 'api'").map {
                    try $0.text("user_id")
                }
            }
            #expect(touched == ["student-700"])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a list of which one row cannot be stored is not stored`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let (students, clock) = Self.make(database)
            await expectError(.invalidValue) {
                _ = try await students.upsert([Self.student("a"), Self.student("b\u{0}")], source: .api)
            }
            let stored = try await students.counts(outdatedBefore: clock.now).students
            #expect(stored == 0)
        }
    }

    // MARK: Due

    @Test(arguments: DriverUnderTest.all)
    func `who is new, changed, outdated or served in the future is due`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let (students, clock) = Self.make(database)
            let names = ["changed", "fallback", "fresh", "future", "new", "old"]
            let rows = names.map { Self.student($0, interests: $0, course: nil) }
            _ = try await students.upsert(rows, source: .file)
            let limit = clock.now - Self.week
            for (name, date) in [
                ("changed", clock.now), ("fresh", limit), ("future", clock.now + 0.001), ("old", limit - 0.001),
            ] {
                #expect(try await students.serve(Self.list("- \(name)", at: date)) == 1)
            }
            // A last resort is tried again, however young it is.
            _ = try await students.serve(Self.list("- fallback", at: clock.now, origin: .fallback))
            _ = try await students.upsert([Self.student("changed", interests: "z", course: nil)], source: .file)
            #expect(
                try await students.counts(outdatedBefore: limit)
                    == DueCounts(students: 6, new: 1, changed: 1, outdated: 3))
            let due = try await students.due(after: nil, limit: 10, outdatedBefore: limit)
            #expect(due.map(\.mark) == ["- fallback", "- future", "- new", "- old", "- z"])
            #expect(due.map(\.userID) == ["fallback", "future", "new", "old", "changed"])
            // What was future is present.
            clock.advance(by: 1)
            #expect(try await students.counts(outdatedBefore: limit).outdated == 2)
            // Who says again what they were served is not due.
            _ = try await students.upsert([Self.student("changed", interests: "changed", course: nil)], source: .file)
            #expect(try await students.counts(outdatedBefore: limit).changed == 0)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `students of one mark are due together, page by page`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let (students, clock) = Self.make(database)
            let rows = (0..<10).map { Self.student("s\(9 - $0)", interests: "i\($0 % 4)", course: nil) }
            _ = try await students.upsert(rows, source: .file)
            let limit = clock.now - Self.week
            let first = try await students.due(after: nil, limit: 3, outdatedBefore: limit)
            #expect(
                first == [
                    DueGroup(mark: "- i0", userID: "s1", students: 3),
                    DueGroup(mark: "- i1", userID: "s0", students: 3),
                    DueGroup(mark: "- i2", userID: "s3", students: 2),
                ])
            let second = try await students.due(after: first.last?.mark, limit: 3, outdatedBefore: limit)
            #expect(second == [DueGroup(mark: "- i3", userID: "s2", students: 2)])
            #expect(try await students.due(after: "- i3", limit: 3, outdatedBefore: limit).isEmpty)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `who is due among 100,000 is told by an index alone`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let (students, clock) = Self.make(database)
            let count = 100_000
            let now = SQLValue.time(clock.now)
            try await database.write { connection in
                let rows = (0..<count).lazy.map { number -> [SQLValue] in
                    // One in 50 has changed; what they say lies in the table alone, as noise that nobody could open.
                    let mark = SQLValue.text("mark-\(number / 2)")
                    let served = number % 50 == 0 ? SQLValue.text("before-\(number)") : mark
                    return [
                        .text("student-\(number)"), mark, .text("course-\(number % 300)"), served, now, now, now,
                    ]
                }
                try connection.executeMany(
                    """
                    INSERT INTO students
                        (user_id, input, input_mark, course_mark, row_mark, served_mark, served_at, source, created_at,
                            updated_at)
                    VALUES (?, 'noise', ?, ?, 'row', ?, ?, 'file', ?, ?)
                    """, rows)
            }
            let limit = clock.now - Self.week
            #expect(
                try await students.counts(outdatedBefore: limit)
                    == DueCounts(students: count, new: 0, changed: 2_000, outdated: 0))
            let due = try await students.due(after: nil, limit: 5_000, outdatedBefore: limit)
            #expect(due.count == 2_000 && due.allSatisfy { $0.students == 1 })
            let courses = CourseRepository(database, clock: clock.read)
            #expect(try await courses.counts(outdatedBefore: limit).new == 300)
            #expect(try await courses.due(after: nil, limit: 1_000, outdatedBefore: limit).count == 300)

            guard database.dialect.name == "sqlite" else { return }
            for (statement, arguments) in [
                (StudentRepository.countStatement, 2), (StudentRepository.dueStatement(isAfter: false), 3),
                (StudentRepository.dueStatement(isAfter: true), 4), (CourseRepository.dueStatement(isAfter: false), 3),
                (CourseRepository.dueStatement(isAfter: true), 4), (CourseRepository.countStatement, 2),
            ] {
                let plan = try await database.read { connection in
                    try connection.query(
                        "EXPLAIN QUERY PLAN \(statement)", Array(repeating: .integer(1), count: arguments)
                    ).map { try $0.text("detail") }
                }
                // No row of a student is read, and no table is sorted.
                let ofStudents = plan.filter { $0.contains(" students ") }
                #expect(!ofStudents.isEmpty && ofStudents.allSatisfy { $0.contains("COVERING INDEX") }, "\(plan)")
                #expect(!plan.contains { $0.contains("TEMP B-TREE") }, "\(plan)")
            }
        }
    }

    // MARK: Lists

    @Test(arguments: DriverUnderTest.all)
    func `students with equal marks are served one list at once`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let (students, clock) = Self.make(database)
            let rows = ["a", "b", "c"].map { Self.student($0) } + [Self.student("d", interests: "rowing")]
            _ = try await students.upsert(rows, source: .file)
            let list = Self.list("physics sailing", at: clock.now, origin: .model, document: #"[{"reason":"wind"}]"#)
            #expect(try await students.serve(list) == 3)
            let page = try await students.page(after: nil, limit: 10).students
            #expect(page.map(\.student.input.userID) == ["a", "b", "c", "d"])
            #expect(page.map(\.list) == [list, list, list, nil])
            #expect(page[0].student.servedMark == list.mark && page[0].student.servedAt == clock.now)
            #expect(page[3].student.servedMark == nil && page[3].student.servedAt == nil)
            #expect(try await students.page(after: "b", limit: 1).students.map(\.student.input.userID) == ["c"])
            #expect(try await students.page(after: "d", limit: 1).students.isEmpty)
            #expect(try await students.list(of: "b")?.list == list)
            let unserved = try #require(try await students.list(of: "d"))
            #expect(unserved.student == page[3].student && unserved.list == nil)
            #expect(try await students.list(of: "nobody")?.student == nil)
            #expect(!"\(list)".contains("wind"))
            let stored = try await database.read { connection in
                try connection.query("SELECT document FROM interest_lists").map { try $0.text("document") }
            }
            #expect(stored.count == 1 && stored[0].hasPrefix("interest_lists.document|"))

            // A newer one takes its place for all of them; a newcomer may have it as it is.
            clock.advance(by: 60)
            let newer = Self.list("physics sailing", at: clock.now)
            #expect(try await students.serve(newer) == 3)
            _ = try await students.upsert([Self.student("e")], source: .api)
            let found = try #require(try await students.lists(marks: ["physics sailing"])["physics sailing"])
            #expect(found == newer)
            #expect(try await students.serve(found) == 4)
            #expect(try await students.lists(marks: ["physics rowing"])["physics rowing"] == nil)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `who changed keeps the old list until there is a new one`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let (students, clock) = Self.make(database)
            _ = try await students.upsert([Self.student("a"), Self.student("b")], source: .file)
            let old = Self.list("physics sailing", at: clock.now)
            _ = try await students.serve(old)
            _ = try await students.upsert([Self.student("a", interests: "rowing")], source: .file)
            #expect(try await students.list(of: "a")?.list == old)
            _ = try await students.upsert([Self.student("b", interests: "rowing")], source: .file)
            #expect(try await students.removeUnusedLists() == 0)
            #expect(try await students.serve(Self.list("physics rowing", at: clock.now)) == 2)
            #expect(try await students.removeUnusedLists() == 1)
            #expect(try await students.lists(marks: ["physics sailing"])["physics sailing"] == nil)
            #expect(try await students.list(of: "a")?.list?.mark == "physics rowing")
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a list that nobody wants any more is not stored`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let (students, clock) = Self.make(database)
            let served = try await students.serve(Self.list("nobody's", at: clock.now))
            #expect(served == 0)
            #expect(try await students.lists(marks: ["nobody's"])["nobody's"] == nil)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a student goes with the lists that were theirs alone`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let (students, clock) = Self.make(database)
            let rows = [Self.student("a"), Self.student("b"), Self.student("c", interests: "rowing")]
            _ = try await students.upsert(rows, source: .file)
            for mark in ["physics sailing", "physics rowing"] {
                _ = try await students.serve(Self.list(mark, at: clock.now))
            }
            // Served for sailing yet.
            _ = try await students.upsert([Self.student("b", interests: "chess")], source: .file)
            #expect(try await students.remove(userID: "a"))
            #expect(try await students.remove(userID: "a") == false)
            #expect(try await students.lists(marks: ["physics sailing"])["physics sailing"] != nil)
            #expect(try await students.remove(userID: "b"))
            #expect(try await students.lists(marks: ["physics sailing"])["physics sailing"] == nil)
            #expect(try await students.lists(marks: ["physics rowing"])["physics rowing"] != nil)
            #expect(try await students.counts(outdatedBefore: clock.now).students == 1)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `an input that is none is refused without its words`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let students = StudentRepository(database, clock: clock.read)
            _ = try await students.upsert([Self.student("a")], source: .file)
            for damaged in ["", "[]", #"{"name":"Ada"}"#, #"{"name":1}"#] {
                try await database.write { connection in
                    try connection.execute("UPDATE students SET input = ?", [.text(damaged)])
                }
                let error = await expectError(.unexpectedValue) { _ = try await students.list(of: "a") }
                #expect(error?.description.contains("Ada") == false)
                // Who is due is told all the same.
                #expect(try await students.counts(outdatedBefore: clock.now).new == 1)
            }
        }
    }
}
