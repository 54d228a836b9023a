import Foundation
import HTTPTypes
import Monitor
import Platform
import Store
import Testing
import server

/// What is asked of career monitoring, on a small catalogue and lists that tests store themselves.
struct MonitorRouteTests {
    private static func row(
        _ id: String, _ interests: String, name: String = "Ada", course: String = "B.Sc. Statistics"
    ) -> String {
        #"{"user_id":"\#(id)","name":"\#(name)","course":"\#(course)","interests":\#(interests)}"#
    }

    private static func careers(_ members: JSONObject, _ name: String = "recommendations") -> [JSONObject] {
        guard case .array(let items)? = members[name] else { return [] }
        return items.compactMap { if case .object(let object) = $0 { object } else { nil } }
    }

    private static func paths(of problem: JSONObject) -> [JSONValue] {
        careers(problem, "errors").compactMap { $0["path"] }
    }

    private static func counts(_ members: JSONObject) -> [JSONValue?] {
        ["added", "changed", "renamed", "unchanged"].map { members[$0] }
    }

    // MARK: Runs

    @Test func `the status says what is due before the first run`() async throws {
        try await MonitorScene.run { scene in
            let admin = try await scene.identity.bearer(.admin).fields
            let service = try await scene.identity.bearer(.service).fields
            let rows = #"{"students":[\#(Self.row("a", #""maths""#)),\#(Self.row("b", #""bees""#))]}"#
            #expect(try await scene.send(.post, "students/", rows, as: service).status == .ok)
            let status = try await scene.get("status/", as: admin)
            #expect(status["latest_run"] == .null && status["runs"] == .array([]))
            guard case .object(let schedule)? = status["schedule"], case .object(let students)? = status["students"],
                case .object(let courses)? = status["courses"]
            else {
                Issue.record("\(status)")
                return
            }
            #expect(schedule["name"] == .string("monitor") && schedule["next_time"] != .null)
            #expect(students["total"] == .integer(2) && students["due"] == .integer(2))
            #expect(students["new"] == .integer(2) && students["outdated"] == .integer(0))
            #expect(courses["total"] == .integer(1) && courses["due"] == .integer(1))
        }
    }

