import Foundation
import Store
import Testing

struct APIKeyRepositoryTests {
    @Test(arguments: DriverUnderTest.all)
    func `a key is stored with what was given`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let keys = APIKeyRepository(database, clock: clock.read)
            let user = try await UserRepository(database, cipher: PlainColumns()).create(
                email: nil, name: nil, role: "user", passwordHash: nil)
            let key = APIKeyRecord(
                id: "0011", userID: user.id, role: "user", scopes: ["careers", "a\"b"], label: "for the app",
                salt: [0, 255, 1], hash: [9, 8], createdAt: clock.now, expiresAt: clock.now + 60)
            try await keys.create(key)
            #expect(try await keys.key(id: "0011") == APIKeyRepository.Found(key: key, userState: .active))
            #expect(try await keys.key(id: "0012") == nil)
            let bare = APIKeyRecord.example("0013", at: clock.now)
            try await keys.create(bare)
            #expect(try await keys.key(id: "0013") == APIKeyRepository.Found(key: bare, userState: nil))
            await expectError(.uniqueViolation) { try await keys.create(bare) }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a key of nobody that is there, or of no role, is refused`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let keys = APIKeyRepository(database)
            await expectError(.foreignKeyViolation) {
                try await keys.create(APIKeyRecord.example("a", user: "unknown", at: Date()))
            }
            await expectError(.checkViolation) {
                try await keys.create(APIKeyRecord.example("a", role: "anonymous", at: Date()))
            }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a revoked key stays revoked since the first time`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let keys = APIKeyRepository(database, clock: clock.read)
            try await keys.create(APIKeyRecord.example("a", at: clock.now))
            #expect(try await keys.key(id: "a")?.key.isActive(at: clock.now) == true)
            let first = clock.now
            #expect(try await keys.revoke(id: "a"))
            clock.advance(by: 60)
            #expect(try await keys.revoke(id: "a"))
            #expect(try await keys.key(id: "a")?.key.revokedAt == first)
            #expect(try await keys.key(id: "a")?.key.isActive(at: first) == false)
            #expect(try await keys.revoke(id: "b") == false)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `use is stored, and pages are in the order of making`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let keys = APIKeyRepository(database, clock: clock.read)
            let user = try await UserRepository(database, cipher: PlainColumns()).create(
                email: nil, name: nil, role: "user", passwordHash: nil)
            for (number, id) in ["c", "a", "b"].enumerated() {
                let owner = id == "a" ? user.id : nil
                try await keys.create(APIKeyRecord.example(id, user: owner, at: clock.now + Double(number)))
            }
            clock.advance(by: 9)
            try await keys.recordUse(of: "a")
            #expect(try await keys.key(id: "a")?.key.lastUsedAt == clock.now)
            let page = try await keys.page(skip: 1, limit: 5)
            #expect(page.items.map(\.id) == ["a", "b"] && page.total == 3)
            let own = try await keys.page(skip: 0, limit: 5, userID: user.id)
            #expect(own.items.map(\.id) == ["a"] && own.total == 1)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `an active key is one that is neither revoked nor over nor of somebody disabled`(driver: DriverUnderTest)
        async throws
    {
        try await driver.withSchema { database in
            let clock = TestClock()
            let keys = APIKeyRepository(database, clock: clock.read)
            let users = UserRepository(database, cipher: PlainColumns(), clock: clock.read)
            #expect(try await keys.hasActiveKey(role: "admin", scope: "admin") == false)
            try await keys.create(APIKeyRecord.example("service", at: clock.now))
            #expect(try await keys.hasActiveKey(role: "admin", scope: "admin") == false)

            try await keys.create(APIKeyRecord.example("short", role: "admin", at: clock.now, until: clock.now + 10))
            #expect(try await keys.hasActiveKey(role: "admin", scope: "admin"))
            clock.advance(by: 10)
            #expect(try await keys.hasActiveKey(role: "admin", scope: "admin") == false)

            try await keys.create(APIKeyRecord.example("long", role: "admin", at: clock.now))
            #expect(try await keys.hasActiveKey(role: "admin", scope: "admin"))
            _ = try await keys.revoke(id: "long")
            #expect(try await keys.hasActiveKey(role: "admin", scope: "admin") == false)

            let admin = try await users.create(email: nil, name: nil, role: "admin", passwordHash: nil).id
            try await keys.create(APIKeyRecord.example("own", user: admin, role: "admin", at: clock.now))
            #expect(try await keys.hasActiveKey(role: "admin", scope: "admin"))
            _ = try await users.setState(.disabled, of: admin)
            #expect(try await keys.hasActiveKey(role: "admin", scope: "admin") == false)
            #expect(try await keys.key(id: "own")?.userState == .disabled)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a key that is limited to other scopes is not the active one that is asked for`(driver: DriverUnderTest)
        async throws
    {
        try await driver.withSchema { database in
            let now = TestClock().now
            let keys = APIKeyRepository(database, clock: { now })
            for (id, scopes, isIt) in [
                ("careers", ["careers"], false), ("others", ["metrics", "administration"], false),
                ("both", ["admin", "careers"], true),
            ] {
                try await keys.create(APIKeyRecord.example(id, role: "admin", scopes: scopes, at: now))
                #expect(try await keys.hasActiveKey(role: "admin", scope: "admin") == isIt, "\(id)")
            }
        }
    }
}
