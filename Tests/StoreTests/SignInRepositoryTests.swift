import Foundation
import Store
import Testing

struct SignInRepositoryTests {
    /// A wait of as many seconds as there are failures, from the third on.
    private static func limit(_ subject: String) -> SignInLimit {
        SignInLimit(subject: subject, forgetsAfter: 100) { $0 < 3 ? nil : Double($0) }
    }

    @Test(arguments: DriverUnderTest.all)
    func `attempts are counted as they begin, and wait when there were too many`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let attempts = SignInAttemptRepository(database, clock: clock.read)
            for count in 1...3 {
                let wait = try await attempts.begin([Self.limit("a")])
                #expect(wait == nil)
                #expect(try await attempts.failures(of: "a") == count)
            }
            let locked = clock.now + 3
            #expect(try await attempts.begin([Self.limit("a")]) == locked)
            clock.advance(by: 2.5)
            #expect(try await attempts.begin([Self.limit("a")]) == locked)
            #expect(try await attempts.failures(of: "a") == 3, "an attempt that has to wait does not count")
            clock.advance(by: 0.5)
            #expect(try await attempts.begin([Self.limit("a")]) == nil)
            #expect(try await attempts.begin([Self.limit("a")]) == clock.now + 4)
            #expect(try await attempts.begin([Self.limit("b")]) == nil)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `one limit that has to wait holds the others uncounted`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let attempts = SignInAttemptRepository(database, clock: clock.read)
            for _ in 0..<3 { _ = try await attempts.begin([Self.limit("a")]) }
            #expect(try await attempts.begin([Self.limit("a"), Self.limit("b")]) == clock.now + 3)
            #expect(try await attempts.begin([Self.limit("b"), Self.limit("a")]) == clock.now + 3)
            #expect(try await attempts.failures(of: "b") == 0)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `many attempts at once are let through no more often than one by one`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let attempts = SignInAttemptRepository(database, clock: TestClock().read)
            let through = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 { group.addTask { try await attempts.begin([Self.limit("a")]) == nil } }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(through == 3)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `success forgets one subject's failures and takes one from the others`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let attempts = SignInAttemptRepository(database, clock: clock.read)
            for _ in 0..<3 { _ = try await attempts.begin([Self.limit("a"), Self.limit("b"), Self.limit("c")]) }
            try await attempts.succeed(resetting: "a", forgiving: ["b"])
            #expect(try await attempts.failures(of: "a") == 0)
            #expect(try await attempts.failures(of: "b") == 2)
            #expect(try await attempts.failures(of: "c") == 3)
            #expect(try await attempts.begin([Self.limit("a"), Self.limit("b")]) == nil)
            #expect(try await attempts.begin([Self.limit("c")]) == clock.now + 3)
            try await attempts.succeed(resetting: "unknown", forgiving: ["unknown"])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `old failures are forgotten, by counting and by purging`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let attempts = SignInAttemptRepository(database, clock: clock.read)
            for _ in 0..<2 { _ = try await attempts.begin([Self.limit("a")]) }
            clock.advance(by: 99)
            _ = try await attempts.begin([Self.limit("b")])
            clock.advance(by: 1)
            #expect(try await attempts.purge(olderThan: clock.now - 50) == 1)
            #expect(try await attempts.failures(of: "a") == 0)
            #expect(try await attempts.failures(of: "b") == 1)
            clock.advance(by: 98.875)
            _ = try await attempts.begin([Self.limit("b")])
            #expect(try await attempts.failures(of: "b") == 2)
            clock.advance(by: 100)
            _ = try await attempts.begin([Self.limit("b")])
            #expect(try await attempts.failures(of: "b") == 1)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `who has to wait is not purged`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let attempts = SignInAttemptRepository(database, clock: clock.read)
            for _ in 0..<3 { _ = try await attempts.begin([Self.limit("a")]) }
            clock.advance(by: 1)
            #expect(try await attempts.purge(olderThan: clock.now) == 0)
            clock.advance(by: 2)
            #expect(try await attempts.purge(olderThan: clock.now) == 1)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a link is used once and within its time`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let links = SignInLinkRepository(database, clock: clock.read)
            let id = try await UserRepository(database, cipher: PlainColumns()).create(
                email: nil, name: nil, role: "user", passwordHash: nil
            ).id
            for hash in ["a", "b", "c"] { try await links.create(hash: hash, userID: id, expiresAt: clock.now + 10) }
            #expect(try await links.take(hash: "a") == id)
            #expect(try await links.take(hash: "a") == nil)
            clock.advance(by: 10)
            #expect(try await links.take(hash: "b") == nil)
            #expect(try await links.purge() == 1)
            await expectError(.foreignKeyViolation) {
                try await links.create(hash: "d", userID: "unknown", expiresAt: clock.now)
            }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a link for the first administrator is made only while there is none`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let links = SignInLinkRepository(database, clock: clock.read)
            let users = UserRepository(database, cipher: PlainColumns(), clock: clock.read)
            let keys = APIKeyRepository(database, clock: clock.read)
            let end = clock.now + 1_000
            #expect(try await links.createForFirstAdmin(hash: "a", expiresAt: end))
            #expect(try await links.createForFirstAdmin(hash: "b", expiresAt: end))
            #expect(try await users.page(skip: 0, limit: 9).total == 1, "the account is made once")
            #expect(try await links.take(hash: "a") == nil, "a new link ends the one before")
            let admin = try #require(try await links.take(hash: "b"))
            #expect(try await users.user(id: admin)?.role == "admin")

            try await keys.create(APIKeyRecord.example("k", role: "admin", at: clock.now, until: clock.now + 5))
            #expect(try await links.createForFirstAdmin(hash: "c", expiresAt: end) == false)
            clock.advance(by: 5)
            #expect(try await links.createForFirstAdmin(hash: "d", expiresAt: end))
            _ = try await users.setPasswordHash("h", of: admin)
            #expect(try await links.createForFirstAdmin(hash: "e", expiresAt: end) == false)
            // Nobody could sign in with the password of a disabled account.
            _ = try await users.setState(.disabled, of: admin)
            #expect(try await links.createForFirstAdmin(hash: "f", expiresAt: end))
            #expect(try await links.take(hash: "f") != admin)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `learners are assigned once, to the one educator`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let users = UserRepository(database, cipher: PlainColumns())
            let assignments = LearnerAssignmentRepository(database)
            var ids: [String] = []
            for role in ["educator", "educator", "user", "user"] {
                ids.append(try await users.create(email: nil, name: nil, role: role, passwordHash: nil).id)
            }
            #expect(try await assignments.assign(learner: ids[2], to: ids[0]))
            #expect(try await assignments.assign(learner: ids[2], to: ids[0]) == false)
            _ = try await assignments.assign(learner: ids[3], to: ids[0])
            #expect(try await assignments.isAssigned(learner: ids[2], to: ids[0]))
            #expect(try await assignments.isAssigned(learner: ids[2], to: ids[1]) == false)
            #expect(try await assignments.isAssigned(learner: ids[0], to: ids[2]) == false)
            #expect(try await assignments.learners(of: ids[0]) == [ids[2], ids[3]].sorted())
            #expect(try await assignments.unassign(learner: ids[2], from: ids[0]))
            #expect(try await assignments.unassign(learner: ids[2], from: ids[0]) == false)
            #expect(try await assignments.learners(of: ids[0]) == [ids[3]])
            await expectError(.foreignKeyViolation) { try await assignments.assign(learner: "unknown", to: ids[0]) }
            await expectError(.checkViolation) { try await assignments.assign(learner: ids[0], to: ids[0]) }
        }
    }
}
