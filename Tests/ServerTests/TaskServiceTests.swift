import Foundation
import Platform
import Store
import TestSupport
import Testing
import server

struct TaskServiceTests {
    @Test func `the built-in schedules can come due`() async throws {
        let database = try await SQLiteDatabase.temporary()
        _ = try await SchemaMigrator().migrate(database)
        let scheduler = try Scheduler(
            TaskQueue(TaskRepository(database)), schedules: ScheduleRepository(database),
            defined: BuiltInTasks.schedules(monitor: MonitorOptions().schedule))
        try await scheduler.define()
        for record in try await scheduler.schedules.all() {
            #expect(scheduler.next(of: record) != nil, "\(record.name)")
        }
        try await database.close()
    }

    @Test func `housekeeping removes what has expired, and says where it could not`() async throws {
        let database = try await SQLiteDatabase.temporary()
        _ = try await SchemaMigrator().migrate(database)
        let now = Guarded(Date(timeIntervalSince1970: 1_772_357_400))
        let clock: @Sendable () -> Date = { now.withLock { $0 } }
        let tasks = TaskRepository(database, clock: clock)
        for state in [TaskState.done, .dead, .cancelled] {
            let id = try await tasks.enqueue(NewTask(kind: "k")).id
            let lease = try #require(try await tasks.take(kinds: ["k"], limit: 1, owner: "w", for: 60).first).lease
            switch state {
            case .done: _ = try await tasks.finish(lease)
            case .dead: _ = try await tasks.fail(lease, error: "x", retryAt: nil)
            default:
                _ = try await tasks.giveBack(lease)
                _ = try await tasks.cancel(id: id)
            }
        }
        now.withLock { $0 += 8 * 86_400 }
        let isBroken = Guarded(true)
        struct Broken: Error {}
        let handler = HousekeepingHandler(
            steps: [
                .init("broken") {
                    if isBroken.withLock({ $0 }) { throw Broken() }
                    return 0
                }
            ] + HousekeepingHandler.standardSteps(tasks: tasks))
        let queue = TaskQueue(tasks)
        let worker = TaskWorker(queue, handlers: [handler], owner: "w")
        let id = try await queue.enqueue(kind: HousekeepingHandler.kind).id
        await worker.fill()
        await worker.settle()
        // The one that failed kept none of the others from its work.
        #expect(try await tasks.task(id: id)?.lastError?.contains("broken: Broken()") == true)
        #expect(try await tasks.list(TaskFilter(kind: "k"), limit: 9).items.map(\.state) == [.dead])
        isBroken.withLock { $0 = false }
        now.withLock { $0 += 90 * 86_400 }
        await worker.fill()
        await worker.settle()
        let task = try #require(try await tasks.task(id: id))
        #expect(
            task.state == .done && task.result == #"{"broken":0,"dead_tasks":1,"tasks":0}"#,
            "\(String(describing: task.result))")
        try await database.close()
    }

    @Test func `counts and ages are shown, and what is gone is shown as none`() async throws {
        let database = try await SQLiteDatabase.temporary()
        _ = try await SchemaMigrator().migrate(database)
        let queue = TaskQueue(TaskRepository(database))
        let registry = MetricsRegistry()
        let metrics = TaskMetrics(registry)
        metrics.expect(["k"])
        let before = registry.render()
        #expect(before.contains(#"pathlight_tasks{kind="k",state="dead"} 0"#), "\(before)")
        #expect(before.contains(#"pathlight_task_abandoned_total{kind="k"} 0"#), "\(before)")
        let id = try await queue.enqueue(kind: "k", dueAt: Date(timeIntervalSinceNow: -100)).id
        metrics.show(try await queue.statistics())
        var text = registry.render()
        #expect(text.contains(#"pathlight_tasks{kind="k",state="waiting"} 1"#), "\(text)")
        #expect(text.contains("pathlight_tasks_oldest_due_seconds 10"), "\(text)")
        _ = try await queue.cancel(id: id)
        metrics.show(try await queue.statistics())
        metrics.note(
            .ended(.init(id: id, kind: "k", number: 1, duration: .milliseconds(20)), .failed("x", retryAt: Date())))
        metrics.note(.abandoned(.init(id: id, kind: "k", number: 2, duration: .seconds(20))))
        text = registry.render()
        #expect(text.contains(#"pathlight_tasks{kind="k",state="waiting"} 0"#), "\(text)")
        #expect(text.contains(#"pathlight_tasks{kind="k",state="cancelled"} 1"#), "\(text)")
        #expect(text.contains("pathlight_tasks_oldest_due_seconds 0"), "\(text)")
        #expect(text.contains(#"pathlight_task_duration_seconds_count{ending="failed",kind="k"} 1"#), "\(text)")
        #expect(text.contains(#"pathlight_task_abandoned_total{kind="k"} 1"#), "\(text)")
        try await database.close()
    }
}
