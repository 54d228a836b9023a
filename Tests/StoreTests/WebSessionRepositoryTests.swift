import Foundation
import Store
import Testing

struct WebSessionRepositoryTests {
    private static func user(_ database: any SQLDatabase, role: String = "user") async throws -> String {
        try await UserRepository(database, cipher: PlainColumns()).create(
            email: nil, name: nil, role: role, passwordHash: nil
        ).id
    }

    @Test(arguments: DriverUnderTest.all)
    func `a session comes back with its user`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let now = TestClock().now
            let sessions = WebSessionRepository(database)
            let id = try await Self.user(database, role: "educator")
            _ = try await sessions.create(idHash: "h", userID: id, passwordHash: nil, now: now, expiresAt: now + 60)
            let found = try #require(try await sessions.session(idHash: "h"))
            #expect(found.idHash == "h" && found.userID == id && found.userRole == "educator")
            #expect(found.userState == .active && found.createdAt == now && found.lastSeenAt == now)
            #expect(found.expiresAt == now + 60)
            #expect(try await sessions.session(idHash: "i") == nil)
            await expectError(.uniqueViolation) {
                _ = try await sessions.create(idHash: "h", userID: id, passwordHash: nil, now: now, expiresAt: now)
            }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `no session begins of an account that has changed since its credential was looked at`(
        driver: DriverUnderTest
    ) async throws {
        try await driver.withSchema { database in
            let now = TestClock().now
            let users = UserRepository(database, cipher: PlainColumns())
            let sessions = WebSessionRepository(database)
            let id = try await Self.user(database)
            func create(_ hash: String, _ passwordHash: String?, of user: String? = nil) async throws -> Bool {
                try await sessions.create(
                    idHash: hash, userID: user ?? id, passwordHash: passwordHash, now: now, expiresAt: now + 60)
            }
            #expect(try await create("a", nil))
            #expect(try await create("b", "one") == false, "there is no password")
            _ = try await users.setPasswordHash("one", of: id)
            #expect(try await create("c", nil) == false)
            #expect(try await create("d", "two") == false)
            #expect(try await create("e", "one"))
            _ = try await users.setState(.disabled, of: id)
            #expect(try await create("f", "one") == false)
            #expect(try await create("g", nil, of: "unknown") == false)
            let stored = try await database.read { try $0.query("SELECT id_hash FROM web_sessions").count }
            #expect(stored == 0, "disabling ended what had begun")
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a session that ended is not brought back by its use`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let now = TestClock().now
            let sessions = WebSessionRepository(database)
            let id = try await Self.user(database)
            _ = try await sessions.create(idHash: "h", userID: id, passwordHash: nil, now: now, expiresAt: now + 60)
            try await sessions.touch(idHash: "h", seenAt: now + 5, expiresAt: now + 65)
            #expect(try await sessions.session(idHash: "h")?.lastSeenAt == now + 5)
            #expect(try await sessions.session(idHash: "h")?.expiresAt == now + 65)
            #expect(try await sessions.end(idHash: "h"))
            #expect(try await sessions.end(idHash: "h") == false)
            try await sessions.touch(idHash: "h", seenAt: now + 6, expiresAt: now + 66)
            #expect(try await sessions.session(idHash: "h") == nil)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `all sessions of one user end but the one that is kept`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let now = TestClock().now
            let sessions = WebSessionRepository(database)
            let (one, two) = (try await Self.user(database), try await Self.user(database))
            for hash in ["a", "b", "c"] {
                _ = try await sessions.create(
                    idHash: hash, userID: one, passwordHash: nil, now: now, expiresAt: now + 60)
            }
            _ = try await sessions.create(idHash: "d", userID: two, passwordHash: nil, now: now, expiresAt: now + 60)
            #expect(try await sessions.endAll(of: one, except: "b") == 2)
            #expect(try await sessions.session(idHash: "b") != nil)
            #expect(try await sessions.endAll(of: one) == 1)
            #expect(try await sessions.session(idHash: "d") != nil)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `what is over is removed, at the very moment`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let now = TestClock().now
            let sessions = WebSessionRepository(database)
            let id = try await Self.user(database)
            for (hash, seconds) in [("a", 59.0), ("b", 60), ("c", 61)] {
                _ = try await sessions.create(
                    idHash: hash, userID: id, passwordHash: nil, now: now, expiresAt: now + seconds)
            }
            #expect(try await sessions.purge(now: now + 60) == 2)
            #expect(try await sessions.session(idHash: "c") != nil)
        }
    }
}
