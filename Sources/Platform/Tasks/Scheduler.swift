package import Foundation
package import Store

/// Queues what comes due by the clock. Any number of replicas run one each: every due time is queued once.
///
/// That is so because the schedule's row says how far its times are settled, and one replica alone gets to move it on, in
/// the transaction that queues the task. The unique key of the task keeps a time from being queued beside itself; a
/// schedule whose tasks all do the same has one key for them, so that none waits beside another.
package final class Scheduler: Sendable {
    /// What a look at the schedules found.
    package enum Event: Sendable, Equatable {
        case queued(schedule: String, time: Date, task: String)
        /// A task that waits or runs already does its work.
        case alreadyQueued(schedule: String, time: Date, task: String)
        /// Its last due time was too long ago, and it does not make up for it.
        case passedOver(schedule: String, time: Date)
        /// The clock has gone back behind what is settled; times count from now on.
        case clockWentBack(schedule: String, from: Date, to: Date)
        /// It could not be looked at or queued; the others were.
        case failed(schedule: String, problem: String)
    }

    /// A due time that is older has been missed.
    package static let punctuality: TimeInterval = 90
    /// What two replicas' clocks may differ by. A clock that is further behind what is settled went back.
    package static let clockTolerance: TimeInterval = 300

    package let schedules: ScheduleRepository
    private let queue: TaskQueue
    private let clock: @Sendable () -> Date
    /// Those that this process defines, and so has handlers for.
    private let defined: [String: Due]
    /// Of these, the names of those that never have two tasks that wait or run.
    private let single: Set<String>

    private struct Due: Sendable {
        let schedule: Schedule
        let expression: CronExpression
        let zone: TimeZone

        /// - Throws: `TaskError.invalidSchedule`.
        init(_ schedule: Schedule) throws(TaskError) {
            self.schedule = schedule
            do throws(CronExpression.Problem) {
                expression = try CronExpression(schedule.expression)
            } catch {
                throw .invalidSchedule(name: schedule.name, problem: "\(error)")
            }
            guard let zone = TimeZone(identifier: schedule.zone) else {
                throw .invalidSchedule(
                    name: schedule.name,
                    problem: "“\(schedule.zone)” is no time zone of the IANA's, such as Europe/Berlin")
            }
            self.zone = zone
            do throws(TaskError) {
                _ = try TaskQueue.task(schedule.kind, schedule.payload, nil, 0, nil, 1)
            } catch {
                throw .invalidSchedule(name: schedule.name, problem: error.description)
            }
        }
    }

    /// - Parameters:
    ///   - defined: the schedules that the program has; others of the store are left to other versions of it.
    ///   - single: names of those whose tasks all do the same: while one waits or runs, whoever queued it, there is no
    ///     second. Who queues one elsewhere gives it the key `uniqueKey(of:)`.
    /// - Throws: `TaskError.invalidSchedule` for one that has a mistake or can never come due.
    package init(
        _ queue: TaskQueue, schedules: ScheduleRepository, defined: [Schedule], single: Set<String> = [],
        clock: @escaping @Sendable () -> Date = { Date() }
    ) throws(TaskError) {
        self.queue = queue
        self.schedules = schedules
        self.single = single
        self.clock = clock
        var known: [String: Due] = [:]
        for schedule in defined {
            let due = try Due(schedule)
            guard due.expression.next(after: clock(), in: due.zone) != nil else {
                throw .invalidSchedule(
                    name: schedule.name, problem: "“\(schedule.expression)” is a day that never comes")
            }
            known[schedule.name] = due
        }
        self.defined = known
    }

    /// Of each task of a schedule that never has two.
    package static func uniqueKey(of name: String) -> String { "schedule:\(name)" }

    /// - Parameter occasion: what tells the tasks of a schedule apart that may have several.
    private func uniqueKey(of name: String, _ occasion: String) -> String {
        let key = Self.uniqueKey(of: name)
        return single.contains(name) ? key : "\(key):\(occasion)"
    }

    /// Stores what the program defines; to be called once, before the first step.
    package func define() async throws {
        try await schedules.define(defined.values.map(\.schedule).sorted { $0.name < $1.name })
    }

    /// A schedule of this process as it is stored; nil for one that is left from another version or from other settings,
    /// and before `define`.
    package func schedule(_ name: String) async throws -> ScheduleRecord? {
        guard defined[name] != nil else { return nil }
        return try await schedules.schedule(name)
    }

    /// When a schedule comes due next, or nil where it is switched off or cannot be read.
    package func next(of record: ScheduleRecord) -> Date? {
        guard record.isEnabled, let due = try? Due(record.schedule) else { return nil }
        return due.expression.next(after: max(clock(), record.settledUntil), in: due.zone)
    }

    /// Queues what is due now. A schedule that fails keeps no other from its time.
    ///
    /// - Throws: `CancellationError`
    package func step() async throws -> [Event] {
        var events: [Event] = []
        for (name, due) in defined.sorted(by: { $0.key < $1.key }) {
            do {
                // One by one: a row that cannot be read is one schedule's.
                guard let record = try await schedules.schedule(name), record.isEnabled,
                    // Another version of the program may have changed it; it is stored again at that one's next start.
                    record.schedule == due.schedule
                else { continue }
                if let event = try await step(record) { events.append(event) }
            } catch let error as CancellationError {
                throw error
            } catch {
                events.append(.failed(schedule: name, problem: "\(error)"))
            }
        }
        if events.contains(where: { if case .queued = $0 { true } else { false } }) { queue.wake() }
        return events
    }

    private func step(_ record: ScheduleRecord) async throws -> Event? {
        guard let due = defined[record.name] else { return nil }
        let now = clock()
        if record.settledUntil.timeIntervalSince(now) > Self.clockTolerance {
            let isMoved = try await queue.database.write { [schedules] in
                try schedules.settle(record, until: now, queues: false, in: $0)
            }
            return isMoved ? .clockWentBack(schedule: record.name, from: record.settledUntil, to: now) : nil
        }
        guard let time = due.expression.last(upTo: now, after: record.settledUntil, in: due.zone) else { return nil }
        let isMissed = now.timeIntervalSince(time) > Self.punctuality
        let queues = !isMissed || record.schedule.catchUp == .once
        return try await queue.database.write { [self] connection in
            guard try schedules.settle(record, until: time, queues: queues, in: connection) else { return nil }
            guard queues else { return .passedOver(schedule: record.name, time: time) }
            let enqueued = try queue.enqueue(
                kind: record.schedule.kind, payload: record.schedule.payload,
                uniqueKey: uniqueKey(of: record.name, SQLTime.text(of: time)), in: connection)
            switch enqueued {
            case .queued(let id): return .queued(schedule: record.name, time: time, task: id)
            case .alreadyQueued(let id): return .alreadyQueued(schedule: record.name, time: time, task: id)
            }
        }
    }

    /// Queues a schedule's task now, whatever the time, and whether it is switched on or not. While one that was queued
    /// this way waits or runs, there is no second; of a schedule that never has two, one that was queued otherwise counts.
    ///
    /// - Throws: `TaskError.unknownSchedule`.
    package func queueNow(_ name: String) async throws -> Enqueued {
        guard let record = try await schedules.schedule(name) else { throw TaskError.unknownSchedule(name) }
        return try await queue.enqueue(
            kind: record.schedule.kind, payload: record.schedule.payload, uniqueKey: uniqueKey(of: name, "now"))
    }

    /// Steps until the Swift task is cancelled.
    ///
    /// - Parameters:
    ///   - interval: the time between two steps, and so what a due time may be late by.
    ///   - observe: hears of every event and failure.
    package func run(
        every interval: Duration = .seconds(5), observe: @escaping @Sendable (Result<Event, any Error>) -> Void
    ) async {
        repeat {
            do {
                for event in try await step() { observe(.success(event)) }
            } catch is CancellationError {
                return
            } catch {
                observe(.failure(error))
            }
        } while (try? await Task.sleep(for: interval * Double.random(in: 0.75..<1.25))) != nil
    }
}
