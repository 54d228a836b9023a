import Foundation
import Monitor
import Platform
import Store
import Testing

/// Who is given what, and when.
struct MonitorRunTests {
    private static let studentHeader =
        "user_id,username,name,hometown,course,interests,career_recommendations,last_updated,recommendation_count\r\n"
    private static let courseHeader = "course_name,career_paths,last_updated,path_count\r\n"

    @Test func `a first run serves all and writes both files with the columns that are agreed`() async throws {
        let scene = try await MonitorScene.engine()
        #expect(try await scene.take(Trio.students) == RosterChanges(added: 3))
        let report = try await scene.run()
        #expect(report.students.checked == 3 && report.students.new == 3 && report.students.generated == 2)
        #expect(report.students.changed == 0 && report.students.outdated == 0 && report.students.fallenBack == 0)
        #expect(report.courses.checked == 2 && report.courses.new == 2 && report.courses.generated == 2)
        #expect(report.written == ["student_interests.csv", "course_careers.csv"])
        #expect(!report.hasFailed && report.problems.isEmpty && report.costNanodollars == 0)
        #expect(scene.names == ["course_careers.csv", "student_interests.csv"])
        #expect(try scene.text(of: scene.files.students.path).hasPrefix(Self.studentHeader))
        #expect(try scene.text(of: scene.files.courses.path).hasPrefix(Self.courseHeader))

        let rows = try scene.studentFile()
        #expect(rows.count == 3)
        for student in Trio.students {
            let row = try #require(rows[student.userID])
            let stored = try #require(try await scene.students.list(of: student.userID)?.list)
            #expect(row.input == student && row.recommendations == stored.document)
            #expect(row.lastUpdated == MonitorScene.start && row.count == ListMaker.listSize)
            let careers = try JSONDecoder().decode([ListedCareer].self, from: Data(row.recommendations.utf8))
            #expect(careers.count == row.count)
        }
        // What is the same in other words has the same list.
        #expect(rows["ada"]?.recommendations == rows["bob"]?.recommendations)
        let courses = try scene.courseFile()
        #expect(Set(courses.map(\.course)) == ["Fine Arts", "Hotel kitchens"])
        for course in courses {
            let paths = try JSONDecoder().decode([CoursePath].self, from: Data(course.paths.utf8))
            #expect(paths.count == course.count && !paths.isEmpty && course.lastUpdated == MonitorScene.start)
        }
    }

    @Test func `a second run touches nothing`() async throws {
        let scene = try await MonitorScene.engine()
        try await scene.take(Trio.students)
        try await scene.run()
        let before = try await scene.state()
        scene.pass(3_600)
        let report = try await scene.run()
        #expect(report.students.checked == 3 && report.courses.checked == 2)
        #expect(report.students.generated + report.students.reused + report.courses.generated == 0)
        #expect(report.written.isEmpty)
        #expect(try await scene.state() == before)
    }

    @Test func `who can be given predefined lists alone does not have the files written in each run`() async throws {
        let scene = try await MonitorScene.engine()
        try await scene.take([GenerationFixture.student("123", course: "3-4")])
        #expect(try await scene.run().students.fallenBack == 1)
        let before = try await scene.state()
        scene.pass(3_600)
        let report = try await scene.run()
        #expect(report.students.fallenBack == 1 && report.courses.fallenBack == 1 && report.written.isEmpty)
        #expect(try await scene.state() == before)
    }

