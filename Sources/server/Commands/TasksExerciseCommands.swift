internal import ArgumentParser
internal import Foundation
internal import Logging
internal import Platform
internal import ServiceLifecycle
internal import Store
internal import UnixSignals

/// `pathlight tasks exercise`, which only tests of the queue call and no help shows: queues tasks whose effects can be
/// counted.
struct ExerciseTasks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exercise", abstract: "Queues tasks that exercise the queue.", shouldDisplay: false)

    @Option(parsing: .unconditional, help: "How many tasks.")
    var count = 1_000

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard (1...1_000_000).contains(count) else {
            throw ValidationError("--count must be from 1 to 1000000, not \(count)")
        }
    }

    func run() async throws {
        try await TaskAccess.with(common) { [count] access in
            let queue = access.queue
            try await queue.database.write { connection in
                for number in 0..<count {
                    try queue.enqueue(
                        kind: ExerciseHandler.kind, payload: "\(number)", uniqueKey: "exercise:\(number)",
                        in: connection)
                }
            }
            try Terminal.data("\(count)")
        }
    }
}

/// `pathlight tasks work --exercise`, which only tests of the queue call and no help shows: a worker for tasks of
/// `pathlight tasks exercise`, to be killed.
struct WorkOnTasks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "work", abstract: "Does the tasks that exercise the queue.", shouldDisplay: false)

    @Flag(help: "Do the tasks of “pathlight tasks exercise”; a service does all others.")
    var exercise = false

    @Option(parsing: .unconditional, help: "Tasks at a time.")
    var running = 4

    @Option(parsing: .unconditional, help: "The time of a lease.")
    var leaseSeconds = 60

    @Option(parsing: .unconditional, help: "The longest that a task takes.")
    var longestMilliseconds = 100

    @Flag(help: "End when no task waits or runs.")
    var untilDone = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard exercise else { throw ValidationError("a service does all tasks but those of --exercise") }
        for (name, value) in [
            ("--running", running), ("--lease-seconds", leaseSeconds), ("--longest-milliseconds", longestMilliseconds),
        ] where !(1...1_000_000).contains(value) {
            throw ValidationError("\(name) must be from 1 to 1000000, not \(value)")
        }
    }

    func run() async throws {
        var settings = TaskWorker.Settings()
        settings.maximumRunning = running
        settings.lease = .seconds(leaseSeconds)
        settings.pollInterval = .milliseconds(200)
        try await TaskAccess.with(common) { [settings, longestMilliseconds, untilDone] access in
            let logger = access.logger
            let worker = TaskWorker(
                access.queue, handlers: [ExerciseHandler(longest: .milliseconds(longestMilliseconds))],
                settings: settings, owner: TaskService.owner,
                observe: { event in
                    guard case .storeFailed(let doing, let error) = event else { return }
                    logger.warning(
                        "the queue cannot be reached", metadata: ["doing": "\(doing)", "problem": "\(error)"])
                })
            let service = ExerciseService(worker: worker, queue: access.queue, untilDone: untilDone)
            var configuration = ServiceGroupConfiguration(
                services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
            configuration.maximumGracefulShutdownDuration = .seconds(20)
            try await ServiceGroup(configuration: configuration).run()
        }
    }
}

/// A worker that runs until it is told to stop, or nothing is left to do.
private struct ExerciseService: Service {
    let worker: TaskWorker
    let queue: TaskQueue
    let untilDone: Bool

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await worker.run() }
                group.addTask { await waitForEnd() }
                // The first to end is the wait, unless both were told to.
                await group.next()
                group.cancelAll()
            }
        }
    }

    private func waitForEnd() async {
        while (try? await Task.sleep(for: .milliseconds(200))) != nil {
            guard untilDone else { continue }
            let counts = try? await queue.tasks.counts()
            let isDone = counts?.allSatisfy { $0.kind != ExerciseHandler.kind || $0.state.isOver }
            if isDone == true { return }
        }
    }
}
