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
            try await sessions.create(idHash: "h", userID: id, now: now, expiresAt: now + 60)
            let found = try #require(try await sessions.session(idHash: "h"))
            #expect(found.idHash == "h" && found.userID == id && found.userRole == "educator")
            #expect(found.userState == .active && found.createdAt == now && found.lastSeenAt == now)
            #expect(found.expiresAt == now + 60)
            #expect(try await sessions.session(idHash: "i") == nil)
            await expectError(.foreignKeyViolation) {
                try await sessions.create(idHash: "i", userID: "unknown", now: now, expiresAt: now)
            }
            await expectError(.uniqueViolation) {
                try await sessions.create(idHash: "h", userID: id, now: now, expiresAt: now)
            }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a session that ended is not brought back by its use`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let now = TestClock().now
            let sessions = WebSessionRepository(database)
            let id = try await Self.user(database)
            try await sessions.create(idHash: "h", userID: id, now: now, expiresAt: now + 60)
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
                try await sessions.create(idHash: hash, userID: one, now: now, expiresAt: now + 60)
            }
            try await sessions.create(idHash: "d", userID: two, now: now, expiresAt: now + 60)
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
                try await sessions.create(idHash: hash, userID: id, now: now, expiresAt: now + seconds)
            }
            #expect(try await sessions.purge(now: now + 60) == 2)
            #expect(try await sessions.session(idHash: "c") != nil)
        }
    }
}
