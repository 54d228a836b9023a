import Foundation
import Monitor
import Platform
import Store
import TestSupport
import Testing

/// Runs over a store in which something is damaged, and runs that go on after they were stopped.
struct MonitorDamageTests {
    private func damage(_ table: String, _ condition: String, _ scene: MonitorScene) async throws {
        let column = table == "students" ? "input" : "document"
        try await scene.database.write { connection in
            _ = try connection.execute("UPDATE \(table) SET \(column) = 'broken' WHERE \(condition)")
        }
    }

    @Test func `one student whose input is damaged keeps nobody from their list`() async throws {
        let scene = try await MonitorScene.engine()
        try await scene.take(Trio.students)
        try await damage("students", "user_id IN ('ada', 'chen')", scene)
        let report = try await scene.run()
        // Bob says the same as Ada; of Chen nothing is known.
        #expect(report.students.generated == 1 && report.unreadable == 1 && report.hasFailed)
        #expect(try await scene.students.list(of: "bob")?.list?.origin == .engine)
        #expect(Set(try scene.studentFile().keys) == ["bob"])
        #expect(report.fileProblems[scene.files.students.path]?.contains("2 students are not in it") == true)
        // Who says it again is a student as before.
        #expect(try await scene.students.remove(userID: "chen"))
        try await scene.take(Trio.students)
        let again = try await scene.run()
        #expect(again.students.generated == 1)
        #expect(Set(try scene.studentFile().keys) == ["bob", "chen"])
    }

    @Test func `a file is not written where most of what students said cannot be opened`() async throws {
        let scene = try await MonitorScene.engine()
        try await scene.take((1...30).map { GenerationFixture.student("painting", id: "u\($0)") })
        try await scene.run()
        let before = try scene.text(of: scene.files.students.path)
        try await damage("students", "user_id <> 'u7'", scene)
        try await scene.take([GenerationFixture.student("guitar", id: "u7")])
        let report = try await scene.run()
        #expect(report.fileProblems[scene.files.students.path]?.contains("the key") == true)
        #expect(try scene.text(of: scene.files.students.path) == before)
    }

    @Test func `a list that is damaged is made anew when it is due`() async throws {
        let scene = try await MonitorScene.engine()
        try await scene.take(Trio.students)
        try await scene.run()
        let sealed = StudentRepository(scene.database, cipher: Sealing(), clock: { MonitorScene.start })
        let found = try #require(try await sealed.list(of: "ada"))
        #expect(found.list == nil)
        scene.pass(8 * MonitorScene.day)
        #expect(try await scene.run().students.generated == 2)
    }

    /// Opens no list.
    private struct Sealing: ColumnCipher {
        func seal(_ text: String, column: String) -> String { text }
        func index(_ text: String, column: String) -> String { PlainColumns().index(text, column: column) }
        func open(_ stored: String, column: String) throws -> String {
            guard column != StudentRepository.listColumn else {
                throw ColumnCipherError(.damaged, column: column, keyID: "k")
            }
            return stored
        }
    }

    @Test func `where the engine fails, who changed a word keeps the list that they have`() async throws {
        let fixture = try await GenerationFixture()
        let scene = try await MonitorScene(maker: fixture.maker)
        try await scene.take(Trio.students)
        try await scene.run()
        let before = try scene.studentFile()
        fixture.vectorizer?.isFailing.withLock { $0 = true }
        try await scene.take([
            Trio.chen("guitar"), GenerationFixture.student("", course: "", hometown: "", id: "ada"),
            GenerationFixture.student("guitar", course: "Hotel kitchens", hometown: "Leh", id: "dora"),
        ])
        let report = try await scene.run()
        // Chen keeps what there is; dora, who says the same, has nothing; ada says nothing any more.
        #expect(report.students.failed == 1 && report.students.fallenBack == 2 && report.hasFailed)
        let during = try scene.studentFile()
        #expect(during["chen"]?.recommendations == before["chen"]?.recommendations)
        #expect(during["dora"]?.recommendations.contains(#""origin":"fallback""#) == true)
        #expect(during["ada"]?.recommendations.contains(#""origin":"fallback""#) == true)
        // Nothing is written again and again meanwhile.
        #expect(try await scene.run().written.isEmpty)
        fixture.vectorizer?.isFailing.withLock { $0 = false }
        let after = try await scene.run()
        #expect(after.students.failed == 0 && after.students.generated == 2)
        #expect(try scene.studentFile()["chen"]?.recommendations.contains("musician") == true)
    }

    // MARK: Going on