    @Test func `the status has the latest run with its report, and others without`() async throws {
        try await MonitorScene.run { scene in
            let service = try await scene.identity.bearer(.service).fields
            for id in ["first", "second"] {
                try await scene.runs.begin(id: id, reason: .command)
                try await scene.runs.end(id: id, state: .done, report: #"{"seconds":1.5}"#)
            }
            let status = try await scene.get("status", as: service)
            guard case .object(let latest)? = status["latest_run"] else {
                Issue.record("\(status)")
                return
            }
            #expect(latest["id"] == .string("second") && latest["state"] == .string("done"))
            #expect(latest["report"] == (try JSONParser.parse(Array(#"{"seconds":1.5}"#.utf8))))
            let runs = Self.careers(status, "runs")
            #expect(runs.count == 2 && runs.allSatisfy { $0["report"] == nil && $0["ended_at"] != .null })
        }
    }

    @Test func `a run is queued once, for administrators alone`() async throws {
        try await MonitorScene.run { scene in
            let admin = try await scene.identity.bearer(.admin).fields
            let service = try await scene.identity.bearer(.service).fields
            #expect(try await scene.send(.post, "run/", as: service).status == .forbidden)
            let first = try await scene.send(.post, "run/", as: admin)
            #expect(first.status == .accepted && first.members["queued"] == .bool(true))
            let again = try await scene.send(.post, "run/", "{}", as: admin)
            #expect(again.status == .accepted && again.members["queued"] == .bool(false))
            #expect(again.members["task_id"] == first.members["task_id"])
            // Nor by hand, as the schedule's.
            guard case .alreadyQueued(let id) = try await scene.scheduler.queueNow("monitor") else {
                Issue.record("it was queued twice")
                return
            }
            #expect(first.members["task_id"] == .string(id))
            let (tasks, total) = try await scene.queue.tasks.list(
                TaskFilter(state: .waiting, kind: "monitor"), skip: 0, limit: 10)
            #expect(total == 1 && tasks.first?.payload == #"{"reason":"api"}"#)
            #expect(try await scene.send(.post, "run/", #"{"now":true}"#, as: admin).status == .unprocessableContent)
        }
    }

    // MARK: Students of other programs

    @Test func `students are taken in, and again without effect`() async throws {
        try await MonitorScene.run { scene in
            let service = try await scene.identity.bearer(.service).fields
            func take(_ rows: String...) async throws -> [JSONValue?] {
                let body = #"{"students":[\#(rows.joined(separator: ","))]}"#
                let reply = try await scene.send(.post, "students/", body, as: service)
                #expect(reply.status == .ok)
                return Self.counts(reply.members)
            }
            let (ada, bea) = (Self.row("a", #""maths, bees""#), Self.row("b", #"["Bees","maths"]"#))
            #expect(try await take(ada, bea) == [.integer(2), .integer(0), .integer(0), .integer(0)])
            #expect(try await take(ada, bea) == [.integer(0), .integer(0), .integer(0), .integer(2)])
            let (other, renamed) = (Self.row("a", #""chess""#), Self.row("b", #""maths; BEES""#, name: "Beatrice"))
            #expect(try await take(other, renamed) == [.integer(0), .integer(1), .integer(1), .integer(0)])
            let stored = try await scene.students.students(ids: ["b"]).first
            #expect(stored?.input.name == "Beatrice" && stored?.source == .api)
        }
    }

    @Test func `bad rows are named by place and field, and nothing is stored`() async throws {
        try await MonitorScene.run { scene in
            let service = try await scene.identity.bearer(.service).fields
            let rows = [
                Self.row("good", #""maths""#), #"{"interests":"x"}"#, #"{"user_id":" ","interests":"x"}"#,
                #"{"user_id":"c","interests":"x","hobby":"y"}"#, #"{"user_id":"d"}"#,
                #"{"user_id":"e","interests":7}"#, #"{"user_id":"f","interests":["x",7]}"#, "7",
                #"{"user_id":"\#(String(repeating: "g", count: 257))","interests":"x"}"#,
            ]
            let reply = try await scene.send(
                .post, "students", #"{"students":[\#(rows.joined(separator: ","))]}"#, as: service)
            #expect(reply.status == .unprocessableContent && reply.members["code"] == .string("invalid_fields"))
            let found = Self.paths(of: reply.members)
            for path in [
                "students.1.user_id", "students.2.user_id", "students.3.hobby", "students.4.interests",
                "students.5.interests", "students.6.interests.1", "students.7", "students.8.user_id",
            ] {
                #expect(found.contains(.string(path)), "\(path)")
            }
            #expect(found.count == 8, "\(found)")
            let many = Array(repeating: Self.row("m", #""x""#), count: 1_001).joined(separator: ",")
            for body in [#"{"students":[]}"#, "{}", #"{"students":{}}"#, #"{"students":[\#(many)]}"#] {
                let refused = try await scene.send(.post, "students", body, as: service)
                #expect(refused.status == .unprocessableContent)
                #expect(Self.paths(of: refused.members) == [.string("students")])
            }
            #expect(try await scene.students.counts(outdatedBefore: MonitorScene.now).students == 0)
        }
    }

    // MARK: A student's list

    @Test func `what somebody says of themselves is theirs, and never another's`() async throws {
        try await MonitorScene.run { scene in
            let (ada, id) = try await scene.identity.bearer(.user)
            let (eve, _) = try await scene.identity.bearer(.user)
            let (educator, educatorID) = try await scene.identity.bearer(.educator)
            let path = "students/\(try #require(id))/"
            let body = #"{"name":"Ada","interests":["maths","patterns"]}"#
            for (method, sent) in [(.get, nil), (.put, body), (.delete, nil)] as [(HTTPRequest.Method, String?)] {
                #expect(try await scene.send(method, path, sent, as: eve).status == .forbidden)
                #expect(try await scene.send(method, path, sent, as: educator).status == .forbidden)
                #expect(try await scene.send(method, path, sent, as: [:]).status == .unauthorized)
            }
            #expect(try await scene.send(.put, path, body, as: ada).status == .created)
            #expect(try await scene.send(.put, path, body, as: ada).status == .ok)
            try await scene.identity.assign(learner: try #require(id), to: try #require(educatorID))
            guard case .object(let student)? = try await scene.get(path, as: educator)["student"] else {
                Issue.record("no student")
                return
            }
            #expect(student["interests"] == .string("maths; patterns") && student["source"] == .string("api"))
            #expect(try await scene.send(.put, path, body, as: educator).status == .forbidden)
            #expect(try await scene.send(.delete, path, as: educator).status == .forbidden)
            #expect(try await scene.send(.put, path, "{}", as: ada).status == .unprocessableContent)
            #expect(try await scene.send(.delete, path, as: ada).status == .noContent)
            #expect(try await scene.send(.delete, path, as: ada).status == .notFound)
        }
    }

    @Test func `where nothing is stored there is demo data, marked so`() async throws {
        try await MonitorScene.run { scene in
            let (ada, id) = try await scene.identity.bearer(.user)
            let service = try await scene.identity.bearer(.service).fields
            let path = "students/\(try #require(id))"
            // Of an account that said nothing yet; a program that asks for it learns that there is nothing.
            for isKnown in [false, true] {
                if isKnown {
                    let body = #"{"interests":"statistics and programming"}"#
                    #expect(try await scene.send(.put, path, body, as: ada).status == .created)
                    #expect(try await scene.get(path, as: service)["demo"] == .bool(true))
                } else {
                    let missing = try await scene.send(.get, path, as: service)
                    #expect(missing.status == .notFound)
                    #expect(missing.members["code"] == .string("student_not_found"))
                }
                let shown = try await scene.get(path, as: ada)
                #expect(shown["demo"] == .bool(true) && shown["origin"] == .string("demo"))
                #expect(shown["made_at"] == .null && shown["age_seconds"] == .null)
                #expect(shown["served_interests_changed"] == .bool(false))
                #expect((shown["student"] == .null) == !isKnown)
                let careers = Self.careers(shown)
                #expect(!careers.isEmpty && careers.allSatisfy { $0["origin"] == .string("demo") })
            }
        }
    }

    @Test func `a stored list comes with its age and origin, and with what the catalogue lost`() async throws {
        try await MonitorScene.run { scene in
            let service = try await scene.identity.bearer(.service).fields
            let path = "students/a"
            #expect(try await scene.send(.put, path, #"{"interests":"maths"}"#, as: service).status == .created)
            try await scene.serve("a", madeAt: MonitorScene.now - 3_600)
            let shown = try await scene.get(path, as: service)
            #expect(shown["demo"] == .bool(false) && shown["origin"] == .string("engine"))
            #expect(shown["made_at"] == .string(ISO8601.string(from: MonitorScene.now - 3_600)))
            #expect(shown["age_seconds"] == .integer(3_600) && shown["is_outdated"] == .bool(false))
            #expect(shown["generation"] == .integer(1) && shown["served_interests_changed"] == .bool(false))
            let careers = Self.careers(shown)
            #expect(careers.map { $0["in_catalogue"] } == [.bool(true), .bool(false), .bool(false)])
            #expect(careers.map { $0["is_gone"] } == [.bool(false), .bool(true), .bool(false)])
            #expect(careers.first?["career_id"] == .string("data-scientist"))
            #expect(careers.last?["origin"] == .string("model") && careers.last?["score"] == .null)
            // The list stays while the next run has not made another.
            #expect(try await scene.send(.put, path, #"{"interests":"bees"}"#, as: service).status == .ok)
            let changed = try await scene.get(path, as: service)
            #expect(changed["served_interests_changed"] == .bool(true) && changed["demo"] == .bool(false))
        }
    }

    private static let ages: [(origin: ListOrigin, age: Double, isOutdated: Bool)] = [
        (.engine, 8 * 86_400, true), (.model, 6 * 86_400, false), (.model, -60, true), (.fallback, 60, true),
    ]

    @Test(arguments: ages)
    func `a list is outdated by its age, of the future, and where it is predefined`(
        origin: ListOrigin, age: Double, isOutdated: Bool
    ) async throws {
        try await MonitorScene.run { scene in
            let service = try await scene.identity.bearer(.service).fields
            _ = try await scene.send(.put, "students/a", #"{"interests":"maths"}"#, as: service)
            try await scene.serve("a", origin, madeAt: MonitorScene.now - age)
            let shown = try await scene.get("students/a", as: service)
            #expect(shown["origin"] == .string(origin.rawValue) && shown["is_outdated"] == .bool(isOutdated))
            #expect(shown["age_seconds"] == .integer(Int64(max(0, age))))
        }
    }

    // MARK: Courses

    @Test func `a course is found however its name is spelled, and demo data where it is not known`() async throws {
        try await MonitorScene.run { scene in
            let service = try await scene.identity.bearer(.service).fields
            let rows = #"{"students":[\#(Self.row("a", #""maths""#))]}"#
            #expect(try await scene.send(.post, "students", rows, as: service).status == .ok)
            let mark = try #require(scene.marker.mark(ofCourse: "B.Sc. Statistics"))
            let paths = MadePaths(
                origin: .engine,
                careers: [
                    CoursePath(
                        careerID: "data-scientist", career: "Data Scientist", industry: "Data & AI",
                        reason: "A strong match with the course.", origin: .engine, inCatalogue: true)
                ])
            try await scene.courses.serve(
                CoursePathsRecord(
                    mark: mark, course: "B.Sc. Statistics", origin: .engine, document: paths.document, count: 1,
                    generation: nil, costNanodollars: 0, madeAt: MonitorScene.now - 31 * 86_400))
            let found = try await scene.get("courses/?name=b.sc.++STATISTICS", as: service)
            #expect(found["course"] == .string("B.Sc. Statistics") && found["demo"] == .bool(false))
            #expect(found["is_outdated"] == .bool(true) && found["generation"] == .null)
            #expect(Self.careers(found, "paths").first?["industry"] == .string("Data & AI"))
            let unknown = try await scene.get("courses?name=Alchemy", as: [:])
            #expect(unknown["demo"] == .bool(true) && unknown["course"] == .string("Alchemy"))
            #expect(!Self.careers(unknown, "paths").isEmpty)
            // What one alone wrote may tell who they are; it is shown to nobody else, as if it were not known.
            #expect(try await scene.get("courses/", as: [:])["total"] == .integer(0))
            let (ada, id) = try await scene.identity.bearer(.user)
            let (eve, _) = try await scene.identity.bearer(.user)
            let own = #"{"students":[\#(Self.row(try #require(id), #""maths""#))]}"#
            #expect(try await scene.send(.post, "students", own, as: service).status == .ok)
            let callers: [(HTTPFields, Bool)] = [([:], false), (eve, false), (ada, true), (service, true)]
            for (fields, isShown) in callers {
                let shown = try await scene.get("courses?name=b.sc.++STATISTICS", as: fields)
                #expect(shown["demo"] == .bool(!isShown))
                #expect(shown["course"] == .string(isShown ? "B.Sc. Statistics" : "b.sc. STATISTICS"))
            }
            let third = #"{"students":[\#(Self.row("c", #""maths""#))]}"#
            #expect(try await scene.send(.post, "students", third, as: service).status == .ok)
            #expect(try await scene.get("courses?name=b.sc.++STATISTICS", as: [:])["demo"] == .bool(false))
            let list = try await scene.get("courses/?limit=1", as: [:])
            #expect(list["total"] == .integer(1) && list["limit"] == .integer(1))
            let items = Self.careers(list, "items")
            #expect(items.count == 1 && items[0]["count"] == .integer(1) && items[0]["paths"] == nil)
            for query in ["?name=%20", "?name=x&skip=1", "?limit=0", "?course=x"] {
                #expect(try await scene.send(.get, "courses\(query)", as: [:]).status == .unprocessableContent)
            }
        }
    }
}
