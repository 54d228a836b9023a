internal import Foundation
internal import Logging
internal import Platform
internal import ServiceLifecycle
internal import Store

/// Does tasks and queues what comes due, beside the server, and says in the log what goes wrong.
struct TaskService: Service {
    /// Between two counts of the queue for `/metrics`.
    private static let countInterval = Duration.seconds(15)

    let queue: TaskQueue
    let scheduler: Scheduler
    let worker: TaskWorker
    private let metrics: TaskMetrics
    private let logger: Logger

    /// - Parameters:
    ///   - handlers: of distinct kinds.
    ///   - schedules: the kinds of which `handlers` does.
    ///   - single: as `Scheduler` has it.
    /// - Throws: `TaskError.invalidSchedule`.
    init(
        queue: TaskQueue, handlers: [any TaskHandler], schedules: [Schedule], single: Set<String>,
        settings: TaskWorker.Settings = TaskWorker.Settings(), registry: MetricsRegistry, logger: Logger
    ) throws {
        let metrics = TaskMetrics(registry)
        metrics.expect(handlers.map { $0.kind })
        self.queue = queue
        self.metrics = metrics
        self.logger = logger
        scheduler = try Scheduler(
            queue, schedules: ScheduleRepository(queue.database), defined: schedules, single: single)
        worker = TaskWorker(
            queue, handlers: handlers, settings: settings, owner: Self.owner,
            observe: { event in
                metrics.note(event)
                Self.log(event, to: logger)
            })
    }

    /// Tells workers apart for people: host and process.
    static var owner: String {
        "\(ProcessInfo.processInfo.hostName):\(ProcessInfo.processInfo.processIdentifier)"
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await worker.run() }
                group.addTask {
                    guard await defineSchedules() else { return }
                    await scheduler.run { Self.log($0, to: logger) }
                }
                group.addTask { await count() }
                await group.waitForAll()
            }
        }
    }

    /// - Returns: false where it was cancelled before.
    private func defineSchedules() async -> Bool {
        while !Task.isCancelled {
            do {
                try await scheduler.define()
                return true
            } catch is CancellationError {
                return false
            } catch {
                logger.error("schedules cannot be stored, and wait", metadata: ["problem": "\(error)"])
                try? await Task.sleep(for: .seconds(5))
            }
        }
        return false
    }

    private func count() async {
        repeat {
            do {
                metrics.show(try await queue.statistics())
            } catch is CancellationError {
                return
            } catch {
                logger.warning("tasks cannot be counted", metadata: ["problem": "\(error)"])
            }
        } while (try? await Task.sleep(for: Self.countInterval)) != nil
    }

    // MARK: Logging

    private static func log(_ event: TaskEvent, to logger: Logger) {
        switch event {
        case .storeFailed(let doing, let error):
            logger.error("the queue cannot be reached", metadata: ["doing": "\(doing)", "problem": "\(error)"])
        case .abandoned(let attempt):
            logger.error(
                "a task does not end though it was told to; others get it when its lease runs out",
                metadata: [
                    "task": "\(attempt.id)", "kind": "\(attempt.kind)", "attempt": "\(attempt.number)",
                    "seconds": "\(attempt.duration.seconds)",
                ])
        case .ended(let attempt, let ending):
            var metadata: Logger.Metadata = [
                "task": "\(attempt.id)", "kind": "\(attempt.kind)", "attempt": "\(attempt.number)",
                "seconds": "\(attempt.duration.seconds)", "ending": "\(ending.name)",
            ]
            switch ending {
            case .done, .cancelled, .givenBack:
                logger.info("task ended", metadata: metadata)
            case .postponed(let date):
                metadata["until"] = "\(SQLTime.text(of: date))"
                logger.info("task postponed", metadata: metadata)
            case .failed(let problem, let date):
                metadata["problem"] = "\(problem)"
                metadata["again"] = "\(SQLTime.text(of: date))"
                logger.warning("task failed", metadata: metadata)
            case .dead(let problem):
                metadata["problem"] = "\(problem)"
                logger.error("task failed for good; “pathlight tasks retry” tries it again", metadata: metadata)
            case .lost:
                logger.warning("the lease of a task was lost; it is done again", metadata: metadata)
            }
        }
    }

    private static func log(_ result: Result<Scheduler.Event, any Error>, to logger: Logger) {
        switch result {
        case .success(.queued(let schedule, let time, let task)):
            logger.info(
                "schedule due",
                metadata: ["schedule": "\(schedule)", "due": "\(SQLTime.text(of: time))", "task": "\(task)"])
        case .success(.alreadyQueued(let schedule, let time, let task)):
            logger.info(
                "schedule due; a task that waits or runs does its work",
                metadata: ["schedule": "\(schedule)", "due": "\(SQLTime.text(of: time))", "task": "\(task)"])
        case .success(.passedOver(let schedule, let time)):
            logger.notice(
                "a due time was missed and passed over",
                metadata: ["schedule": "\(schedule)", "due": "\(SQLTime.text(of: time))"])
        case .success(.clockWentBack(let schedule, let from, let to)):
            logger.warning(
                "the clock went back; the schedule counts from now on",
                metadata: [
                    "schedule": "\(schedule)", "settled": "\(SQLTime.text(of: from))", "now": "\(SQLTime.text(of: to))",
                ])
        case .success(.failed(let schedule, let problem)):
            logger.error(
                "a schedule cannot be queued; the others are",
                metadata: ["schedule": "\(schedule)", "problem": "\(problem)"])
        case .failure(let error):
            logger.error("schedules cannot be looked at", metadata: ["problem": "\(error)"])
        }
    }
}
