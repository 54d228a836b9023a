import Foundation
import Platform
import Store
import TestSupport
import Testing

struct SchedulerTests {
    private let hourly = Schedule(name: "hourly", kind: "k", expression: "0 * * * *", payload: "[1]")
    private let skipping = Schedule(name: "skipping", kind: "s", expression: "0 * * * *", catchUp: .skip)

    private func date(_ text: String) throws -> Date { try #require(SQLTime.date(of: text + ":00.000Z")) }

    private func scheduler(_ scene: TaskScene, _ defined: [Schedule]) async throws -> Scheduler {
        let scheduler = try Scheduler(
            scene.queue, schedules: ScheduleRepository(scene.database, clock: scene.clock.read), defined: defined,
            clock: scene.clock.read)
        try await scheduler.define()
        return scheduler
    }

    private func queued(_ scene: TaskScene, kind: String) async throws -> Int {
        try await scene.tasks.list(TaskFilter(kind: kind), limit: 1).total
    }

    @Test func `a due time is queued once, by whichever replica is first`() async throws {
        try await TaskScene.run { scene in
            scene.clock.set(try date("2026-03-01T09:30"))
            let replicas = [try await scheduler(scene, [hourly]), try await scheduler(scene, [hourly])]
            #expect(try await replicas[0].step().isEmpty)
            scene.clock.set(try date("2026-03-01T10:00"))
            let events = try await withThrowingTaskGroup(of: [Scheduler.Event].self) { group in
                for _ in 0..<4 { for replica in replicas { group.addTask { try await replica.step() } } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let task = try #require(try await scene.tasks.list(limit: 9).items.first)
            let time = try date("2026-03-01T10:00")
            #expect(events == [.queued(schedule: "hourly", time: time, task: task.id)])
            #expect(task.kind == "k" && task.payload == "[1]")
            #expect(task.uniqueKey == "schedule:hourly:2026-03-01T10:00:00.000Z")
            // Not even when it is done, and its key free again.
            let lease = try #require(try await scene.tasks.take(kinds: ["k"], limit: 1, owner: "w", for: 60).first)
                .lease
            _ = try await scene.tasks.finish(lease)
            for replica in replicas { #expect(try await replica.step().isEmpty) }
            #expect(try await queued(scene, kind: "k") == 1)
        }
    }

    @Test func `a schedule whose tasks all do the same has one at a time, whoever queues it`() async throws {
        try await TaskScene.run { scene in
            scene.clock.set(try date("2026-03-01T09:30"))
            let scheduler = try Scheduler(
                scene.queue, schedules: ScheduleRepository(scene.database, clock: scene.clock.read),
                defined: [hourly], single: ["hourly"], clock: scene.clock.read)
            try await scheduler.define()
            let asked = try await scene.queue.enqueue(kind: "k", uniqueKey: Scheduler.uniqueKey(of: "hourly"))
            #expect(try await scheduler.queueNow("hourly") == .alreadyQueued(id: asked.id))
            scene.clock.set(try date("2026-03-01T10:00"))
            let time = try date("2026-03-01T10:00")
            let event = Scheduler.Event.alreadyQueued(schedule: "hourly", time: time, task: asked.id)
            #expect(try await scheduler.step() == [event])
            // Its time is settled all the same.
            #expect(try await scheduler.step().isEmpty)
            let lease = try #require(try await scene.tasks.take(kinds: ["k"], limit: 1, owner: "w", for: 60).first)
                .lease
            #expect(try await scheduler.queueNow("hourly") == .alreadyQueued(id: asked.id))
            _ = try await scene.tasks.finish(lease)
            scene.clock.set(try date("2026-03-01T11:00"))
            guard case .queued("hourly", _, let task) = try await scheduler.step().first else {
                Issue.record("nothing was queued")
                return
            }
            #expect(try await scene.tasks.task(id: task)?.uniqueKey == Scheduler.uniqueKey(of: "hourly"))
            #expect(try await scheduler.queueNow("hourly") == .alreadyQueued(id: task))
        }
    }

    @Test func `times that were missed are made up for once or passed over`() async throws {
        try await TaskScene.run { scene in
            scene.clock.set(try date("2026-03-01T09:30"))
            let scheduler = try await scheduler(scene, [hourly, skipping])
            scene.clock.set(try date("2026-03-08T12:10"))
            let time = try date("2026-03-08T12:00")
            let events = try await scheduler.step()
            #expect(events.count == 2 && events.last == .passedOver(schedule: "skipping", time: time))
            #expect(try await queued(scene, kind: "k") == 1)
            #expect(try await queued(scene, kind: "s") == 0)
            scene.clock.set(try date("2026-03-08T13:01"))
            #expect(try await scheduler.step().count == 2)
            #expect(try await queued(scene, kind: "k") == 2)
            #expect(try await queued(scene, kind: "s") == 1)
        }
    }

    @Test func `a clock that goes back a little queues nothing twice`() async throws {
        try await TaskScene.run { scene in
            scene.clock.set(try date("2026-03-01T09:30"))
            let scheduler = try await scheduler(scene, [hourly])
            for time in ["10:00", "09:57", "10:00", "10:02"] {
                scene.clock.set(try date("2026-03-01T\(time)"))
                _ = try await scheduler.step()
            }
            #expect(try await queued(scene, kind: "k") == 1)
        }
    }

    @Test func `a clock that jumps forth and back neither floods nor silences a schedule`() async throws {
        try await TaskScene.run { scene in
            scene.clock.set(try date("2026-03-01T09:30"))
            let scheduler = try await scheduler(scene, [hourly])
            scene.clock.set(try date("2036-03-01T09:30"))
            #expect(try await scheduler.step().count == 1)
            scene.clock.set(try date("2026-03-01T09:45"))
            let events = try await scheduler.step()
            #expect(
                events == [
                    .clockWentBack(
                        schedule: "hourly", from: try date("2036-03-01T09:00"), to: try date("2026-03-01T09:45"))
                ])
            #expect(try await scheduler.step().isEmpty)
            scene.clock.set(try date("2026-03-01T10:00"))
            #expect(try await scheduler.step().count == 1)
            #expect(try await queued(scene, kind: "k") == 2)
        }
    }

    @Test func `a schedule that is off rests, and can be queued by hand`() async throws {
        try await TaskScene.run { scene in
            scene.clock.set(try date("2026-03-01T09:30"))
            let scheduler = try await scheduler(scene, [hourly])
            let off = try #require(try await scheduler.schedules.setEnabled(false, name: "hourly"))
            #expect(scheduler.next(of: off) == nil)
            scene.clock.set(try date("2026-03-01T10:00"))
            #expect(try await scheduler.step().isEmpty)
            let first = try await scheduler.queueNow("hourly")
            #expect(first == .queued(id: first.id))
            #expect(try await scheduler.queueNow("hourly") == .alreadyQueued(id: first.id))
            #expect(try await scene.tasks.task(id: first.id)?.payload == "[1]")
            await #expect(throws: TaskError.unknownSchedule("daily")) { try await scheduler.queueNow("daily") }
            let on = try #require(try await scheduler.schedules.setEnabled(true, name: "hourly"))
            #expect(scheduler.next(of: on) == (try date("2026-03-01T11:00")))
            #expect(try await scheduler.step().isEmpty)
        }
    }

    @Test func `schedules of another version of the program are left to it`() async throws {
        try await TaskScene.run { scene in
            scene.clock.set(try date("2026-03-01T09:30"))
            let old = try await scheduler(scene, [hourly, skipping])
            let changed = Schedule(name: "hourly", kind: "k2", expression: "30 * * * *")
            let new = try await scheduler(scene, [changed])
            scene.clock.set(try date("2026-03-01T10:00"))
            #expect(try await new.step().isEmpty)
            #expect(try await old.step().count == 1)
            scene.clock.set(try date("2026-03-01T10:30"))
            #expect(try await old.step().isEmpty)
            #expect(try await new.step().count == 1)
            #expect(try await queued(scene, kind: "s") == 1)
            #expect(try await queued(scene, kind: "k2") == 1)
        }
    }

    @Test func `a schedule that fails keeps no other from its time`() async throws {
        try await TaskScene.run { scene in
            scene.clock.set(try date("2026-03-01T09:30"))
            let last = Schedule(name: "last", kind: "l", expression: "0 * * * *")
            let scheduler = try await scheduler(scene, [hourly, last])
            // A row that cannot be read.
            try await scene.database.write {
                try $0.execute("UPDATE schedules SET settled_until = 'soon' WHERE name = 'hourly'")
            }
            scene.clock.set(try date("2026-03-01T10:00"))
            let events = try await scheduler.step()
            #expect(events.count == 2)
            #expect(try await queued(scene, kind: "l") == 1)
            guard case .failed(let name, let problem) = events.first else {
                Issue.record("\(events)")
                return
            }
            #expect(name == "hourly" && problem.contains("settled_until"))
            // The next start writes it anew.
            try await scheduler.define()
            scene.clock.set(try date("2026-03-01T11:00"))
            #expect(try await scheduler.step().count == 2)
        }
    }

    @Test(arguments: [
        Schedule(name: "a", kind: "k", expression: "* * * * *", payload: "{"),
        Schedule(name: "a", kind: "", expression: "* * * * *"),
        Schedule(name: "a", kind: "k", expression: "61 * * * *"),
        Schedule(name: "a", kind: "k", expression: "0 0 30 2 *"),
        Schedule(name: "a", kind: "k", expression: "@daily", zone: "Mars/Olympus"),
    ])
    func `a schedule that cannot come due is refused by name`(schedule: Schedule) async throws {
        try await TaskScene.run { scene in
            let error = try #require(throws: TaskError.self) {
                try Scheduler(scene.queue, schedules: ScheduleRepository(scene.database), defined: [schedule])
            }
            #expect(error.description.contains("“a”"))
        }
    }
}
