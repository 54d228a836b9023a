import Foundation
import Platform
import Store
import Testing

/// A queue on an empty database, with a clock that stands still until it is moved.
struct TaskScene: Sendable {
    let database: any SQLDatabase
    let clock = TaskClock()
    let tasks: TaskRepository
    let queue: TaskQueue

    /// Runs `body` on a new scene and closes its database.
    static func run(_ body: (TaskScene) async throws -> Void) async throws {
        let database = try await SQLiteDatabase.temporary()
        _ = try await SchemaMigrator().migrate(database)
        try await run(on: database, body)
    }

    /// Runs `body` on a scene with a database that has the schema, and closes it.
    static func run(on database: any SQLDatabase, _ body: (TaskScene) async throws -> Void) async throws {
        do {
            try await body(TaskScene(database))
        } catch {
            try? await database.close()
            throw error
        }
        try await database.close()
    }

    private init(_ database: any SQLDatabase) {
        self.database = database
        tasks = TaskRepository(database, clock: clock.read)
        queue = TaskQueue(tasks)
    }

    /// A worker whose steps the test takes.
    func worker(
        _ handlers: [any TaskHandler], owner: String = "w", maximumRunning: Int = 4,
        pollInterval: Duration = .seconds(1), log: TaskLog = TaskLog()
    ) -> TaskWorker {
        var settings = TaskWorker.Settings()
        settings.maximumRunning = maximumRunning
        settings.pollInterval = pollInterval
        return TaskWorker(
            queue, handlers: handlers, settings: settings, owner: owner, now: clock.instant, random: { 0.5 },
            observe: log.note)
    }

    func state(_ id: String) async throws -> TaskState? { try await tasks.task(id: id)?.state }
}

/// Both of a worker's clocks, moved together.
final class TaskClock: Sendable {
    private struct Time: Sendable {
        var date = Date(timeIntervalSince1970: 1_772_357_400)
        var instant = ContinuousClock.now
    }

    private let time = Guarded(Time())

    var now: Date { time.withLock { $0.date } }
    var read: @Sendable () -> Date { { self.now } }
    var instant: @Sendable () -> ContinuousClock.Instant { { self.time.withLock { $0.instant } } }

    func advance(by seconds: Int) {
        time.withLock { time in
            time.date += TimeInterval(seconds)
            time.instant += .seconds(seconds)
        }
    }

    /// The clock on the wall alone jumps, as when somebody sets it.
    func set(_ date: Date) { time.withLock { $0.date = date } }
}

/// What workers said.
final class TaskLog: Sendable {
    private let events = Guarded<[TaskEvent]>([])

    var note: @Sendable (TaskEvent) -> Void { { event in self.events.withLock { $0.append(event) } } }

    /// The attempts that were given up, in order.
    var abandoned: [TaskEvent.Attempt] {
        events.withLock { $0 }.compactMap { if case .abandoned(let attempt) = $0 { attempt } else { nil } }
    }

    /// The endings in order.
    var endings: [TaskEvent.Ending] {
        events.withLock { $0 }.compactMap { if case .ended(_, let ending) = $0 { ending } else { nil } }
    }
}

/// A handler of the kind “k” that is a closure.
struct ClosureHandler: TaskHandler {
    var kind = "k"
    var deadline = Duration.seconds(600)
    let body: @Sendable (TaskContext) async throws -> TaskOutcome

    init(
        kind: String = "k", deadline: Duration = .seconds(600),
        _ body: @escaping @Sendable (TaskContext) async throws -> TaskOutcome
    ) {
        self.kind = kind
        self.deadline = deadline
        self.body = body
    }

    func perform(_ context: TaskContext) async throws -> TaskOutcome { try await body(context) }
}

/// Opens once; who waits before that waits for it, unless cancelled.
final class TaskGate: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func open() { continuation.finish() }

    func pass() async throws {
        for await _ in stream {}
        try Task.checkCancellation()
    }
}

/// A failure that only tests throw.
struct Mishap: Error, CustomStringConvertible {
    let description = "a mishap"
}
