import Foundation
import Platform
import Store
import Testing

/// Lists and courses that several students share, when one of them goes.
struct StudentErasureTests {
    private let cipher: ColumnSealer

    init() throws { cipher = ColumnSealer(try PrivateFixtures.ring("k1")) }

    private func serve(_ id: String, list: String, course: String, _ database: any SQLDatabase) async throws {
        try await PrivateFixtures.serve(id, list: list, course: course, database, cipher)
    }

    @Test func `a shared list goes with the last student who has it`() async throws {
        try await PrivateFixtures.withDatabase { database in
            let (ada, bob) = ("student-ada-lovelace", "student-bob-the-second")
            try await serve(ada, list: "shared", course: "physics", database)
            try await serve(bob, list: "shared", course: "physics", database)
            let erasure = PersonErasure(database, cipher: cipher)
            #expect(try await erasure.preview(ada) == ["students": 1])
            let first = try await erasure.erase(ada)
            #expect(first.removed == ["students": 1] && first.isProven, "\(first)")
            #expect(try await database.texts("input_mark", of: "interest_lists") == ["shared"])
            let students = StudentRepository(database, cipher: cipher)
            #expect(try await students.list(of: bob)?.list?.document == #"[{"career":"Sailor"}]"#)

            #expect(try await erasure.preview(bob) == ["students": 1, "interest_lists": 1, "course_paths": 1])
            let second = try await erasure.erase(bob)
            #expect(second.removed == ["students": 1, "interest_lists": 1, "course_paths": 1])
            #expect(second.isProven, "\(second)")
            for table in ["students", "interest_lists", "course_paths"] {
                #expect(try await database.count(table) == 0, "\(table)")
            }
        }
    }

    @Test func `the list of what somebody said before is theirs as well`() async throws {
        try await PrivateFixtures.withDatabase { database in
            let (ada, bob) = ("student-ada-lovelace", "student-bob-the-second")
            try await serve(ada, list: "before", course: "physics", database)
            try await serve(bob, list: "after", course: "physics", database)
            // Both say something else, for which nothing has been made yet.
            for (id, mark) in [(ada, "after"), (bob, "later")] {
                let input = StudentInput(
                    userID: id, username: "", name: "", hometown: "", course: "physics", interests: mark)
                let marks = StudentMarks(input: mark, course: "physics", row: mark)
                let changes = try await StudentRepository(database, cipher: cipher).upsert(
                    [(input, marks)], source: .file)
                #expect(changes == RosterChanges(changed: 1))
            }
            let text = try #require(try await PersonExport(database, cipher: cipher).document(of: ada))
            #expect(text.contains(#""input_mark": "before""#) && text.contains(#""interests":"after""#))
            let report = try await PersonErasure(database, cipher: cipher).erase(ada)
            #expect(report.removed == ["students": 1, "interest_lists": 1] && report.isProven, "\(report)")
            // Bob was served what Ada would have been.
            #expect(try await database.texts("input_mark", of: "interest_lists") == ["after"])
            #expect(try await database.texts("course_mark", of: "course_paths") == ["physics"])
        }
    }

    @Test func `what is left of nobody goes with whoever is erased next`() async throws {
        try await PrivateFixtures.withDatabase { database in
            try await serve("student-ada-lovelace", list: "first", course: "physics", database)
            // They said something else, and were served anew: nobody has the first list.
            try await serve("student-ada-lovelace", list: "second", course: "physics", database)
            #expect(try await database.count("interest_lists") == 2)
            let report = try await PersonErasure(database, cipher: cipher).erase("student-ada-lovelace")
            #expect(report.removed == ["students": 1, "interest_lists": 2, "course_paths": 1], "\(report)")
            #expect(try await database.count("interest_lists") == 0)
        }
    }

    @Test func `an export has what a student said, opened, and the list and course they share`() async throws {
        try await PrivateFixtures.withDatabase { database in
            try await serve("2", list: "shared", course: "physics", database)
            try await serve("22", list: "shared", course: "physics", database)
            try await serve("3", list: "other", course: "history", database)
            let text = try #require(try await PersonExport(database, cipher: cipher).document(of: "2"))
            let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            let tables = try #require(document["tables"] as? [String: [[String: Any]]])
            #expect(tables.mapValues(\.count) == ["students": 1, "interest_lists": 1, "course_paths": 1])
            let input = try #require(tables["students"]?.first?["input"] as? [String: String])
            #expect(
                input == [
                    "username": "", "name": "Somebody", "hometown": "Turin", "course": "physics",
                    "interests": "sailing",
                ])
            let list = try #require(tables["interest_lists"]?.first?["document"] as? [[String: String]])
            #expect(list == [["career": "Sailor"]])
            #expect(!text.contains("pl1:") && !text.contains("history"))

            let report = try await PersonErasure(database, cipher: cipher).erase("2")
            #expect(report.removed == ["students": 1] && report.isProven, "\(report)")
            #expect(try await database.texts("user_id", of: "students").sorted() == ["22", "3"])
        }
    }

    @Test func `a list that is ready after its last student was erased is not kept`() async throws {
        try await PrivateFixtures.withDatabase { database in
            try await serve("student-ada-lovelace", list: "theirs", course: "physics", database)
            let students = StudentRepository(database, cipher: cipher)
            let list = try #require(try await students.lists(marks: ["theirs"])["theirs"])
            let courses = CourseRepository(database)
            let paths = try #require(try await courses.paths(mark: "physics"))
            _ = try await PersonErasure(database, cipher: cipher).erase("student-ada-lovelace")
            #expect(try await students.serve(list) == 0)
            #expect(try await courses.serve(paths) == false)
            #expect(try await database.count("interest_lists") == 0)
            #expect(try await database.count("course_paths") == 0)
        }
    }
}
