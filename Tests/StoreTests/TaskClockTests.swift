import Foundation
import Store
import Testing

/// A clock that was ahead, as where a machine starts before it has asked for the time, and is set right.
struct TaskClockTests {
    private static let year = 365.0 * 86_400

    private func take(_ tasks: TaskRepository, owner: String = "w", for seconds: Double = 60) async throws -> TakenTask?
    {
        try await tasks.take(kinds: ["k"], limit: 1, owner: owner, for: seconds).first
    }

    @Test(arguments: DriverUnderTest.all, [year, 3600.0, 600.0])
    func `a task whose worker died under a clock that was ahead is taken again`(
        driver: DriverUnderTest, ahead: Double
    ) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let tasks = TaskRepository(database, clock: clock.read)
            clock.advance(by: ahead)
            let id = try await tasks.enqueue(NewTask(kind: "k")).id
            _ = try #require(try await take(tasks, owner: "one"))
            clock.advance(by: -ahead)
            #expect(try await take(tasks, owner: "two") == nil, "its worker may be well")
            clock.advance(by: 60)
            let again = try #require(try await take(tasks, owner: "two"))
            #expect(again.record.id == id && again.record.attempts == 2)
            #expect(again.record.lastError == "attempt 1 ended without a word from one")
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a lease that was prolonged while the clock was ahead lapses as well`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let tasks = TaskRepository(database, clock: clock.read)
            _ = try await tasks.enqueue(NewTask(kind: "k"))
            let lease = try #require(try await take(tasks)).lease
            clock.advance(by: Self.year)
            _ = try await tasks.prolong([lease], for: 60)
            clock.advance(by: -Self.year)
            #expect(try await take(tasks) == nil)
            clock.advance(by: 60)
            #expect(try await take(tasks) != nil)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `who still works under its lease keeps it by the right clock`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let tasks = TaskRepository(database, clock: clock.read)
            clock.advance(by: Self.year)
            _ = try await tasks.enqueue(NewTask(kind: "k"))
            let lease = try #require(try await take(tasks)).lease
            clock.advance(by: -Self.year)
            #expect(try await tasks.prolong([lease], for: 60).held.count == 1)
            #expect(try await take(tasks) == nil)
        }
    }

    @Test(arguments: DriverUnderTest.all, [year, 3600.0, 700.0])
    func `who works while the clock is set right loses nothing to those who look for tasks before it has prolonged`(
        driver: DriverUnderTest, ahead: Double
    ) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let tasks = TaskRepository(database, clock: clock.read)
            clock.advance(by: ahead)
            let id = try await tasks.enqueue(NewTask(kind: "k")).id
            let lease = try #require(try await take(tasks)).lease
            clock.advance(by: -ahead)
            // Others look every second, also some with shorter leases, and it prolongs after a third of its own.
            for second in 1...120 {
                clock.advance(by: 1)
                #expect(try await take(tasks, owner: "other") == nil)
                if second % 20 == 0 {
                    #expect(try await tasks.prolong([lease], for: 60).held == [id])
                    #expect(try await take(tasks, owner: "short", for: 5) == nil)
                }
            }
            let task = try #require(try await tasks.task(id: id))
            #expect(task.attempts == 1 && task.lastError == nil)
            #expect(try await tasks.finish(lease))
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a worker with shorter leases leaves those of others alone`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let tasks = TaskRepository(database, clock: clock.read)
            _ = try await tasks.enqueue(NewTask(kind: "k"))
            _ = try #require(try await take(tasks, for: 1e9))
            #expect(try await take(tasks, for: 1) == nil)
            clock.advance(by: TaskRepository.longestLease)
            #expect(try await take(tasks, for: 1) != nil)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `tasks that wait for a time of the wrong clock wait as long by the right one`(
        driver: DriverUnderTest
    ) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let tasks = TaskRepository(database, clock: clock.read)
            let planned = try await tasks.enqueue(NewTask(kind: "l", dueAt: clock.now + 1e6)).id
            let failed = try await tasks.enqueue(NewTask(kind: "k")).id
            clock.advance(by: Self.year)
            let queued = try await tasks.enqueue(NewTask(kind: "l")).id
            let later = try await tasks.enqueue(NewTask(kind: "l", dueAt: clock.now + 700)).id
            let lease = try #require(try await take(tasks)).lease
            _ = try await tasks.fail(lease, error: "x", retryAt: clock.now + 900)
            clock.advance(by: -Self.year)
            #expect(try await tasks.mendTimes() == 3)
            var due: [String: Date] = [:]
            for id in [planned, failed, queued, later] { due[id] = try await tasks.task(id: id)?.dueAt }
            #expect(due[queued] == clock.now && due[later] == clock.now + 700 && due[failed] == clock.now + 900)
            // What was planned for a far day by a right clock is.
            #expect(due[planned] == clock.now + 1e6)
            #expect(try await tasks.mendTimes() == 0)
            let mended = try #require(try await tasks.task(id: queued))
            #expect(mended.createdAt == clock.now)
        }
    }
}
