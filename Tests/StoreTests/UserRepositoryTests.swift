import Foundation
import Store
import Testing

struct UserRepositoryTests {
    /// Turns text around, so that what was not sealed or not opened shows.
    struct Reversing: ColumnCipher {
        func seal(_ text: String, column: String) -> String { "\(column)|" + String(text.reversed()) }

        func open(_ stored: String, column: String) throws -> String {
            guard stored.hasPrefix("\(column)|") else {
                throw ColumnCipherError(.damaged, column: column, keyID: "reversing")
            }
            return String(stored.dropFirst(column.count + 1).reversed())
        }

        func index(_ text: String, column: String) -> String { "\(column)#" + String(text.reversed()) }
    }

    private static func make(_ database: any SQLDatabase, _ clock: TestClock = TestClock()) -> UserRepository {
        UserRepository(database, cipher: Reversing(), clock: clock.read)
    }

    @Test(arguments: DriverUnderTest.all)
    func `an account is stored with what was given and found by its address`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let users = Self.make(database, clock)
            let made = try await users.create(email: "ada@example.org", name: "Ada", role: "admin", passwordHash: "h")
            #expect(made.email == "ada@example.org" && made.name == "Ada" && made.role == "admin")
            #expect(made.passwordHash == "h" && made.state == .active && made.lastSignInAt == nil)
            #expect(made.createdAt == clock.now && made.updatedAt == clock.now)
            #expect(try await users.user(id: made.id) == made)
            #expect(try await users.user(email: "ada@example.org") == made)
            #expect(try await users.user(email: "Ada@example.org") == nil)
            #expect(try await users.user(id: "unknown") == nil)
            #expect(try await users.state(of: made.id) == .active)
            #expect(try await users.state(of: "unknown") == nil)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `address and name are sealed for their columns, and the index tells nothing`(driver: DriverUnderTest)
        async throws
    {
        try await driver.withSchema { database in
            _ = try await Self.make(database).create(
                email: "ada@example.org", name: "Ada", role: "user", passwordHash: nil)
            let row = try #require(
                try await database.read { try $0.first("SELECT email, email_index, name FROM users") })
            #expect(try row.text("email") == "users.email|gro.elpmaxe@ada")
            #expect(try row.text("email_index") == "users.email#gro.elpmaxe@ada")
            #expect(try row.text("name") == "users.name|adA")
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `an address is one account's, and any number have none`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let users = Self.make(database)
            _ = try await users.create(email: "a@b.c", name: nil, role: "user", passwordHash: nil)
            await expectError(.uniqueViolation) {
                _ = try await users.create(email: "a@b.c", name: nil, role: "user", passwordHash: nil)
            }
            for _ in 0..<2 { _ = try await users.create(email: nil, name: nil, role: "admin", passwordHash: nil) }
            #expect(try await users.page(skip: 0, limit: 10).total == 3)
        }
    }

    @Test(arguments: DriverUnderTest.all, ["anonymous", "root", ""])
    func `an account of another role is refused`(driver: DriverUnderTest, role: String) async throws {
        try await driver.withSchema { database in
            await expectError(.checkViolation) {
                _ = try await Self.make(database).create(email: nil, name: nil, role: role, passwordHash: nil)
            }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `pages come in the order of making, each account once`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let users = Self.make(database, clock)
            var ids: [String] = []
            for number in 0..<7 {
                ids.append(
                    try await users.create(email: "\(number)@b.c", name: nil, role: "user", passwordHash: nil).id)
                clock.advance(by: 1)
            }
            var found: [String] = []
            for skip in stride(from: 0, to: 9, by: 3) {
                let page = try await users.page(skip: skip, limit: 3)
                #expect(page.total == 7)
                found += page.items.map(\.id)
            }
            #expect(found == ids)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `who is disabled has no session and no link, others keep theirs`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let users = Self.make(database, clock)
            let sessions = WebSessionRepository(database)
            let links = SignInLinkRepository(database, clock: clock.read)
            var ids: [String] = []
            for name in ["one", "two"] {
                let id = try await users.create(email: nil, name: name, role: "user", passwordHash: nil).id
                _ = try await sessions.create(
                    idHash: name, userID: id, passwordHash: nil, now: clock.now, expiresAt: clock.now + 60)
                try await links.create(hash: name, userID: id, expiresAt: clock.now + 60)
                ids.append(id)
            }
            clock.advance(by: 1)
            #expect(try await users.setState(.disabled, of: ids[0]))
            #expect(try await users.user(id: ids[0])?.state == .disabled)
            #expect(try await users.user(id: ids[0])?.updatedAt == clock.now)
            #expect(try await sessions.session(idHash: "one") == nil)
            #expect(try await links.take(hash: "one") == nil)
            #expect(try await sessions.session(idHash: "two")?.userState == .active)
            #expect(try await links.take(hash: "two") == ids[1])
            #expect(try await users.setState(.active, of: ids[0]))
            #expect(try await users.state(of: ids[0]) == .active)
            #expect(try await users.setState(.disabled, of: "unknown") == false)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a lower role revokes the keys above it, of that user alone`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let users = Self.make(database, clock)
            let keys = APIKeyRepository(database, clock: clock.read)
            let one = try await users.create(email: nil, name: nil, role: "admin", passwordHash: nil).id
            let two = try await users.create(email: nil, name: nil, role: "admin", passwordHash: nil).id
            for (id, user, role) in [
                ("a", one, "admin"), ("b", one, "user"), ("c", two, "admin"), ("d", one, "service"),
            ] {
                try await keys.create(APIKeyRecord.example(id, user: user, role: role, at: clock.now))
            }
            #expect(try await users.setRole("educator", of: one, revokingKeysOf: ["service", "admin"]))
            #expect(try await users.user(id: one)?.role == "educator")
            var active: Set<String> = []
            for id in ["a", "b", "c", "d"] where try await keys.key(id: id)?.key.isActive(at: clock.now) == true {
                active.insert(id)
            }
            #expect(active == ["b", "c"])
            #expect(try await users.setRole("user", of: "unknown", revokingKeysOf: []) == false)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a hash is replaced only where it is the one expected`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let users = Self.make(database)
            let id = try await users.create(email: "a@b.c", name: nil, role: "user", passwordHash: "1").id
            #expect(try await users.setPasswordHash("2", of: id, replacing: "0") == false)
            #expect(try await users.user(id: id)?.passwordHash == "1")
            #expect(try await users.setPasswordHash("2", of: id, replacing: "1"))
            #expect(try await users.setPasswordHash("3", of: id))
            #expect(try await users.user(id: id)?.passwordHash == "3")
            #expect(try await users.setPasswordHash("3", of: "unknown") == false)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `with an account goes all that is its own`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let users = Self.make(database, clock)
            let gone = try await users.create(email: nil, name: nil, role: "user", passwordHash: nil).id
            let educator = try await users.create(email: nil, name: nil, role: "educator", passwordHash: nil).id
            let keys = APIKeyRepository(database, clock: clock.read)
            try await keys.create(APIKeyRecord.example("a", user: gone, role: "user", at: clock.now))
            try await keys.create(APIKeyRecord.example("b", user: nil, role: "service", at: clock.now))
            _ = try await WebSessionRepository(database).create(
                idHash: "s", userID: gone, passwordHash: nil, now: clock.now, expiresAt: clock.now + 60)
            try await SignInLinkRepository(database).create(hash: "l", userID: gone, expiresAt: clock.now + 60)
            try await LearnerAssignmentRepository(database).assign(learner: gone, to: educator)
            try await users.recordSignIn(of: gone)
            #expect(try await users.user(id: gone)?.lastSignInAt == clock.now)
            #expect(try await users.delete(id: gone))
            #expect(try await users.delete(id: gone) == false)
            for table in ["web_sessions", "sign_in_links", "learner_assignments"] {
                let rows = try await database.read { try $0.query("SELECT * FROM \(table)") }
                #expect(rows.isEmpty, "\(table)")
            }
            #expect(try await keys.page(skip: 0, limit: 9).items.map(\.id) == ["b"])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a description names nobody`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let user = try await Self.make(database).create(
                email: "ada@example.org", name: "Lovelace", role: "user", passwordHash: "scrypt$")
            var dumped = ""
            dump(user, to: &dumped)
            for text in ["\(user)", String(reflecting: user), dumped] {
                #expect(!text.contains("example") && !text.contains("Lovelace") && !text.contains("scrypt"), "\(text)")
            }
        }
    }
}

extension APIKeyRecord {
    static func example(
        _ id: String, user: String? = nil, role: String = "service", scopes: [String] = [], at created: Date,
        until end: Date? = nil
    ) -> APIKeyRecord {
        APIKeyRecord(
            id: id, userID: user, role: role, scopes: scopes, label: nil, salt: [1, 2], hash: [3, 4],
            createdAt: created, expiresAt: end)
    }
}
