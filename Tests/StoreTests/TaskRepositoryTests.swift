import Foundation
import Store
import Testing

struct TaskRepositoryTests {
    /// Takes tasks of the kind “k” for a minute.
    private func take(_ tasks: TaskRepository, _ limit: Int = 1, owner: String = "w") async throws -> [TakenTask] {
        try await tasks.take(kinds: ["k"], limit: limit, owner: owner, for: 60)
    }

    private func state(_ tasks: TaskRepository, _ id: String) async throws -> TaskState? {
        try await tasks.task(id: id)?.state
    }

    @Test(arguments: DriverUnderTest.all)
    func `a task is stored with what was given, and waits`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let tasks = TaskRepository(database, clock: clock.read)
            let id = try await tasks.enqueue(
                NewTask(
                    kind: "k", payload: #"{"a":1}"#, uniqueKey: "u", priority: 3, maximumAttempts: 2,
                    dueAt: clock.now + 5)
            ).id
            let task = try #require(try await tasks.task(id: id))
            #expect(task.kind == "k" && task.payload == #"{"a":1}"# && task.uniqueKey == "u" && task.priority == 3)
            #expect(task.state == .waiting && task.attempts == 0 && task.maximumAttempts == 2)
            #expect(task.dueAt == clock.now + 5 && task.createdAt == clock.now)
            #expect(task.startedAt == nil && task.finishedAt == nil && task.leaseOwner == nil && task.lastError == nil)
            #expect(try await tasks.task(id: "unknown") == nil)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a unique key holds while its task waits or runs`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let tasks = TaskRepository(database)
            let task = NewTask(kind: "k", uniqueKey: "u")
            let first = try await tasks.enqueue(task)
            #expect(first == .queued(id: first.id))
            #expect(try await tasks.enqueue(task) == .alreadyQueued(id: first.id))
            let lease = try #require(try await take(tasks).first).lease
            #expect(try await tasks.enqueue(task) == .alreadyQueued(id: first.id))
            #expect(try await tasks.finish(lease))
            let second = try await tasks.enqueue(task)
            #expect(second == .queued(id: second.id) && second.id != first.id)
            // Without a key there is no limit.
            _ = try await tasks.enqueue(NewTask(kind: "k"))
            _ = try await tasks.enqueue(NewTask(kind: "k"))
            #expect(try await tasks.list(limit: 10).total == 4)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a task comes with the transaction that queues it, or not at all`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let tasks = TaskRepository(database)
            await #expect(throws: Refusal.self) {
                try await database.write { connection in
                    _ = try tasks.enqueue(NewTask(kind: "k"), in: connection)
                    throw Refusal()
                }
            }
            #expect(try await tasks.list(limit: 1).total == 0)
            _ = try await database.write { try tasks.enqueue(NewTask(kind: "k"), in: $0) }
            #expect(try await tasks.list(limit: 1).total == 1)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `the most urgent due task of the kinds asked for is taken`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let tasks = TaskRepository(database, clock: clock.read)
            let late = try await tasks.enqueue(NewTask(kind: "k", dueAt: clock.now - 1)).id
            let later = try await tasks.enqueue(NewTask(kind: "k", dueAt: clock.now - 5)).id
            let urgent = try await tasks.enqueue(NewTask(kind: "k", priority: 1)).id
            _ = try await tasks.enqueue(NewTask(kind: "k", priority: 9, dueAt: clock.now + 1))
            _ = try await tasks.enqueue(NewTask(kind: "other", priority: 9))
            let first = try await take(tasks, 2)
            #expect(first.map(\.record.id) == [urgent, later])
            #expect(try await take(tasks, 9).map(\.record.id) == [late])
            #expect(try await take(tasks, 9).isEmpty)
            let taken = try #require(first.first)
            #expect(taken.record.state == .running && taken.record.attempts == 1)
            #expect(taken.record.leaseOwner == "w" && taken.record.leaseUntil == clock.now + 60)
            #expect(taken.record.startedAt == clock.now)
            #expect(try await tasks.take(kinds: [], limit: 1, owner: "w", for: 60).isEmpty)
            clock.advance(by: 1)
            #expect(try await take(tasks, 9).map(\.record.priority) == [9])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `each task is taken by one of many who ask at once`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let tasks = TaskRepository(database)
            for _ in 0..<40 { _ = try await tasks.enqueue(NewTask(kind: "k")) }
            let taken = try await withThrowingTaskGroup(of: [String].self) { group in
                for worker in 0..<8 {
                    group.addTask {
                        var ids: [String] = []
                        while true {
                            let some = try await tasks.take(kinds: ["k"], limit: 3, owner: "\(worker)", for: 60)
                            if some.isEmpty { return ids }
                            ids += some.map(\.record.id)
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(taken.count == 40 && Set(taken).count == 40)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a lease that ran out makes the task due again, and its holder powerless`(driver: DriverUnderTest) async throws
    {
        try await driver.withSchema { database in
            let clock = TestClock()
            let tasks = TaskRepository(database, clock: clock.read)
            let id = try await tasks.enqueue(NewTask(kind: "k", maximumAttempts: 2)).id
            let first = try #require(try await take(tasks, owner: "one").first).lease
            clock.advance(by: 59)
            #expect(try await take(tasks).isEmpty)
            #expect(try await tasks.prolong([first], for: 60).held == [id])
            clock.advance(by: 59)
            #expect(try await take(tasks).isEmpty)
            clock.advance(by: 1)
            let second = try #require(try await take(tasks, owner: "two").first)
            #expect(second.record.id == id && second.record.attempts == 2)
            #expect(second.record.lastError == "attempt 1 ended without a word from one")
            #expect(try await tasks.prolong([first], for: 60).held.isEmpty)
            #expect(try await tasks.setProgress("{}", of: first) == false)
            #expect(try await tasks.finish(first) == false)
            #expect(try await tasks.fail(first, error: "x", retryAt: nil) == nil)
            #expect(try await tasks.giveBack(first) == nil)
            #expect(try await tasks.endCancelled(first) == false)
            #expect(try await tasks.task(id: id) == second.record)
            // The second attempt was the last.
            clock.advance(by: 60)
            #expect(try await take(tasks).isEmpty)
            let dead = try #require(try await tasks.task(id: id))
            #expect(dead.state == .dead && dead.finishedAt == clock.now && dead.leaseUntil == nil)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a holder whose lease ran out may end the task while nobody else has it`(driver: DriverUnderTest) async throws
    {
        try await driver.withSchema { database in
            let clock = TestClock()
            let tasks = TaskRepository(database, clock: clock.read)
            _ = try await tasks.enqueue(NewTask(kind: "k"))
            let lease = try #require(try await take(tasks).first).lease
            clock.advance(by: 1_000)
            #expect(try await tasks.finish(lease, result: "[1]"))
            let task = try #require(try await tasks.task(id: lease.taskID))
            #expect(task.state == .done && task.result == "[1]" && task.finishedAt == clock.now)
            #expect(try await tasks.finish(lease) == false)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `the end of a task and its effect are one transaction`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let tasks = TaskRepository(database)
            let id = try await tasks.enqueue(NewTask(kind: "k")).id
            let lease = try #require(try await take(tasks).first).lease
            await #expect(throws: Refusal.self) {
                try await database.write { connection in
                    _ = try tasks.recordEffect(of: id, in: connection)
                    _ = try tasks.finish(lease, in: connection)
                    throw Refusal()
                }
            }
            #expect(try await state(tasks, id) == .running)
            #expect(try await tasks.effects() == (0, 0))
            let times = try await database.write { connection in
                #expect(try tasks.finish(lease, in: connection))
                return [
                    try tasks.recordEffect(of: id, in: connection), try tasks.recordEffect(of: id, in: connection),
                ]
            }
            #expect(times == [1, 2])
            #expect(try await state(tasks, id) == .done)
            #expect(try await tasks.effects() == (1, 2))
            await expectError(.foreignKeyViolation) {
                _ = try await database.write { try tasks.recordEffect(of: "unknown", in: $0) }
            }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a failed attempt waits for its time, and is dead after the last`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let tasks = TaskRepository(database, clock: clock.read)
            let id = try await tasks.enqueue(NewTask(kind: "k", maximumAttempts: 2)).id
            let first = try #require(try await take(tasks).first).lease
            #expect(try await tasks.fail(first, error: "no", retryAt: clock.now + 7) == .waiting)
            let waiting = try #require(try await tasks.task(id: id))
            #expect(waiting.lastError == "no" && waiting.dueAt == clock.now + 7 && waiting.finishedAt == nil)
            #expect(try await take(tasks).isEmpty)
            clock.advance(by: 7)
            let second = try #require(try await take(tasks).first).lease
            #expect(try await tasks.fail(second, error: "again", retryAt: clock.now + 7) == .dead)
            let dead = try #require(try await tasks.task(id: id))
            #expect(dead.state == .dead && dead.attempts == 2 && dead.lastError == "again")
            #expect(dead.finishedAt == clock.now)
            let hopeless = try await tasks.enqueue(NewTask(kind: "k")).id
            let lease = try #require(try await take(tasks).first).lease
            #expect(try await tasks.fail(lease, error: "never", retryAt: nil) == .dead)
            #expect(try await tasks.task(id: hopeless)?.attempts == 1)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `what is given back does not count as an attempt`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let tasks = TaskRepository(database, clock: clock.read)
            let id = try await tasks.enqueue(NewTask(kind: "k", maximumAttempts: 1)).id
            let first = try #require(try await take(tasks).first).lease
            #expect(try await tasks.giveBack(first) == .waiting)
            let second = try #require(try await take(tasks).first)
            #expect(second.record.attempts == 1)
            #expect(try await tasks.giveBack(second.lease, dueAt: clock.now + 3) == .waiting)
            #expect(try await take(tasks).isEmpty)
            #expect(try await tasks.task(id: id)?.attempts == 0)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `cancelling ends what waits, and asks what runs`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let tasks = TaskRepository(database)
            let waiting = try await tasks.enqueue(NewTask(kind: "k", priority: -1)).id
            #expect(try await tasks.cancel(id: waiting) == .cancelled)
            #expect(try await tasks.cancel(id: waiting) == .over(.cancelled))
            #expect(try await tasks.cancel(id: "unknown") == nil)
            for ending in ["end", "fail", "give back", "done", "lapse"] {
                let clock = TestClock()
                let tasks = TaskRepository(database, clock: clock.read)
                let id = try await tasks.enqueue(NewTask(kind: "k")).id
                let lease = try #require(try await take(tasks).first).lease
                #expect(try await tasks.look(at: [lease]).cancelRequested.isEmpty)
                #expect(try await tasks.cancel(id: id) == .asked)
                #expect(try await tasks.look(at: [lease]).cancelRequested == [id])
                #expect(try await tasks.prolong([lease], for: 60).cancelRequested == [id])
                switch ending {
                case "end": #expect(try await tasks.endCancelled(lease))
                case "fail": #expect(try await tasks.fail(lease, error: "x", retryAt: clock.now) == .cancelled)
                case "give back": #expect(try await tasks.giveBack(lease) == .cancelled)
                // What is done is done.
                case "done": #expect(try await tasks.finish(lease))
                default:
                    clock.advance(by: 60)
                    #expect(try await take(tasks).isEmpty)
                }
                #expect(try await state(tasks, id) == (ending == "done" ? .done : .cancelled), "\(ending)")
            }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `what is dead or cancelled is tried again from the beginning`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let tasks = TaskRepository(database, clock: clock.read)
            let id = try await tasks.enqueue(NewTask(kind: "k", uniqueKey: "u", maximumAttempts: 1)).id
            #expect(try await tasks.retry(id: id) == .refused(.waiting))
            let lease = try #require(try await take(tasks).first).lease
            #expect(try await tasks.retry(id: id) == .refused(.running))
            _ = try await tasks.fail(lease, error: "x", retryAt: nil)
            clock.advance(by: 10)
            let other = try await tasks.enqueue(NewTask(kind: "k", uniqueKey: "u")).id
            #expect(try await tasks.retry(id: id) == .keyHeld(by: other))
            _ = try await tasks.cancel(id: other)
            #expect(try await tasks.retry(id: id) == .waiting)
            #expect(try await tasks.retry(id: other) == .keyHeld(by: id))
            let again = try #require(try await take(tasks).first)
            #expect(again.record.id == id && again.record.attempts == 1 && !again.record.isCancelRequested)
            #expect(again.record.dueAt == clock.now && again.record.finishedAt == nil)
            _ = try await tasks.finish(again.lease)
            #expect(try await tasks.retry(id: id) == .refused(.done))
            #expect(try await tasks.retry(id: other) == .waiting)
            #expect(try await tasks.look(at: [try #require(try await take(tasks).first).lease]).cancelRequested.isEmpty)
            #expect(try await tasks.retry(id: "unknown") == nil)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `lists are filtered, newest first, and counted`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let tasks = TaskRepository(database, clock: clock.read)
            var ids: [String] = []
            for number in 0..<6 {
                ids.append(try await tasks.enqueue(NewTask(kind: number % 2 == 0 ? "k" : "l")).id)
                // Two of each moment.
                if number % 2 == 1 { clock.advance(by: 1) }
            }
            let order = [5, 4, 3, 2, 1, 0].map { ids[$0] }
            let all = try await tasks.list(limit: 10)
            #expect(all.total == 6 && Set(all.items.prefix(2).map(\.id)) == Set(order.prefix(2)))
            #expect(all.items.last.map { ids.prefix(2).contains($0.id) } == true)
            let page = try await tasks.list(skip: 2, limit: 3)
            #expect(page.total == 6 && page.items == Array(all.items[2..<5]))
            _ = try await tasks.cancel(id: ids[0])
            let cancelled = try await tasks.list(TaskFilter(state: .cancelled), limit: 10)
            #expect(cancelled.items.map(\.id) == [ids[0]] && cancelled.total == 1)
            #expect(try await tasks.list(TaskFilter(state: .waiting, kind: "k"), limit: 1).total == 2)
            #expect(
                try await tasks.counts() == [
                    TaskCount(kind: "k", state: .cancelled, count: 1), TaskCount(kind: "k", state: .waiting, count: 2),
                    TaskCount(kind: "l", state: .waiting, count: 3),
                ])
            clock.advance(by: 1)
            #expect(try await tasks.oldestDueAge() == 4)
            _ = try await tasks.take(kinds: ["k", "l"], limit: 9, owner: "w", for: 60)
            #expect(try await tasks.oldestDueAge() == 0)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `what was over long ago is purged, with the note of its effect`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let tasks = TaskRepository(database, clock: clock.read)
            let old = try await tasks.enqueue(NewTask(kind: "k")).id
            let lease = try #require(try await take(tasks).first).lease
            _ = try await database.write { try tasks.recordEffect(of: old, in: $0) }
            _ = try await tasks.finish(lease)
            let dead = try await tasks.enqueue(NewTask(kind: "k")).id
            let other = try #require(try await take(tasks).first).lease
            _ = try await tasks.fail(other, error: "x", retryAt: nil)
            _ = try await tasks.enqueue(NewTask(kind: "k"))
            clock.advance(by: 10)
            let recent = try await tasks.enqueue(NewTask(kind: "l")).id
            _ = try await tasks.cancel(id: recent)
            #expect(try await tasks.purge([.done, .cancelled], finishedBefore: clock.now) == 1)
            #expect(try await tasks.purge([], finishedBefore: clock.now) == 0)
            #expect(try await state(tasks, old) == nil)
            #expect(try await tasks.effects() == (0, 0))
            #expect(try await state(tasks, dead) == .dead)
            #expect(try await tasks.purge([.dead], finishedBefore: clock.now) == 1)
            #expect(try await tasks.list(limit: 9).total == 2)
        }
    }
}