    @Test func `a report is read back for the run that goes on`() throws {
        var report = MonitorReport()
        report.students.checked = 9
        (report.students.new, report.students.changed, report.students.outdated) = (4, 3, 2)
        (report.students.generated, report.students.worded, report.students.reused) = (5, 2, 1)
        report.courses.reworded = 3
        report.roster = RosterChanges(added: 1, changed: 2, renamed: 3, unchanged: 4)
        report.problems = ["timed_out": 2]
        report.costNanodollars = 123_456_789
        report.modelCalls = 17
        report.setAside = ["/f": "why"]
        report.checkSeconds = 0.25
        report.seconds = 1.5
        #expect(MonitorReport(goingOnWith: report.json) == report)
        // What is tried again is counted again.
        var failed = report
        (failed.students.generated, failed.students.fallenBack, failed.students.failed) = (8, 3, 4)
        failed.fileProblems = ["/g": "busy"]
        failed.unreadable = 1
        #expect(MonitorReport(goingOnWith: failed.json) == report)
        for text in ["", "{}", "[]", "{\"students\":1}"] {
            #expect(MonitorReport(goingOnWith: text) == MonitorReport())
        }
    }

    @Test func `a run that goes on reports all of it, and makes the calls that are left`() async throws {
        struct Stop: Error {}
        let fixture = try await GenerationFixture()
        let script = ModelScript([ModelAnswer.words([("illustrator", "Fits.")], adding: [("Poet", "It suits you.")])])
        let students = (0..<100).map { GenerationFixture.student("painting \($0), pictures", id: "u\(100 + $0)") }
        let first = try fixture.worded(by: script, calls: 80).maker
        let scene = try await MonitorScene(maker: first)
        try await scene.take(students)
        let reached = Guarded(MonitorReport())
        await #expect(throws: Stop.self) {
            try await scene.run { report in
                reached.withLock { $0 = report }
                if report.students.generated > 0 { throw Stop() }
            }
        }
        let earlier = MonitorReport(goingOnWith: reached.withLock { $0 }.json)
        #expect(earlier.students.new == 100 && earlier.students.generated == 64 && earlier.modelCalls == 64)
        let second = try fixture.worded(by: script, calls: 80 - earlier.modelCalls).maker
        let report = try await MonitorRun(
            scene.database, cipher: PlainColumns(), settings: scene.settings, maker: second,
            clock: { MonitorScene.start }
        ).perform(goingOnWith: earlier)
        #expect(report.students.checked == 100 && report.students.new == 100 && report.students.generated == 100)
        #expect(report.students.worded == 80 && report.modelCalls == 80 && script.requests.count == 80)
        #expect(report.costNanodollars == 80 * 21_000 && report.seconds >= earlier.seconds)
    }

    // MARK: Words that were not to be had

    @Test func `lists that no model was asked about are worded by later runs, as calls are left`() async throws {
        let fixture = try await GenerationFixture()
        let scene = try await MonitorScene(maker: fixture.maker)
        try await scene.take(Trio.students)
        #expect(try await scene.run().students.generated == 2)
        let script = ModelScript([ModelAnswer.words([], adding: [("Poet", "It suits you.")])])
        func run(calls: Int, market: String = ModelWording.standardMarket) async throws -> MonitorReport {
            try await scene.run(maker: try fixture.worded(by: script, calls: calls, market: market).maker)
        }
        let first = try await run(calls: 1)
        #expect(first.students.generated == 0 && first.students.reworded == 1 && first.courses.reworded == 0)
        #expect(first.modelCalls == 1 && first.costNanodollars == 21_000 && first.written.contains(StudentFile.name))
        let second = try await run(calls: 10)
        #expect(second.students.reworded == 1 && second.courses.reworded == 2 && second.modelCalls == 3)
        #expect(try await run(calls: 10).modelCalls == 0 && script.requests.count == 4)
        for student in Trio.students {
            #expect(try await scene.students.list(of: student.userID)?.list?.origin == .model)
        }
        // Another market is another question.
        let elsewhere = try await run(calls: 10, market: "Kenya")
        #expect(elsewhere.students.reworded == 2 && elsewhere.courses.reworded == 2 && elsewhere.modelCalls == 4)
    }

    @Test func `who gave no answer is asked again in the next run, who gave a useless one is not`() async throws {
        let fixture = try await GenerationFixture()
        let scene = try await MonitorScene(maker: fixture.maker)
        try await scene.take([Trio.students[2]])
        let silent = ModelScript([.status(500)])
        let first = try await scene.run(maker: try fixture.worded(by: silent).maker)
        #expect(first.students.generated == 1 && first.problems["rejected"] == 2)
        let useless = ModelScript([.text("I would be glad to help!")])
        let second = try await scene.run(maker: try fixture.worded(by: useless).maker)
        #expect(second.students.reworded == 0 && second.problems["bad_reply"] == 2)
        #expect(try await scene.run(maker: try fixture.worded(by: useless).maker).problems.isEmpty)
        #expect(try await scene.students.list(of: "chen")?.list?.origin == .engine)
    }
}
