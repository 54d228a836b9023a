internal import ArgumentParser
internal import Foundation
internal import Logging
internal import Platform
internal import Store

/// `pathlight tasks`: what the queue holds, and steering it.
struct TasksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tasks", abstract: "Shows and steers the work that the service does beside answering requests.",
        discussion: """
            A running service does what is queued here within a second or so; without one it waits. Tasks that failed for \
            the last time are dead until somebody retries them.
            """,
        subcommands: [
            List.self, Run.self, Failed.self, Retry.self, Cancel.self, Schedules.self, ExerciseTasks.self,
            WorkOnTasks.self,
        ])

    /// `pathlight tasks list`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists tasks, newest first.")

        @Option(help: "Only tasks in this state: waiting, running, done, dead or cancelled.")
        var state: TaskState?

        @Option(help: "Only tasks of this kind.")
        var kind: String?

        @OptionGroup var page: TaskPageOptions
        @OptionGroup var common: CommonOptions

        func run() async throws {
            try await page.print(TaskFilter(state: state, kind: kind), common)
        }
    }

    /// `pathlight tasks failed`
    struct Failed: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the tasks that are dead, with what went wrong; the same as “list --state dead”.")

        @OptionGroup var page: TaskPageOptions
        @OptionGroup var common: CommonOptions

        func run() async throws { try await page.print(TaskFilter(state: .dead), common) }
    }

    /// `pathlight tasks run NAME`
    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Queues the task of a schedule now, and prints the task's id.",
            discussion: """
                While a task that was queued this way waits or runs, there is no second; of the monitor, no second at all.
                """)

        @Argument(help: "The schedule's name; “pathlight tasks schedules” lists them.")
        var name: String

        @OptionGroup var common: CommonOptions

        func run() async throws {
            try await TaskAccess.with(common) { access in
                let enqueued: Enqueued
                do {
                    enqueued = try await access.scheduler.queueNow(name)
                } catch TaskError.unknownSchedule {
                    let known = try await access.scheduler.schedules.all().map(\.name).joined(separator: ", ")
                    throw StartProblem("there is no schedule “\(name)”; there are: \(known)")
                }
                if case .alreadyQueued = enqueued { Terminal.error("it waits or runs already") }
                try Terminal.data(enqueued.id)
            }
        }
    }

    /// `pathlight tasks retry ID`
    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Has a dead or cancelled task tried again.")

        @Argument(help: "The task's id.")
        var id: String

        @OptionGroup var common: CommonOptions

        func run() async throws {
            try await TaskAccess.with(common) { access in
                switch try await access.queue.retry(id: id) {
                case nil: throw TaskAccess.noTask(id)
                case .waiting: try Terminal.data("\(id)\twaiting")
                case .refused(let state):
                    throw StartProblem("the task is \(state.rawValue); only dead and cancelled ones are tried again")
                case .keyHeld(let other):
                    throw StartProblem("the task \(other) has the same unique key and waits or runs: it does this work")
                }
            }
        }
    }

    /// `pathlight tasks cancel ID`
    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Cancels a task that waits, and asks the worker of one that runs to stop.")

        @Argument(help: "The task's id.")
        var id: String

        @OptionGroup var common: CommonOptions

        func run() async throws {
            try await TaskAccess.with(common) { access in
                switch try await access.queue.cancel(id: id) {
                case nil: throw TaskAccess.noTask(id)
                case .cancelled: try Terminal.data("\(id)\tcancelled")
                case .asked: try Terminal.data("\(id)\tasked to stop")
                case .over(let state): throw StartProblem("the task is \(state.rawValue) already")
                }
            }
        }
    }

    /// `pathlight tasks schedules`
    struct Schedules: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists what comes due by the clock.")

        @Flag(help: "Print one JSON document.")
        var json = false

        @OptionGroup var common: CommonOptions

        func run() async throws {
            try await TaskAccess.with(common) { access in
                let records = try await access.scheduler.schedules.all()
                if json {
                    var writer = JSONWriter()
                    TaskWriter.page(records, next: access.scheduler.next, to: &writer)
                    return try Terminal.data(String(decoding: writer.finishBytes(), as: UTF8.self))
                }
                let lines = records.map { record in
                    let next = access.scheduler.next(of: record).map(SQLTime.text) ?? "never"
                    let last = record.lastTime.map(SQLTime.text) ?? "never"
                    let schedule = record.schedule
                    return [
                        record.name, record.isEnabled ? "on" : "off", schedule.expression, schedule.zone,
                        "next \(next)",
                        "last \(last)",
                    ].joined(separator: "\t")
                }
                try Terminal.data(lines.joined(separator: "\n"))
            }
        }
    }
}

