import Foundation
import Store
import Testing

struct MonitorRunRepositoryTests {
    @Test(arguments: DriverUnderTest.all)
    func `a run begins, comes on and ends`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let runs = MonitorRunRepository(database, clock: clock.read)
            let start = clock.now
            let begun = try await runs.begin(id: "a", reason: .schedule)
            #expect(
                begun
                    == MonitorRunRecord(
                        id: "a", reason: .schedule, state: .running, report: "{}", startedAt: start, endedAt: nil))
            #expect(try await runs.update(id: "a", report: #"{"checked":1}"#))
            clock.advance(by: 60)
            #expect(try await runs.end(id: "a", state: .done, report: #"{"checked":2}"#))
            #expect(
                try await runs.latest(limit: 9) == [
                    MonitorRunRecord(
                        id: "a", reason: .schedule, state: .done, report: #"{"checked":2}"#, startedAt: start,
                        endedAt: clock.now)
                ])
            #expect(try await runs.update(id: "a", report: "{}") == false, "it has ended")
            #expect(try await runs.end(id: "unknown", state: .failed, report: "{}") == false)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a run that begins again goes on, and another that was killed is stopped`(driver: DriverUnderTest) async throws
    {
        try await driver.withSchema { database in
            let clock = TestClock()
            let runs = MonitorRunRepository(database, clock: clock.read)
            let start = clock.now
            try await runs.begin(id: "a", reason: .schedule)
            try await runs.update(id: "a", report: #"{"checked":1}"#)
            clock.advance(by: 60)
            let again = try await runs.begin(id: "a", reason: .command)
            #expect(again.reason == .schedule && again.startedAt == start && again.report == #"{"checked":1}"#)
            try await runs.end(id: "a", state: .failed, report: "{}")
            let third = try await runs.begin(id: "a", reason: .schedule)
            #expect(third.state == .running && third.endedAt == nil)
            clock.advance(by: 60)
            try await runs.begin(id: "b", reason: .api)
            let latest = try await runs.latest(limit: 9)
            #expect(latest.map(\.id) == ["b", "a"] && latest.map(\.state) == [.running, .stopped])
            #expect(latest[1].endedAt == clock.now)
            #expect(try await runs.latest(limit: 1).map(\.id) == ["b"])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `old runs go, and one that runs stays`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let runs = MonitorRunRepository(database, clock: clock.read)
            try await runs.begin(id: "first", reason: .schedule)
            // The one that is gone on with in the end is the oldest.
            for number in 0..<5 {
                clock.advance(by: 1)
                try await runs.begin(id: "\(number)", reason: .schedule)
                try await runs.end(id: "\(number)", state: .done, report: "{}")
            }
            try await runs.begin(id: "first", reason: .schedule)
            #expect(try await runs.purge(keeping: 2) == 3)
            #expect(try await runs.latest(limit: 9).map(\.id) == ["4", "3", "first"])
            #expect(try await runs.purge(keeping: 2) == 0)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a file is known by its last sum and size`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let files = MonitorFileRepository(database, clock: TestClock().read)
            #expect(try await files.state(of: "a.csv")?.sha256 == nil)
            try await files.set("a.csv", sha256: "one", bytes: 1)
            try await files.set("a.csv", sha256: "two", bytes: 5_000_000_000)
            try await files.set("b.csv", sha256: "three", bytes: 0)
            let state = try #require(try await files.state(of: "a.csv"))
            #expect(state.sha256 == "two" && state.bytes == 5_000_000_000)
            #expect(try await files.remove("a.csv"))
            #expect(try await files.remove("a.csv") == false)
            #expect(try await files.state(of: "a.csv")?.sha256 == nil)
            #expect(try await files.state(of: "b.csv")?.bytes == 0)
        }
    }
}
