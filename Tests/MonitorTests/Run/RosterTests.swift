import Foundation
import Monitor
import Store
import TestSupport
import Testing

/// Files of students that are taken in.
struct RosterTests {
    private let folder: TemporaryDirectory
    private let database: any SQLDatabase
    private let students: StudentRepository
    private let roster: Roster

    init() async throws {
        folder = try TemporaryDirectory("roster")
        database = try await SQLiteDatabase.temporary()
        _ = try await SchemaMigrator().migrate(database)
        students = StudentRepository(database, cipher: PlainColumns())
        roster = Roster(students: students, marker: InputMarker(cipher: PlainColumns()))
    }

    private func file(_ text: String, _ name: String = "students.jsonl") throws -> String {
        try folder.write(text, to: name).path
    }

    private func input(_ id: String) async throws -> StudentInput? {
        try await students.list(of: id)?.student.input
    }

    @Test func `what is told twice is stored once, whatever tells it`() async throws {
        let student = GenerationFixture.student("painting", course: "Fine Arts", hometown: "Pune", id: "ada")
        #expect(try await roster.take([student], from: .api) == RosterChanges(added: 1))
        let revision = try await students.revision()
        let path = try file(
            "user_id,username,name,hometown,course,interests\nada,login-ada,Name of ada,Pune,Fine Arts,painting\n",
            "a.csv")
        #expect(try await roster.read(path).changes == RosterChanges(unchanged: 1))
        #expect(try await students.revision() == revision)
        #expect(try await students.list(of: "ada")?.student.source == .api)
    }

    @Test func `a large file is taken in chunk by chunk`() async throws {
        let rows = (0..<2_500).map { "u\($0),,,Pune,,painting \($0 % 7)" }
        let path = try file(
            "user_id,username,name,hometown,course,interests\n" + rows.joined(separator: "\n"), "large.csv")
        let seen = Guarded<[Int]>([])
        let read = try await roster.read(path) { taken in seen.withLock { $0.append(taken) } }
        #expect(read.changes == RosterChanges(added: 2_500) && seen.withLock { $0 } == [1_000, 2_000, 2_500])
        #expect(try await roster.read(path).changes == RosterChanges(unchanged: 2_500))
    }

    @Test func `JSON Lines have the fields of the columns, and those that are not there are empty`() async throws {
        let path = try file(
            """
            \u{FEFF}{"user_id":"ada","username":"a","name":"Ada \\"A\\"",\
            "hometown":"पुणे","course":"Fine Arts","interests":"a, b"}\r

            {"interests":["music","الرسم"],"user_id":17,"name":null}
            {"user_id":"out","interests":"x","recommendations":[{"career":"y"}],\
            "origin":null,"last_updated":null,"recommendation_count":1}
            """)
        let read = try await roster.read(path, as: .jsonl, from: .command)
        #expect(read.changes == RosterChanges(added: 3))
        #expect(try MonitorFile(path).digest() == read.digest)
        #expect(
            try await input("ada")
                == StudentInput(
                    userID: "ada", username: "a", name: "Ada \"A\"", hometown: "पुणे", course: "Fine Arts",
                    interests: "a, b"))
        let second = try #require(try await students.list(of: "17")?.student)
        #expect(second.input.interests == "music; الرسم" && second.input.name.isEmpty && second.source == .command)
        #expect(try await input("out")?.interests == "x")
        #expect(try await roster.read(path, as: .jsonl).changes == RosterChanges(unchanged: 3))
    }

    @Test(arguments: [
        ("{\"user_id\":\"b\"", MonitorFileError.Code.notJSON), ("[]", .notJSON), ("b,,,,,painting", .notJSON),
        ("{\"user_id\":\"b\"} {}", .notJSON), ("{\"user_id\":\"b\",\"interests\":[1]}", .notJSON),
        ("{\"user_id\":\"b\",\"name\":{}}", .notJSON), ("{\"user_id\":\"b\",\"intrests\":\"x\"}", .header),
        ("{\"interests\":\"x\"}", .missingKey), ("{\"user_id\":\" \",\"interests\":\"x\"}", .missingKey),
        ("{\"user_id\":\"b\"}", .header),
        ("{\"user_id\":\"ada\",\"interests\":\"\"}", .duplicateKey),
        ("{\"user_id\":\"b\",\"name\":\"\\u0000\"}", .notText),
    ])
    func `of a damaged file nothing is taken`(line: String, code: MonitorFileError.Code) async throws {
        let path = try file("{\"user_id\":\"ada\",\"interests\":\"painting\"}\n\(line)\n")
        let error = await #expect(throws: MonitorFileError.self) { try await roster.read(path, as: .jsonl) }
        #expect(error?.code == code && error?.line == 2 && error?.isDamage == true)
        #expect(try await students.counts(outdatedBefore: .now).students == 0)
    }

    @Test func `lines that are longer than any are refused before they are held`() async throws {
        let text = "{\"user_id\":\"" + String(repeating: "x", count: 9 << 20)
        let path = try file(text)
        let error = await #expect(throws: MonitorFileError.self) { try await roster.read(path, as: .jsonl) }
        #expect(error?.code == .tooLong && error?.line == 1)
        let wrong = try folder.write([0x7B, 0xFF, 0x7D] as [UInt8], to: "wrong.jsonl").path
        let second = await #expect(throws: MonitorFileError.self) { try await roster.read(wrong, as: .jsonl) }
        #expect(second?.code == .notText)
        #expect(try await roster.read(try file("\n\n"), as: .jsonl).changes == RosterChanges())
    }

    @Test func `a name tells the format`() {
        #expect(StudentFormat(fileName: "a.b.CSV") == .csv && StudentFormat(fileName: "/x/a.jsonl") == .jsonl)
        #expect(StudentFormat(fileName: "a.ndjson") == .jsonl && StudentFormat(fileName: "students") == nil)
    }
}
