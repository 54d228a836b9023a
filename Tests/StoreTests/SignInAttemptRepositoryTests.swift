import Foundation
import Store
import Testing

struct SignInAttemptRepositoryTests {
    /// A wait of as many seconds as there are failures, from the third on.
    private static func limit(_ subject: String) -> SignInLimit {
        SignInLimit(subject: subject, failures: 3, forgetsAfter: 100) { $0 < 3 ? nil : Double($0) }
    }

    private static func run(
        _ driver: DriverUnderTest, _ body: (any SQLDatabase, SignInAttemptRepository, TestClock) async throws -> Void
    ) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            try await body(database, SignInAttemptRepository(database, clock: clock.read), clock)
        }
    }

    /// Begins an attempt that is let in.
    private static func begin(_ attempts: SignInAttemptRepository, _ subjects: String...) async throws -> String {
        guard case .underWay(let id) = try await attempts.begin(subjects.map(limit)) else {
            throw StoreError(.other, "the attempt was not let in")
        }
        return id
    }

    private static func fail(_ attempts: SignInAttemptRepository, _ subject: String) async throws {
        try await attempts.fail(try await begin(attempts, subject), [limit(subject)])
    }

    @Test(arguments: DriverUnderTest.all)
    func `failures are counted as attempts end, and wait when there were too many`(driver: DriverUnderTest) async throws
    {
        try await Self.run(driver) { _, attempts, clock in
            for count in 1...3 {
                try await Self.fail(attempts, "a")
                #expect(try await attempts.failures(of: "a") == count)
            }
            let locked = clock.now + 3
            #expect(try await attempts.begin([Self.limit("a")]) == .locked(until: locked))
            clock.advance(by: 2.5)
            #expect(try await attempts.begin([Self.limit("a")]) == .locked(until: locked))
            #expect(try await attempts.failures(of: "a") == 3, "an attempt that has to wait does not count")
            clock.advance(by: 0.5)
            try await Self.fail(attempts, "a")
            #expect(try await attempts.begin([Self.limit("a")]) == .locked(until: clock.now + 4))
            _ = try await Self.begin(attempts, "b")
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `what is under way is no failure, and no more of it is let in than may still fail`(driver: DriverUnderTest)
        async throws
    {
        try await Self.run(driver) { _, attempts, clock in
            try await Self.fail(attempts, "a")
            let first = try await Self.begin(attempts, "a")
            let second = try await Self.begin(attempts, "a")
            #expect(try await attempts.begin([Self.limit("a")]) == .busy)
            #expect(try await attempts.failures(of: "a") == 1)
            try await attempts.succeed(first, resetting: nil)
            let third = try await Self.begin(attempts, "a")
            try await attempts.abandon(third)
            try await attempts.fail(second, [Self.limit("a")])
            #expect(try await attempts.failures(of: "a") == 2)
            try await Self.fail(attempts, "a")
            // Once there are waits, one at a time.
            clock.advance(by: 3)
            _ = try await Self.begin(attempts, "a")
            #expect(try await attempts.begin([Self.limit("a")]) == .busy)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `one limit that has to wait holds the others uncounted`(driver: DriverUnderTest) async throws {
        try await Self.run(driver) { database, attempts, clock in
            for _ in 0..<3 { try await Self.fail(attempts, "a") }
            let both = [Self.limit("a"), Self.limit("b")]
            #expect(try await attempts.begin(both) == .locked(until: clock.now + 3))
            #expect(try await attempts.begin(both.reversed()) == .locked(until: clock.now + 3))
            for _ in 0..<3 { _ = try await Self.begin(attempts, "c") }
            #expect(try await attempts.begin([Self.limit("b"), Self.limit("c")]) == .busy)
            #expect(try await attempts.failures(of: "b") == 0)
            #expect(try await Self.underWay(database) == ["c", "c", "c"])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `many attempts at once are let through no more often than one by one`(driver: DriverUnderTest) async throws {
        try await Self.run(driver) { _, attempts, _ in
            let met = try await withThrowingTaskGroup(of: SignInAttemptRepository.Beginning.self) { group in
                for _ in 0..<20 { group.addTask { try await attempts.begin([Self.limit("a")]) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(met.count { $0 == .busy } == 17)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `success forgets one subject's failures and leaves those of the others`(driver: DriverUnderTest) async throws {
        try await Self.run(driver) { database, attempts, _ in
            for subject in ["a", "b"] {
                for _ in 0..<2 { try await Self.fail(attempts, subject) }
            }
            try await attempts.succeed(try await Self.begin(attempts, "a", "b"), resetting: "a")
            #expect(try await attempts.failures(of: "a") == 0)
            #expect(try await attempts.failures(of: "b") == 2)
            try await attempts.succeed("unknown", resetting: "unknown")
            try await attempts.fail("unknown", [Self.limit("b")])
            #expect(try await attempts.failures(of: "b") == 2)
            #expect(try await Self.underWay(database).isEmpty)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `what nobody ended counts as failed after a minute, once`(driver: DriverUnderTest) async throws {
        try await Self.run(driver) { database, attempts, clock in
            let left = try await Self.begin(attempts, "a", "b")
            _ = try await Self.begin(attempts, "a")
            clock.advance(by: SignInAttemptRepository.lapsesAfter - 0.5)
            _ = try await Self.begin(attempts, "a")
            #expect(try await attempts.begin([Self.limit("a")]) == .busy)
            #expect(try await attempts.failures(of: "a") == 0)
            clock.advance(by: 0.5)
            // Two have lapsed, and with what is under way there is room for no more.
            #expect(try await attempts.begin([Self.limit("a")]) == .busy)
            #expect(try await attempts.failures(of: "a") == 2)
            try await attempts.fail(left, [Self.limit("a"), Self.limit("b")])
            #expect(try await attempts.failures(of: "a") == 2)
            #expect(try await attempts.failures(of: "b") == 1)
            #expect(try await Self.underWay(database) == ["a"])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `good attempts do not keep failures from being forgotten`(driver: DriverUnderTest) async throws {
        try await Self.run(driver) { _, attempts, clock in
            for _ in 0..<2 { try await Self.fail(attempts, "a") }
            for _ in 0..<9 {
                clock.advance(by: 11)
                try await attempts.succeed(try await Self.begin(attempts, "a"), resetting: nil)
            }
            clock.advance(by: 1)
            try await Self.fail(attempts, "a")
            #expect(try await attempts.failures(of: "a") == 1)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `what is bounded whatever comes of it is counted at once`(driver: DriverUnderTest) async throws {
        try await Self.run(driver) { _, attempts, clock in
            let both = [Self.limit("a"), Self.limit("b")]
            let first = try await attempts.count([Self.limit("a")])
            #expect(first == nil)
            #expect(try await attempts.count(both) == nil)
            #expect(try await attempts.count(both) == nil)
            #expect(try await attempts.count(both) == clock.now + 3)
            #expect(try await attempts.failures(of: "b") == 2)
            #expect(try await attempts.count([Self.limit("b")]) == nil)
            clock.advance(by: 100)
            #expect(try await attempts.count(both) == nil)
            #expect(try await attempts.failures(of: "a") == 1)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `old failures are forgotten, by counting and by purging`(driver: DriverUnderTest) async throws {
        try await Self.run(driver) { database, attempts, clock in
            for _ in 0..<2 { try await Self.fail(attempts, "a") }
            _ = try await Self.begin(attempts, "c")
            clock.advance(by: 99)
            try await Self.fail(attempts, "b")
            clock.advance(by: 1)
            #expect(try await attempts.purge(olderThan: clock.now - 50) == 2)
            #expect(try await Self.underWay(database).isEmpty)
            #expect(try await attempts.failures(of: "a") == 0)
            #expect(try await attempts.failures(of: "b") == 1)
            clock.advance(by: 98.875)
            try await Self.fail(attempts, "b")
            #expect(try await attempts.failures(of: "b") == 2)
            clock.advance(by: 100)
            try await Self.fail(attempts, "b")
            #expect(try await attempts.failures(of: "b") == 1)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `who has to wait is not purged`(driver: DriverUnderTest) async throws {
        try await Self.run(driver) { _, attempts, clock in
            for _ in 0..<3 { try await Self.fail(attempts, "a") }
            clock.advance(by: 1)
            #expect(try await attempts.purge(olderThan: clock.now) == 0)
            clock.advance(by: 2)
            #expect(try await attempts.purge(olderThan: clock.now) == 1)
        }
    }

    private static func underWay(_ database: any SQLDatabase) async throws -> [String] {
        try await database.read { connection in
            try connection.query("SELECT subject FROM sign_ins_under_way ORDER BY subject").map {
                try $0.text("subject")
            }
        }
    }
}
