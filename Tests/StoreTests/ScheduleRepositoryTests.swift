import Foundation
import Store
import Testing

struct ScheduleRepositoryTests {
    private let nightly = Schedule(name: "nightly", kind: "k", expression: "0 3 * * *", zone: "Europe/Berlin")

    @Test(arguments: DriverUnderTest.all)
    func `a schedule counts from when it was defined`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let schedules = ScheduleRepository(database, clock: clock.read)
            let other = Schedule(name: "a", kind: "l", expression: "@daily", catchUp: .skip, payload: "[1]")
            try await schedules.define([nightly, other])
            let all = try await schedules.all()
            #expect(all.map(\.schedule) == [other, nightly])
            #expect(all.allSatisfy { $0.isEnabled && $0.settledUntil == clock.now && $0.lastTime == nil })
            #expect(try await schedules.schedule("nightly") == all.last)
            #expect(try await schedules.schedule("unknown") == nil)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `defining again changes what is defined, and little else`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let schedules = ScheduleRepository(database, clock: clock.read)
            try await schedules.define([nightly])
            let start = clock.now
            _ = try await schedules.setEnabled(false, name: "nightly")
            clock.advance(by: 100)
            try await schedules.define([nightly])
            let same = try #require(try await schedules.schedule("nightly"))
            #expect(!same.isEnabled && same.settledUntil == start && same.updatedAt == start)
            let renamed = Schedule(name: "nightly", kind: "l", expression: "0 3 * * *", zone: "Europe/Berlin")
            try await schedules.define([renamed])
            let other = try #require(try await schedules.schedule("nightly"))
            #expect(other.schedule == renamed && !other.isEnabled && other.settledUntil == start)
            // Other times count from now on: what they would have been before was never missed.
            try await schedules.define([Schedule(name: "nightly", kind: "l", expression: "0 4 * * *", zone: "UTC")])
            #expect(try await schedules.schedule("nightly")?.settledUntil == clock.now)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `one of those who settle the same time succeeds`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let schedules = ScheduleRepository(database, clock: clock.read)
            try await schedules.define([nightly])
            let record = try #require(try await schedules.schedule("nightly"))
            let (time, later) = (clock.now + 50, clock.now + 60)
            let settled = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await database.write { try schedules.settle(record, until: time, queues: true, in: $0) }
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(settled == 1)
            let now = try #require(try await schedules.schedule("nightly"))
            #expect(now.settledUntil == time && now.lastTime == time)
            #expect(try await database.write { try schedules.settle(now, until: later, queues: false, in: $0) })
            let passed = try #require(try await schedules.schedule("nightly"))
            #expect(passed.settledUntil == later && passed.lastTime == time)
            _ = try await schedules.setEnabled(false, name: "nightly")
            let isOff = try await database.write { try schedules.settle(passed, until: later, queues: true, in: $0) }
            #expect(!isOff)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `what came due while it was switched off is not made up for`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let schedules = ScheduleRepository(database, clock: clock.read)
            try await schedules.define([nightly])
            let start = clock.now
            clock.advance(by: 10)
            // Nothing changes where it is so already.
            #expect(try await schedules.setEnabled(true, name: "nightly")?.settledUntil == start)
            #expect(try await schedules.setEnabled(false, name: "nightly")?.isEnabled == false)
            clock.advance(by: 1_000_000)
            let on = try #require(try await schedules.setEnabled(true, name: "nightly"))
            #expect(on.isEnabled && on.settledUntil == clock.now)
            #expect(try await schedules.setEnabled(true, name: "unknown") == nil)
        }
    }
}