extension TaskState: ExpressibleByArgument {}

/// Which page of a list is printed, and how.
struct TaskPageOptions: ParsableArguments {
    private static let largest = 1_000

    @Option(parsing: .unconditional, help: "How many tasks to show at most.")
    var limit = 50

    @Option(parsing: .unconditional, help: "How many tasks to leave out before.")
    var skip = 0

    @Flag(help: "Print one JSON document.")
    var json = false

    func validate() throws {
        guard (1...Self.largest).contains(limit) else {
            throw ValidationError("--limit must be from 1 to \(Self.largest), not \(limit)")
        }
        guard (0...Int(Int32.max)).contains(skip) else {
            throw ValidationError("--skip must be from 0 to \(Int32.max), not \(skip)")
        }
    }

    func print(_ filter: TaskFilter, _ common: CommonOptions) async throws {
        try await TaskAccess.with(common) { access in
            let (items, total) = try await access.queue.tasks.list(filter, skip: skip, limit: limit)
            if json {
                var writer = JSONWriter()
                TaskWriter.page(items, total: total, skip: skip, limit: limit, to: &writer)
                return try Terminal.data(String(decoding: writer.finishBytes(), as: UTF8.self))
            }
            for task in items { try Terminal.data(Self.line(task)) }
            Terminal.error("\(items.count) of \(total) tasks")
        }
    }

    private static func line(_ task: TaskRecord) -> String {
        var columns = [
            task.id, task.kind, task.state.rawValue, "attempt \(task.attempts) of \(task.maximumAttempts)",
            task.finishedAt.map { "ended \(SQLTime.text(of: $0))" } ?? "due \(SQLTime.text(of: task.dueAt))",
        ]
        if let progress = task.progress, task.state == .running { columns.append(progress) }
        // One line a task, whatever an error says.
        if let error = task.lastError {
            columns.append(error.split(whereSeparator: \.isNewline).joined(separator: " "))
        }
        return columns.joined(separator: "\t")
    }
}

/// The queue as a command gets at it.
struct TaskAccess: Sendable {
    let queue: TaskQueue
    let scheduler: Scheduler
    let logger: Logger

    /// Opens the data for `body` and closes them again.
    static func with(_ common: CommonOptions, _ body: (TaskAccess) async throws -> Void) async throws {
        let (settings, logger) = try common.settings()
        let database = try await Pathways.openDatabase(settings, logger: logger)
        do {
            let queue = TaskQueue(TaskRepository(database))
            let scheduler = try Scheduler(
                queue, schedules: ScheduleRepository(database),
                defined: BuiltInTasks.schedules(monitor: settings.monitor.schedule), single: BuiltInTasks.single)
            // Before the first start of the service there would be none.
            if try await scheduler.schedules.all().isEmpty { try await scheduler.define() }
            try await body(TaskAccess(queue: queue, scheduler: scheduler, logger: logger))
            try await database.close()
        } catch {
            try? await database.close()
            throw error
        }
    }

    static func noTask(_ id: String) -> StartProblem {
        StartProblem("there is no task “\(id)”; “pathlight tasks list” shows them")
    }
}
