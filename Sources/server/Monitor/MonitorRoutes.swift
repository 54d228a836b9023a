package import Engine
package import Foundation
internal import HTTPTypes
internal import Hummingbird
package import Monitor
package import Platform
package import Store

/// Career monitoring: how it goes, what it is told of students, and what it has ready for them, below `/api/monitor/`.
///
/// What is served here is read from the store as it is; nothing is computed while somebody waits but demo data.
package struct MonitorRoutes {
    /// Runs that the status lists.
    private static let latestRuns = 10

    let database: any SQLDatabase
    let settings: MonitorSettings
    let students: StudentRepository
    let courses: CourseRepository
    let roster: Roster
    let marker: InputMarker
    let demo: DemoLists
    let recommender: Recommender
    let clock: @Sendable () -> Date
    private let runs: MonitorRunRepository
    private let queue: TaskQueue
    private let scheduler: Scheduler

    package init(
        database: any SQLDatabase, cipher: any ColumnCipher, settings: MonitorSettings, predefined: PredefinedLists,
        recommender: Recommender, queue: TaskQueue, scheduler: Scheduler,
        clock: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.database = database
        self.settings = settings
        self.recommender = recommender
        self.queue = queue
        self.scheduler = scheduler
        self.clock = clock
        students = StudentRepository(database, cipher: cipher, clock: clock)
        courses = CourseRepository(database, clock: clock)
        runs = MonitorRunRepository(database, clock: clock)
        marker = InputMarker(cipher: cipher)
        roster = Roster(students: students, marker: marker)
        demo = DemoLists(predefined)
    }

    init(monitor: MonitorService, pathways: Pathways, queue: TaskQueue, scheduler: Scheduler) {
        self.init(
            database: pathways.database, cipher: pathways.cipher, settings: monitor.settings,
            predefined: monitor.predefined, recommender: pathways.recommender, queue: queue, scheduler: scheduler)
    }

    package func add(to router: GuardedRouter) {
        let own = RouteRule.own("user_id", scope: RouteRule.Scope.monitor)
        router.get("/api/monitor/status", .monitor) { request, _ in try await status(request) }
        router.post("/api/monitor/run", .admin) { request, scope in try await run(request, scope) }
        router.get("/api/monitor/courses", .careers) { request, scope in
            try await coursePaths(request, scope)
        }
        router.post("/api/monitor/students", .monitor) { request, scope in try await takeStudents(request, scope) }
        router.get("/api/monitor/students/{user_id}", own) { request, scope in try await student(request, scope) }
        router.put("/api/monitor/students/{user_id}", own) { request, scope in
            try await putStudent(request, scope)
        }
        router.delete("/api/monitor/students/{user_id}", own) { request, scope in
            try await removeStudent(request, scope)
        }
    }

    // MARK: Runs

    private func status(_ request: Request) async throws -> Response {
        try request.readQuery { _ in }
        let now = clock()
        let schedule = try await scheduler.schedule(MonitorHandler.kind)
        let students = try await students.counts(outdatedBefore: settings.studentsOutdatedBefore(now))
        let courses = try await courses.counts(outdatedBefore: settings.coursesOutdatedBefore(now))
        let runs = try await runs.latest(limit: Self.latestRuns)
        return .json(headers: [.cacheControl: "no-store"]) { json in
            json.object { json in
                json.name("schedule")
                if let schedule {
                    TaskWriter.write(schedule, next: scheduler.next(of: schedule), to: &json)
                } else {
                    json.null()
                }
                json.field("students") { json in
                    json.field("total", students.students)
                    json.field("due", students.new + students.changed + students.outdated)
                    json.field("new", students.new)
                    json.field("changed", students.changed)
                    json.field("outdated", students.outdated)
                }
                json.field("courses") { json in
                    json.field("total", courses.courses)
                    json.field("due", courses.new + courses.outdated)
                    json.field("new", courses.new)
                    json.field("outdated", courses.outdated)
                }
                json.name("latest_run")
                if let latest = runs.first {
                    MonitorWriter.write(latest, isWhole: true, to: &json)
                } else {
                    json.null()
                }
                json.field("runs", arrayOf: runs) { json, run in
                    MonitorWriter.write(run, isWhole: false, to: &json)
                }
            }
        }
    }

    /// Queues a run. One that waits or runs already does the same work, whoever asked for it.
    private func run(_ request: Request, _ scope: RequestScope) async throws -> Response {
        try await request.readNothing(in: scope)
        let enqueued = try await queue.enqueue(
            kind: MonitorHandler.kind, payload: MonitorHandler.payload(.api), uniqueKey: MonitorHandler.uniqueKey)
        return .json(status: .accepted) { TaskWriter.write(enqueued, to: &$0) }
    }
}

extension ProblemCode {
    static let studentNotFound = ProblemCode("student_not_found", .notFound, "There is no such student")
}
