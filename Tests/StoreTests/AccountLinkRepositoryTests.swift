import Foundation
import Store
import Testing

/// Links that are mailed, and what they change in an account, on every driver.
struct AccountLinkRepositoryTests {
    private static func user(
        _ database: any SQLDatabase, _ clock: TestClock, email: String? = "ada@example.org", hash: String? = "old"
    ) async throws -> String {
        try await UserRepository(database, cipher: PlainColumns(), clock: clock.read).create(
            email: email, name: nil, role: "user", passwordHash: hash
        ).id
    }

    private static func session(_ hash: String, of id: String, in database: any SQLDatabase, at now: Date) async throws
    {
        _ = try await WebSessionRepository(database).create(
            idHash: hash, userID: id, passwordHash: "old", now: now, expiresAt: now + 60)
    }

    @Test(arguments: DriverUnderTest.all)
    func `a link is found and taken under its own purpose alone`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let links = SignInLinkRepository(database, clock: clock.read)
            let id = try await Self.user(database, clock)
            for purpose in LinkPurpose.allCases {
                try await links.create(
                    hash: purpose.rawValue, userID: id, purpose: purpose, expiresAt: clock.now + 10)
            }
            for purpose in LinkPurpose.allCases {
                for other in LinkPurpose.allCases where other != purpose {
                    #expect(try await links.owner(hash: purpose.rawValue, purpose: other) == nil)
                    #expect(try await links.take(hash: purpose.rawValue, purpose: other) == nil)
                }
                #expect(try await links.owner(hash: purpose.rawValue, purpose: purpose) == id)
                #expect(try await links.take(hash: purpose.rawValue, purpose: purpose) == id)
                #expect(try await links.owner(hash: purpose.rawValue, purpose: purpose) == nil)
            }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a password is set by a link with all that goes with it, or nothing changes`(driver: DriverUnderTest)
        async throws
    {
        try await driver.withSchema { database in
            let clock = TestClock()
            let users = UserRepository(database, cipher: PlainColumns(), clock: clock.read)
            let links = SignInLinkRepository(database, clock: clock.read)
            let sessions = WebSessionRepository(database)
            let (ada, bob) = (
                try await Self.user(database, clock), try await Self.user(database, clock, email: "bob@example.org")
            )
            for (name, id) in [("a", ada), ("b", bob)] {
                try await Self.session(name, of: id, in: database, at: clock.now)
                for number in 1...2 {
                    try await links.create(
                        hash: "\(name)\(number)", userID: id, purpose: .passwordReset, expiresAt: clock.now + 10)
                }
                try await links.create(
                    hash: "\(name)3", userID: id, purpose: .addressVerification, expiresAt: clock.now + 10)
                let limit = SignInLimit(subject: name, failures: 3, forgetsAfter: 100) { _ in nil }
                _ = try await SignInAttemptRepository(database, clock: clock.read).count([limit])
            }
            let attempts = SignInAttemptRepository(database, clock: clock.read)
            #expect(try await users.resetPassword(link: "a3", to: "new", forgetting: "a") == nil)
            #expect(try await users.resetPassword(link: "none", to: "new", forgetting: "a") == nil)
            #expect(try await users.user(id: ada)?.passwordHash == "old")
            #expect(try await sessions.session(idHash: "a") != nil)
            clock.advance(by: 5)
            #expect(try await users.resetPassword(link: "a1", to: "new", forgetting: "a") == ada)
            let changed = try #require(try await users.user(id: ada))
            #expect(changed.passwordHash == "new" && changed.emailVerifiedAt == clock.now)
            #expect(try await sessions.session(idHash: "a") == nil)
            #expect(try await attempts.failures(of: "a") == 0)
            #expect(try await links.owner(hash: "a2", purpose: .passwordReset) == nil)
            #expect(try await links.owner(hash: "a3", purpose: .addressVerification) == ada)
            // Nobody else's.
            #expect(try await users.user(id: bob)?.passwordHash == "old")
            #expect(try await sessions.session(idHash: "b") != nil)
            #expect(try await attempts.failures(of: "b") == 1)
            clock.advance(by: 5)
            #expect(try await users.resetPassword(link: "b1", to: "new", forgetting: nil) == nil, "it is over")
            #expect(try await users.user(id: bob)?.passwordHash == "old")
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `an address is verified once, of an active account that has one`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let users = UserRepository(database, cipher: PlainColumns(), clock: clock.read)
            let links = SignInLinkRepository(database, clock: clock.read)
            let id = try await Self.user(database, clock)
            let bare = try await Self.user(database, clock, email: nil)
            for (hash, user) in [("a", id), ("b", id), ("c", bare)] {
                try await links.create(
                    hash: hash, userID: user, purpose: .addressVerification, expiresAt: clock.now + 100)
            }
            #expect(try await users.verifyEmail(link: "c") == nil)
            #expect(try await users.verifyEmail(link: "a") == id)
            #expect(try await users.verifyEmail(link: "b") == nil, "one is enough")
            #expect(try await users.user(id: id)?.emailVerifiedAt == clock.now)
            let since = clock.now
            clock.advance(by: 1)
            try await links.create(hash: "d", userID: id, purpose: .addressVerification, expiresAt: clock.now + 100)
            #expect(try await users.verifyEmail(link: "d") == id)
            #expect(try await users.user(id: id)?.emailVerifiedAt == since)
            #expect(try await users.user(emailIndex: users.index(of: "ada@example.org"))?.id == id)
            #expect(try await users.user(emailIndex: users.index(of: "Ada@example.org")) == nil)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `sessions come in pages and end by their id`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let sessions = WebSessionRepository(database)
            let (ada, bob) = (
                try await Self.user(database, clock), try await Self.user(database, clock, email: "bob@example.org")
            )
            let hashes = (0..<5).map { String(repeating: "\($0)", count: 64) }
            for hash in hashes {
                try await Self.session(hash, of: ada, in: database, at: clock.now)
                clock.advance(by: 10)
            }
            // The first is over by now: it held for 60 seconds.
            let all = try await sessions.page(of: ada, now: clock.now + 10, skip: 0, limit: 10)
            #expect(all.items.map(\.idHash) == hashes.dropFirst().reversed() && all.total == 4)
            let some = try await sessions.page(of: ada, now: clock.now + 10, skip: 1, limit: 2)
            #expect(some.items == Array(all.items[1...2]) && some.total == 4)
            #expect(try await sessions.page(of: bob, now: clock.now, skip: 0, limit: 10).total == 0)
            let id = all.items[0].id
            #expect(id == String(repeating: "4", count: 32))
            #expect(try await !sessions.end(id: id, of: bob))
            #expect(try await !sessions.end(id: String(id.dropLast()), of: ada))
            #expect(try await sessions.end(id: id, of: ada))
            #expect(try await !sessions.end(id: id, of: ada))
            #expect(try await sessions.page(of: ada, now: clock.now, skip: 0, limit: 10).items.count == 4)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `the learners of an educator come in pages`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let users = UserRepository(database, cipher: PlainColumns(), clock: clock.read)
            let assignments = LearnerAssignmentRepository(database)
            var educators: [String] = []
            for _ in 0..<2 {
                educators.append(
                    try await users.create(email: nil, name: nil, role: "educator", passwordHash: nil).id)
            }
            var learners: [String] = []
            for number in 0..<5 {
                let id = try await Self.user(database, clock, email: "\(number)@example.org")
                try await assignments.assign(learner: id, to: educators[0])
                learners.append(id)
            }
            try await assignments.assign(learner: learners[0], to: educators[1])
            var found: [String] = []
            for skip in stride(from: 0, to: 6, by: 2) {
                let page = try await users.learners(of: educators[0], skip: skip, limit: 2)
                #expect(page.total == 5)
                found += page.items.map(\.id)
            }
            #expect(found == learners.sorted())
            #expect(try await users.learners(of: educators[1], skip: 0, limit: 9).items.map(\.id) == [learners[0]])
            #expect(try await users.learners(of: learners[0], skip: 0, limit: 9).total == 0)
        }
    }
}
