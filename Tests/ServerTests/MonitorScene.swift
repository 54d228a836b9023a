import Engine
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Monitor
import NIOCore
import Platform
import Store
import TestSupport
import Testing
import server

/// The routes of career monitoring alone, on a small catalogue and lists that tests store themselves.
struct MonitorScene: Sendable {
    static let now = Date(timeIntervalSince1970: 1_772_100_000)
    /// A career that the catalogue had once.
    static let gone = "steam-engine-driver"

    let client: any TestClientProtocol
    let identity: Identity
    let queue: TaskQueue
    let scheduler: Scheduler
    let students: StudentRepository
    let courses: CourseRepository
    let runs: MonitorRunRepository
    let marker = InputMarker(cipher: PlainColumns())

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, as fields: HTTPFields
    ) async throws -> (status: HTTPResponse.Status, members: JSONObject) {
        let response = try await client.send(method, "/api/monitor/\(path)", body, fields)
        guard response.body.readableBytes > 0 else { return (response.status, JSONObject()) }
        guard case .object(let object) = try JSONParser.parse(Array(response.body.readableBytesView)) else {
            Issue.record("no object: \(String(buffer: response.body))")
            return (response.status, JSONObject())
        }
        return (response.status, object)
    }

    func get(_ path: String, as fields: HTTPFields) async throws -> JSONObject {
        let reply = try await send(.get, path, as: fields)
        #expect(reply.status == .ok, "\(path)")
        return reply.members
    }

    /// Stores a list for all who said what somebody said.
    func serve(_ id: String, _ origin: ListOrigin = .engine, madeAt: Date) async throws {
        let student = try #require(try await students.students(ids: [id]).first)
        let list = MadeList(
            origin: origin,
            careers: [
                ListedCareer(
                    careerID: "data-scientist", career: "Data Scientist", score: 81.25, band: "strong",
                    skills: ["statistics"], reason: "A strong match.", origin: .engine, inCatalogue: true),
                ListedCareer(
                    careerID: Self.gone, career: "Steam Engine Driver", reason: "It was there.", origin: .engine,
                    inCatalogue: true),
                ListedCareer(
                    career: "Bee Inspector", reason: "The model knows it.", origin: .model, inCatalogue: false),
            ], generation: 1)
        _ = try await students.serve(
            InterestListRecord(
                mark: student.marks.input, origin: origin, document: list.document, count: list.careers.count,
                generation: 1, costNanodollars: 0, madeAt: madeAt))
    }

    /// Runs `body` against the service and closes it.
    static func run(_ body: @escaping @Sendable (MonitorScene) async throws -> Void) async throws {
        let database = try await SQLiteDatabase.temporary()
        _ = try await SchemaMigrator().migrate(database)
        let careers = try ["data-ai", "health", "education"].flatMap { name in
            try CareerFile.careers(from: Self.asset("careers/\(name).json"), named: name)
        }
        let built = try await CareerGenerationBuilder(
            database: database, quiz: Quiz(from: Self.asset("quiz.json"))
        ).build(
            CatalogueContent(
                careers: careers, retired: [Self.gone], revision: try await CareerRepository(database).revision()),
            encoder: nil,
            degradation: Degradation(reason: .noModel, detail: "no model here"))
        let queue = TaskQueue(TaskRepository(database))
        let scheduler = try Scheduler(
            queue, schedules: ScheduleRepository(database),
            defined: BuiltInTasks.schedules(monitor: "11 */6 * * *"), single: BuiltInTasks.single)
        try await scheduler.define()
        let identity = Identity(database: database, cipher: PlainColumns())
        let service = HTTPService(
            settings: ServiceSettings(), registry: MetricsRegistry(),
            access: AccessControl(settings: ServiceSettings(), identity: identity),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        MonitorRoutes(
            database: database, cipher: PlainColumns(), settings: MonitorSettings(folder: "/nowhere"),
            predefined: try PredefinedLists(from: Self.asset("predefined-lists.json")),
            recommender: Recommender(generation: built.generation, encoder: nil), queue: queue, scheduler: scheduler,
            clock: { Self.now }
        ).add(to: service.routes)
        let students = StudentRepository(database, clock: { Self.now })
        let courses = CourseRepository(database, clock: { Self.now })
        let runs = MonitorRunRepository(database, clock: { Self.now })
        try await service.application().test(.router) { client in
            try await body(
                MonitorScene(
                    client: client, identity: identity, queue: queue, scheduler: scheduler, students: students,
                    courses: courses, runs: runs))
        }
        try await database.close()
    }

    private static func asset(_ path: String) throws -> Data {
        try Data(contentsOf: RepositoryRoot.file("Sources/CAssets/\(path)"))
    }
}