    @Test func `interests in another order and case are no change`() async throws {
        let scene = try await MonitorScene.engine()
        try await scene.take(Trio.students)
        try await scene.run()
        let before = try await scene.state()
        let said = GenerationFixture.student(
            " PICTURES|painting,pictures", course: "FINE ARTS", hometown: "Pune ", id: "ada")
        #expect(try await scene.take([said]) == RosterChanges(renamed: 1))
        let report = try await scene.run()
        #expect(report.students.new + report.students.changed + report.students.outdated == 0)
        #expect(report.students.generated == 0 && report.courses.generated == 0)
        let after = try await scene.state()
        for table in ["interest_lists", "course_paths"] { #expect(after.rows[table] == before.rows[table]) }
        // What they wrote stands in the file as they wrote it.
        #expect(try scene.studentFile()["ada"]?.input == said)
        #expect(try await scene.take([said]) == RosterChanges(unchanged: 1))
    }

    @Test func `changed interests make that list alone anew, and what nobody has goes`() async throws {
        let scene = try await MonitorScene.engine()
        try await scene.take(Trio.students)
        try await scene.run()
        let before = try scene.studentFile()
        scene.pass(60)
        #expect(try await scene.take([Trio.chen("guitar, piano music")]) == RosterChanges(changed: 1))
        let report = try await scene.run()
        #expect(report.students.changed == 1 && report.students.generated == 1 && report.courses.generated == 0)
        let after = try scene.studentFile()
        #expect(after["ada"] == before["ada"] && after["bob"] == before["bob"])
        let chen = try #require(after["chen"])
        #expect(chen.lastUpdated == MonitorScene.start.addingTimeInterval(60))
        #expect(chen.recommendations != before["chen"]?.recommendations)
        #expect(chen.recommendations.contains("musician"))
        #expect(try await scene.state().rows["interest_lists"]?.count == 2)
    }

    @Test func `who is new and says what others said is given what they have`() async throws {
        let scene = try await MonitorScene.engine()
        try await scene.take(Trio.students)
        try await scene.run()
        let dora = GenerationFixture.student("PAINTING | pictures", course: "Fine arts", hometown: "Pune", id: "dora")
        try await scene.take([dora])
        let report = try await scene.run()
        #expect(report.students.new == 1 && report.students.reused == 1 && report.students.generated == 0)
        let rows = try scene.studentFile()
        #expect(rows["dora"]?.recommendations == rows["ada"]?.recommendations)
    }

    @Test func `lists are outdated after their days, and paths after theirs`() async throws {
        let scene = try await MonitorScene.engine()
        try await scene.take(Trio.students)
        try await scene.run()
        scene.pass(7 * MonitorScene.day)
        #expect(try await scene.run().students.outdated == 0)
        scene.pass(1)
        let lists = try await scene.run()
        #expect(lists.students.outdated == 3 && lists.students.generated == 2)
        #expect(lists.courses.outdated == 0 && lists.courses.generated == 0)
        let now = MonitorScene.start.addingTimeInterval(7 * MonitorScene.day + 1)
        #expect(try scene.studentFile().values.allSatisfy { $0.lastUpdated == now })
        scene.pass(23 * MonitorScene.day)
        let paths = try await scene.run()
        #expect(paths.courses.outdated == 2 && paths.courses.generated == 2)
        #expect(try await scene.run().written.isEmpty)
    }

    @Test func `a clock that is set back makes what is of the future outdated`() async throws {
        let scene = try await MonitorScene.engine()
        try await scene.take(Trio.students)
        try await scene.run()
        scene.pass(-3_600)
        let report = try await scene.run()
        #expect(report.students.outdated == 3 && report.courses.outdated == 2)
        #expect(try scene.studentFile().values.allSatisfy { $0.lastUpdated == scene.time.withLock { $0 } })
    }

    @Test func `nobody at all gives files of headers alone`() async throws {
        let scene = try await MonitorScene.engine()
        let report = try await scene.run()
        #expect(report.students == MonitorReport.Tally() && report.courses == MonitorReport.Tally())
        #expect(try scene.text(of: scene.files.students.path) == Self.studentHeader)
        #expect(try scene.text(of: scene.files.courses.path) == Self.courseHeader)
        #expect(try await scene.run().written.isEmpty)
    }

    @Test func `who watches a run sees it come to its end, also where students share a list`() async throws {
        let scene = try await MonitorScene.engine()
        try await scene.take(Trio.students)
        // A first run, and one that finds everything outdated.
        for _ in 1...2 {
            let seen = Guarded<[[Int]]>([])
            try await scene.run { report in
                let (students, courses) = (report.students, report.courses)
                seen.withLock { $0.append([students.seenTo, students.due, courses.seenTo, courses.due]) }
            }
            #expect(seen.withLock { $0 } == [[0, 3, 0, 2], [3, 3, 0, 2], [3, 3, 2, 2]])
            scene.pass(31 * MonitorScene.day)
        }
    }

    // MARK: A model

    @Test func `equal inputs are one question to a model`() async throws {
        let fixture = try await GenerationFixture()
        let script = ModelScript([ModelAnswer.words([("illustrator", "Your painting fits.")])])
        let (maker, allowance) = try fixture.worded(by: script)
        let scene = try await MonitorScene(maker: maker)
        try await scene.take(
            (1...20).map { number in
                GenerationFixture.student(
                    number.isMultiple(of: 2) ? "painting, pictures" : "Pictures;PAINTING", hometown: "Pune",
                    id: "u\(number)")
            })
        let report = try await scene.run()
        #expect(script.requests.count == 1 && allowance.remaining == 99)
        #expect(report.students.new == 20 && report.students.generated == 1 && report.students.worded == 1)
        #expect(report.costNanodollars == 21_000)
        #expect(try scene.studentFile().values.allSatisfy { $0.recommendations.contains("Your painting fits.") })
        try await scene.run()
        #expect(script.requests.count == 1)
    }

    @Test(arguments: [
        ModelScript.Answer.status(500), .status(401), .status(429), .text("no JSON"), .status(200, body: "<html>"),
        .text("{\"careers\":[", finish: "length"), .failure(.timedOut),
    ])
    func `a model that fails leaves the engine's lists`(answer: ModelScript.Answer) async throws {
        let fixture = try await GenerationFixture()
        let (maker, _) = try fixture.worded(by: ModelScript([answer]))
        let scene = try await MonitorScene(maker: maker)
        try await scene.take(Trio.students)
        let report = try await scene.run()
        #expect(report.students.generated == 2 && report.students.worded == 0 && report.students.fallenBack == 0)
        #expect(!report.problems.isEmpty && !report.hasFailed)
        for student in Trio.students {
            let list = try #require(try await scene.students.list(of: student.userID)?.list)
            #expect(list.origin == .engine && list.count == ListMaker.listSize)
        }
        // They are as good as any, until they are outdated.
        #expect(try await scene.run().students.generated == 0)
    }

    @Test func `where the engine fails, what is there stays, and who has nothing has a predefined list`() async throws {
        let fixture = try await GenerationFixture()
        let scene = try await MonitorScene(maker: fixture.maker)
        try await scene.take(Trio.students)
        try await scene.run()
        let before = try scene.studentFile()
        fixture.vectorizer?.isFailing.withLock { $0 = true }
        scene.pass(8 * MonitorScene.day)
        try await scene.take([GenerationFixture.student("guitar", id: "dora")])
        let report = try await scene.run()
        #expect(report.students.failed == 2 && report.students.fallenBack == 1 && report.hasFailed)
        let during = try scene.studentFile()
        for id in ["ada", "bob", "chen"] { #expect(during[id] == before[id]) }
        #expect(during["dora"]?.recommendations.contains(#""origin":"fallback""#) == true)
        fixture.vectorizer?.isFailing.withLock { $0 = false }
        let after = try await scene.run()
        #expect(after.students.outdated == 4 && after.students.generated == 3 && after.students.fallenBack == 0)
        #expect(try await scene.students.list(of: "dora")?.list?.origin == .engine)
    }
}
