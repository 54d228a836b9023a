import Foundation
import Platform
import Store
import TestSupport
import Testing

struct TaskWorkerTests {
    @Test func `a due task is done, and what is not due waits`() async throws {
        try await TaskScene.run { scene in
            let log = TaskLog()
            let worker = scene.worker([ClosureHandler { .done(result: #""\#($0.payload) \#($0.attempt)""#) }], log: log)
            let due = try await scene.queue.enqueue(kind: "k", payload: "7").id
            let later = try await scene.queue.enqueue(kind: "k", dueAt: scene.clock.now + 10).id
            let other = try await scene.queue.enqueue(kind: "other").id
            #expect(await worker.fill() == 1)
            await worker.settle()
            let task = try #require(try await scene.tasks.task(id: due))
            #expect(task.state == .done && task.result == #""7 1""#)
            #expect(try await scene.state(later) == .waiting)
            #expect(try await scene.state(other) == .waiting)
            scene.clock.advance(by: 10)
            #expect(await worker.fill() == 1)
            await worker.settle()
            #expect(try await scene.state(later) == .done)
            #expect(log.endings == [.done, .done])
        }
    }

    @Test func `a payload or name that is none is refused before it is stored`() async throws {
        try await TaskScene.run { scene in
            await #expect(throws: TaskError.payloadIsNotJSON(kind: "k")) {
                try await scene.queue.enqueue(kind: "k", payload: "{")
            }
            let long = "\"" + String(repeating: "x", count: TaskQueue.maximumPayloadBytes) + "\""
            await #expect(throws: TaskError.self) { try await scene.queue.enqueue(kind: "k", payload: long) }
            await #expect(throws: TaskError.emptyName) { try await scene.queue.enqueue(kind: "") }
            await #expect(throws: TaskError.emptyName) { try await scene.queue.enqueue(kind: "k", uniqueKey: "") }
            let total = try await scene.tasks.list(limit: 1).total
            #expect(total == 0)
        }
    }

    @Test func `no more attempts run at a time than are allowed`() async throws {
        try await TaskScene.run { scene in
            let gate = TaskGate()
            let worker = scene.worker(
                [
                    ClosureHandler { _ in
                        try await gate.pass()
                        return .done
                    }
                ], maximumRunning: 2)
            for _ in 0..<5 { try await scene.queue.enqueue(kind: "k") }
            #expect(await worker.fill() == 2)
            #expect(await worker.fill() == 0)
            #expect(worker.runningCount == 2)
            gate.open()
            await worker.settle()
            #expect(await worker.fill() == 2)
            await worker.settle()
            #expect(await worker.fill() == 1)
            await worker.settle()
        }
    }

    @Test func `a failure is tried again with a longer wait each time, and the last one is dead`() async throws {
        try await TaskScene.run { scene in
            let log = TaskLog()
            let worker = scene.worker([ClosureHandler { _ in throw Mishap() }], log: log)
            let id = try await scene.queue.enqueue(kind: "k", maximumAttempts: 3).id
            var waits: [TimeInterval] = []
            for _ in 0..<2 {
                #expect(await worker.fill() == 1)
                await worker.settle()
                let task = try #require(try await scene.tasks.task(id: id))
                #expect(task.state == .waiting && task.lastError == "a mishap")
                waits.append(task.dueAt.timeIntervalSince(scene.clock.now))
                scene.clock.advance(by: 60)
            }
            // Three quarters of the bound, by the random number of the scene.
            #expect(waits == [3.75, 7.5])
            #expect(await worker.fill() == 1)
            await worker.settle()
            #expect(try await scene.state(id) == .dead)
            #expect(log.endings.map(\.name) == ["failed", "failed", "dead"])
            #expect(try await scene.queue.retry(id: id) == .waiting)
            #expect(await worker.fill() == 1)
            await worker.settle()
        }
    }

    @Test func `a permanent failure and a payload of another form are not tried again`() async throws {
        try await TaskScene.run { scene in
            struct Payload: Decodable { let user: String }
            let worker = scene.worker([
                ClosureHandler { _ in throw PermanentTaskFailure("there is no such user") },
                ClosureHandler(kind: "l") { context in
                    _ = try context.decode(Payload.self)
                    return .done
                },
            ])
            let first = try await scene.queue.enqueue(kind: "k").id
            let second = try await scene.queue.enqueue(kind: "l", payload: #"{"usr":"1"}"#).id
            #expect(await worker.fill() == 2)
            await worker.settle()
            let task = try #require(try await scene.tasks.task(id: first))
            #expect(task.state == .dead && task.lastError == "there is no such user" && task.attempts == 1)
            #expect(try await scene.tasks.task(id: second)?.lastError?.contains("payload") == true)
            #expect(try await scene.state(second) == .dead)
        }
    }

    @Test func `what is postponed comes again without having counted`() async throws {
        try await TaskScene.run { scene in
            let until = scene.clock.now + 100
            let worker = scene.worker([ClosureHandler { _ in .postponed(until: until) }])
            let id = try await scene.queue.enqueue(kind: "k", maximumAttempts: 1).id
            #expect(await worker.fill() == 1)
            await worker.settle()
            let task = try #require(try await scene.tasks.task(id: id))
            #expect(task.state == .waiting && task.attempts == 0 && task.dueAt == until)
        }
    }

    @Test func `an effect and the end are kept together or not at all`() async throws {
        try await TaskScene.run { scene in
            let log = TaskLog()
            let fails = Guarded(true)
            let worker = scene.worker(
                [
                    ClosureHandler { context in
                        try await context.complete(result: "1") { connection in
                            _ = try context.recordEffect(in: connection)
                            if fails.withLock({ $0 }) { throw Mishap() }
                        }
                    }
                ], log: log)
            let id = try await scene.queue.enqueue(kind: "k").id
            #expect(await worker.fill() == 1)
            await worker.settle()
            #expect(try await scene.tasks.effects() == (0, 0))
            #expect(try await scene.state(id) == .waiting)
            fails.withLock { $0 = false }
            scene.clock.advance(by: 60)
            #expect(await worker.fill() == 1)
            await worker.settle()
            #expect(try await scene.tasks.effects() == (1, 1))
            let task = try #require(try await scene.tasks.task(id: id))
            #expect(task.state == .done && task.result == "1")
            #expect(log.endings.map(\.name) == ["failed", "done"])
        }
    }

    @Test func `a handler that only says that it completed its task fails`() async throws {
        try await TaskScene.run { scene in
            let worker = scene.worker([ClosureHandler { _ in .completed }])
            let id = try await scene.queue.enqueue(kind: "k").id
            #expect(await worker.fill() == 1)
            await worker.settle()
            #expect(try await scene.tasks.task(id: id)?.lastError == TaskError.notCompleted(id: id).description)
        }
    }

    @Test func `an attempt past its deadline is stopped and counts as failed`() async throws {
        try await TaskScene.run { scene in
            let worker = scene.worker([
                ClosureHandler(deadline: .seconds(30)) { _ in
                    try await TaskGate().pass()
                    return .done
                }
            ])
            let id = try await scene.queue.enqueue(kind: "k").id
            await worker.fill()
            scene.clock.advance(by: 29)
            await worker.tick()
            #expect(worker.runningCount == 1)
            scene.clock.advance(by: 1)
            await worker.tick()
            await worker.settle()
            let task = try #require(try await scene.tasks.task(id: id))
            #expect(task.state == .waiting && task.lastError == "the attempt took longer than it may")
        }
    }

    @Test func `leases of what runs are prolonged in time`() async throws {
        try await TaskScene.run { scene in
            let gate = TaskGate()
            let worker = scene.worker([
                ClosureHandler { _ in
                    try await gate.pass()
                    return .done
                }
            ])
            let id = try await scene.queue.enqueue(kind: "k").id
            await worker.fill()
            for _ in 0..<10 {
                scene.clock.advance(by: 19)
                await worker.tick()
                let until = try #require(try await scene.tasks.task(id: id)?.leaseUntil)
                #expect(until.timeIntervalSince(scene.clock.now) > 20)
            }
            gate.open()
            await worker.settle()
            #expect(try await scene.tasks.task(id: id)?.attempts == 1)
        }
    }

    @Test func `a worker that lost its lease is stopped and changes nothing`() async throws {
        try await TaskScene.run { scene in
            let log = TaskLog()
            let gate = TaskGate()
            // The first ends although it is told to stop.
            let first = scene.worker(
                [
                    ClosureHandler { context in
                        try? await gate.pass()
                        return try await context.complete { _ = try context.recordEffect(in: $0) }
                    }
                ], owner: "one", log: log)
            let second = scene.worker(
                [
                    ClosureHandler { context in
                        try await context.complete { _ = try context.recordEffect(in: $0) }
                    }
                ], owner: "two")
            let id = try await scene.queue.enqueue(kind: "k").id
            await first.fill()
            scene.clock.advance(by: 61)
            #expect(await second.fill() == 1)
            await second.settle()
            #expect(try await scene.state(id) == .done)
            await first.tick()
            gate.open()
            await first.settle()
            #expect(log.endings == [.lost])
            #expect(try await scene.tasks.effects() == (1, 1))
        }
    }

    @Test func `a task that is cancelled stops, and tells how far it was`() async throws {
        try await TaskScene.run { scene in
            let (started, gate) = (TaskGate(), TaskGate())
            let worker = scene.worker([
                ClosureHandler { context in
                    try await context.progress(3, of: 10, note: "pages")
                    started.open()
                    try await gate.pass()
                    return .done
                }
            ])
            let id = try await scene.queue.enqueue(kind: "k").id
            await worker.fill()
            try await started.pass()
            #expect(try await scene.tasks.task(id: id)?.progress == #"{"done":3,"note":"pages","total":10}"#)
            #expect(try await scene.queue.cancel(id: id) == .asked)
            await worker.tick()
            await worker.settle()
            #expect(try await scene.state(id) == .cancelled)
        }
    }

    @Test func `progress is stored seldom, and always at the end`() async throws {
        try await TaskScene.run { scene in
            let seen = Guarded<[String?]>([])
            let worker = scene.worker([
                ClosureHandler { context in
                    for done in [1, 2, 9] {
                        try await context.progress(done, of: 9)
                        let stored = try await scene.tasks.task(id: context.id)?.progress
                        seen.withLock { $0.append(stored) }
                    }
                    return .done
                }
            ])
            try await scene.queue.enqueue(kind: "k")
            await worker.fill()
            await worker.settle()
            #expect(
                seen.withLock { $0 } == [
                    #"{"done":1,"total":9}"#, #"{"done":1,"total":9}"#, #"{"done":9,"total":9}"#,
                ])
        }
    }

    @Test func `a worker that stops gives back what it has`() async throws {
        try await TaskScene.run { scene in
            let log = TaskLog()
            let worker = scene.worker(
                [
                    ClosureHandler { _ in
                        try await TaskGate().pass()
                        return .done
                    }
                ], log: log)
            let id = try await scene.queue.enqueue(kind: "k").id
            await worker.fill()
            await worker.stop()
            let task = try #require(try await scene.tasks.task(id: id))
            #expect(task.state == .waiting && task.attempts == 0 && task.leaseOwner == nil)
            #expect(log.endings == [.givenBack])
            #expect(await worker.fill() == 0)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a running worker hears of new tasks and ends when it is cancelled`() async throws {
        let database = try await WatchedDatabase.migrated()
        try await TaskScene.run(on: database) { scene in
            let done = TaskGate()
            let worker = scene.worker(
                [
                    ClosureHandler { _ in
                        done.open()
                        return .done
                    }
                ], pollInterval: .seconds(3600))
            let running = Task { await worker.run() }
            defer { running.cancel() }
            // It has looked for times to mend and for tasks, and found nothing: now it waits to hear of some.
            await database.waitForReads(2)
            let id = try await scene.queue.enqueue(kind: "k").id
            try await done.pass()
            running.cancel()
            await running.value
            #expect(try await scene.state(id) == .done)
        }
    }

    @Test func `errors are stored without what no database holds, and not endlessly`() async throws {
        try await TaskScene.run { scene in
            let text = "a\0b" + String(repeating: "é", count: 5_000)
            let worker = scene.worker([ClosureHandler { _ in throw PermanentTaskFailure(text) }])
            let id = try await scene.queue.enqueue(kind: "k").id
            await worker.fill()
            await worker.settle()
            let stored = try #require(try await scene.tasks.task(id: id)?.lastError)
            #expect(stored.hasPrefix("abé") && (1_000...2_000).contains(stored.utf8.count))
        }
    }

    /// Eight workers, handlers that fail, hang until their lease is lost, or lose it and go on: each effect once.
    @Test(arguments: 0..<4)
    func `each effect happens once, whatever fails and whoever loses a lease`(round: Int) async throws {
        try await TaskScene.run { scene in
            let generator = Guarded(SeededGenerator(seed: 0x7A5C_0000 + UInt64(round)))
            let random: @Sendable (Int) -> Int = { bound in
                generator.withLock { Int.random(in: 0..<bound, using: &$0) }
            }
            let tasks = scene.tasks
            let handler = ClosureHandler { context in
                switch random(10) {
                case 0: throw Mishap()
                case 1:
                    // Works on, deaf, until another has the task, or nobody wants it.
                    scene.clock.advance(by: 61)
                    for _ in 0..<300 {
                        let now = try? await tasks.task(id: context.id)
                        guard now?.attempts == context.attempt else { break }
                        await Task.yield()
                    }
                case 2:
                    // The effect without the end must not stay.
                    try await tasks.database.write { connection in
                        _ = try context.recordEffect(in: connection)
                        throw Mishap()
                    }
                default: for _ in 0..<random(5) { await Task.yield() }
                }
                return try await context.complete { _ = try context.recordEffect(in: $0) }
            }
            let log = TaskLog()
            let workers = (0..<8).map {
                scene.worker([handler], owner: "w\($0)", maximumRunning: 1 + $0 % 3, log: log)
            }
            let count = 120
            for _ in 0..<count { try await scene.queue.enqueue(kind: "k", maximumAttempts: 1_000) }
            for turn in 0..<2_000 {
                await withTaskGroup(of: Void.self) { group in
                    for worker in workers {
                        group.addTask {
                            await worker.fill()
                            await worker.tick()
                        }
                    }
                }
                if turn % 4 == 3 { for worker in workers { await worker.settle() } }
                scene.clock.advance(by: 30)
                if try await tasks.list(TaskFilter(state: .done), limit: 1).total == count { break }
            }
            for worker in workers { await worker.settle() }
            #expect(
                try await tasks.counts() == [TaskCount(kind: "k", state: .done, count: count)],
                "\(generator.withLock { $0 })")
            #expect(try await tasks.effects() == (count, count), "\(generator.withLock { $0 })")
            let endings = Set(log.endings.map(\.name))
            #expect(endings.isSuperset(of: ["done", "failed", "lost"]), "\(endings) \(generator.withLock { $0 })")
        }
    }
}
