import Foundation
import Store
import Testing

struct PasswordReplacementTests {
    /// An account with the hash “1” or none, two sessions and a link of each purpose.
    private static func run(
        _ driver: DriverUnderTest, passwordHash: String? = "1",
        _ body: (any SQLDatabase, UserRepository, String) async throws -> Void
    ) async throws {
        try await driver.withSchema { database in
            let now = TestClock().now
            let users = UserRepository(database, cipher: PlainColumns())
            let id = try await users.create(email: "a@b.c", name: nil, role: "user", passwordHash: passwordHash).id
            for hash in ["kept", "other"] {
                _ = try await WebSessionRepository(database).create(
                    idHash: hash, userID: id, passwordHash: passwordHash, now: now, expiresAt: now + 60)
            }
            for purpose in LinkPurpose.allCases {
                try await SignInLinkRepository(database).create(
                    hash: purpose.rawValue, userID: id, purpose: purpose, expiresAt: now + 60)
            }
            try await body(database, users, id)
        }
    }

    private static func texts(_ column: String, of table: String, in database: any SQLDatabase) async throws -> [String]
    {
        try await database.read { connection in
            try connection.query("SELECT \(column) FROM \(table) ORDER BY \(column)").map { try $0.text(column) }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `with the password go the sessions and the links to set another`(driver: DriverUnderTest) async throws {
        try await Self.run(driver) { database, users, id in
            let isReplaced = try await users.replacePassword(
                with: "2", of: id, replacing: .exactly("1"), keeping: "kept")
            #expect(isReplaced)
            #expect(try await users.user(id: id)?.passwordHash == "2")
            #expect(try await Self.texts("id_hash", of: "web_sessions", in: database) == ["kept"])
            #expect(
                try await Self.texts("hash", of: "sign_in_links", in: database) == ["address_verification", "sign_in"])
            #expect(try await users.replacePassword(with: "3", of: id, replacing: .any))
            #expect(try await Self.texts("id_hash", of: "web_sessions", in: database).isEmpty)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `where another password is stored than was expected nothing changes`(driver: DriverUnderTest) async throws {
        try await Self.run(driver) { database, users, id in
            for expected in ["0", nil] {
                let isReplaced = try await users.replacePassword(with: "2", of: id, replacing: .exactly(expected))
                #expect(!isReplaced)
            }
            #expect(try await users.user(id: id)?.passwordHash == "1")
            #expect(try await Self.texts("id_hash", of: "web_sessions", in: database) == ["kept", "other"])
            #expect(try await Self.texts("hash", of: "sign_in_links", in: database).count == 3)
            #expect(try await users.replacePassword(with: "2", of: "unknown", replacing: .any) == false)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a first password is stored once`(driver: DriverUnderTest) async throws {
        try await Self.run(driver, passwordHash: nil) { _, users, id in
            let isFirst = try await users.replacePassword(with: "1", of: id, replacing: .exactly(nil))
            let isSecond = try await users.replacePassword(with: "2", of: id, replacing: .exactly(nil))
            #expect(isFirst && !isSecond)
        }
    }
}
