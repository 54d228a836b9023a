import Foundation
import Store
import Testing

struct CourseRepositoryTests {
    private static let month: TimeInterval = 30 * 86_400

    /// Students by id, each with a course or none.
    private static func enrol(
        _ students: KeyValuePairs<String, String?>, in database: any SQLDatabase
    ) async throws {
        let rows = students.map { id, course in
            let input = StudentInput(
                userID: id, username: "", name: "", hometown: "", course: course ?? "", interests: "")
            let marks = StudentMarks(input: course ?? "-", course: course, row: "\(id) \(course ?? "-")")
            return (input: input, marks: marks)
        }
        _ = try await StudentRepository(database).upsert(rows, source: .file)
    }

    private static func paths(
        _ mark: String, at date: Date, course: String? = nil, origin: ListOrigin = .engine
    ) -> CoursePathsRecord {
        CoursePathsRecord(
            mark: mark, course: course ?? mark, origin: origin, document: #"[{"career":"Sailor"}]"#, count: 1,
            generation: nil, costNanodollars: 5, madeAt: date)
    }

    @Test(arguments: DriverUnderTest.all)
    func `courses without paths, with old ones and with a fall-back are due`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let courses = CourseRepository(database, clock: clock.read)
            let limit = clock.now - Self.month
            #expect(try await courses.counts(outdatedBefore: limit).courses == 0)
            try await Self.enrol(
                [
                    "a": "new", "b": "new", "c": "fresh", "d": "old", "e": "future", "f": "fallback", "g": nil,
                    "h": "fresh",
                ], in: database)
            for (mark, date) in [("fresh", limit), ("old", limit - 0.001), ("future", clock.now + 0.001)] {
                #expect(try await courses.serve(Self.paths(mark, at: date)))
            }
            #expect(try await courses.serve(Self.paths("fallback", at: clock.now, origin: .fallback)))
            let counts = try await courses.counts(outdatedBefore: limit)
            #expect(counts.courses == 5 && counts.new == 1 && counts.outdated == 3)
            let due = try await courses.due(after: nil, limit: 2, outdatedBefore: limit)
            #expect(
                due == [
                    DueGroup(mark: "fallback", userID: "f", students: 1),
                    DueGroup(mark: "future", userID: "e", students: 1),
                ])
            let rest = try await courses.due(after: "future", limit: 9, outdatedBefore: limit)
            #expect(
                rest == [
                    DueGroup(mark: "new", userID: "a", students: 2), DueGroup(mark: "old", userID: "d", students: 1),
                ])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `paths are replaced, and the course keeps its first name`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let courses = CourseRepository(database, clock: clock.read)
            try await Self.enrol(["a": "history", "b": "physics"], in: database)
            try await courses.serve(Self.paths("physics", at: clock.now, course: "BSc Physics", origin: .fallback))
            let newer = Self.paths("physics", at: clock.now + 1, course: "bsc  PHYSICS", origin: .model)
            try await courses.serve(newer)
            let found = try #require(try await courses.paths(mark: "physics"))
            #expect(found.course == "BSc Physics" && found.origin == .model && found.madeAt == newer.madeAt)
            #expect(found.document == newer.document && found.count == 1 && found.costNanodollars == 5)
            #expect(try await courses.paths(mark: "history") == nil)
            try await courses.serve(Self.paths("history", at: clock.now))
            #expect(try await courses.page(after: nil, limit: 9).map(\.mark) == ["history", "physics"])
            #expect(try await courses.page(after: "history", limit: 1) == [found])
            #expect(try await courses.page(after: "physics", limit: 1).isEmpty)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a course that nobody names any more has no paths`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let courses = CourseRepository(database, clock: clock.read)
            #expect(try await courses.serve(Self.paths("physics", at: clock.now)) == false)
            try await Self.enrol(["a": "history", "b": "physics"], in: database)
            for mark in ["history", "physics"] { try await courses.serve(Self.paths(mark, at: clock.now)) }
            let students = StudentRepository(database)
            let before = try await students.revision()
            #expect(try await courses.removeUnused() == 0)
            #expect(try await students.revision() == before)
            try await Self.enrol(["b": "chemistry"], in: database)
            let changed = try await students.revision()
            #expect(try await courses.removeUnused() == 1)
            // A file that was written before is known to be older.
            #expect(try await students.revision() > changed)
            #expect(try await courses.page(after: nil, limit: 9).map(\.mark) == ["history"])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `the paths of a course go with the last student who names it`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let courses = CourseRepository(database, clock: clock.read)
            let students = StudentRepository(database)
            try await Self.enrol(["a": "history", "b": "history", "c": "physics", "d": nil], in: database)
            for mark in ["history", "physics"] { try await courses.serve(Self.paths(mark, at: clock.now)) }
            let rounds: [(String, [String])] = [
                ("a", ["history", "physics"]), ("d", ["history", "physics"]), ("c", ["history"]), ("b", []),
            ]
            for (id, left) in rounds {
                #expect(try await students.remove(userID: id))
                #expect(try await courses.page(after: nil, limit: 9).map(\.mark) == left)
            }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a course is shown that enough name, and to who names it`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let courses = CourseRepository(database, clock: clock.read)
            try await Self.enrol(["a": "history", "b": "history", "c": "physics"], in: database)
            for mark in ["history", "physics"] { try await courses.serve(Self.paths(mark, at: clock.now)) }
            func isShown(_ mark: String, _ minimum: Int, _ userID: String?) async throws -> Bool {
                try await courses.paths(mark: mark, minimumStudents: minimum, orNamedBy: userID) != nil
            }
            #expect(try await isShown("history", 2, nil))
            #expect(try await isShown("history", 3, nil) == false)
            #expect(try await isShown("history", 3, "c") == false)
            #expect(try await isShown("history", 3, "b"))
            #expect(try await isShown("physics", 0, nil))
            #expect(try await isShown("chemistry", 0, "a") == false)
        }
    }
}
