import Foundation
import Store
import Testing

struct SignInRepositoryTests {
    private func repositories(of database: any SQLDatabase, _ clock: TestClock)
        -> (links: SignInLinkRepository, users: UserRepository, keys: APIKeyRepository)
    {
        (
            SignInLinkRepository(database, clock: clock.read),
            UserRepository(database, cipher: PlainColumns(), clock: clock.read),
            APIKeyRepository(database, clock: clock.read)
        )
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
            let (links, users, keys) = repositories(of: database, clock)
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
    func `a link for the first administrator ends as soon as there is one, by key or by password`(
        driver: DriverUnderTest
    ) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let (links, users, keys) = repositories(of: database, clock)
            let end = clock.now + 1_000
            #expect(try await links.createForFirstAdmin(hash: "a", expiresAt: end))
            let admin = try #require(try await links.takeForFirstAdmin(hash: "a"))
            #expect(try await links.takeForFirstAdmin(hash: "a") == nil, "it is used up")

            #expect(try await links.createForFirstAdmin(hash: "b", expiresAt: end))
            try await keys.create(APIKeyRecord.example("k", role: "admin", at: clock.now))
            #expect(try await links.takeForFirstAdmin(hash: "b") == nil)
            _ = try await keys.revoke(id: "k")
            #expect(try await links.takeForFirstAdmin(hash: "b") == nil, "it does not come back")

            #expect(try await links.createForFirstAdmin(hash: "c", expiresAt: end))
            _ = try await users.setPasswordHash("h", of: admin)
            #expect(try await links.takeForFirstAdmin(hash: "c") == nil)
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
