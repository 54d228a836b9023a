import Foundation
import Platform
import Store
import TestSupport
import Testing

struct WebSessionsTests {
    private static let day: TimeInterval = 86_400

    private static func run(_ body: (IdentityFixture, WebSessions, String) async throws -> Void) async throws {
        try await IdentityFixture.run { fixture in
            let user = try await fixture.identity.createUser(email: nil, password: nil, name: nil, role: .user)
            try await body(fixture, WebSessions(fixture.database, clock: fixture.clock.read), user.id)
        }
    }

    @Test func `a session is its token's alone, and the token is not stored`() async throws {
        try await Self.run { fixture, sessions, user in
            let token = try await sessions.create(userID: user, passwordHash: nil)
            #expect(token.utf8.count == 43)
            #expect(try await sessions.authenticate(token).userID == user)
            let stored = try await fixture.database.read {
                try $0.first("SELECT id_hash FROM web_sessions")?.text("id_hash")
            }
            #expect(stored?.utf8.count == 64 && stored?.contains(token) == false)
            // Who reads the database has no cookie.
            await expectIdentityError(.invalidCredential) { _ = try await sessions.authenticate(stored ?? "") }
            let other = try await sessions.create(userID: user, passwordHash: nil)
            #expect(other != token)
        }
    }

    @Test func `a token shows that it was made here, also when its session has ended`() async throws {
        try await Self.run { fixture, _, user in
            func service(_ key: String) throws -> WebSessions {
                let cipher = ColumnSealer(try PrivateFixtures.ring(key, index: nil))
                return WebSessions(fixture.database, cipher: cipher, clock: fixture.clock.read)
            }
            let sessions = try service("k1")
            let token = try await sessions.create(userID: user, passwordHash: nil)
            #expect(sessions.hasMade(token))
            try await sessions.end(token)
            await expectIdentityError(.invalidCredential) { _ = try await sessions.authenticate(token) }
            #expect(try service("k1").hasMade(token), "after a restart as well")
            #expect(try !service("k7").hasMade(token), "another service has another key")
            for other in ["", "x", String(repeating: "A", count: 43), token + "A", String(token.dropLast())] {
                #expect(!sessions.hasMade(other), "\(other)")
            }
            var generator = SeededGenerator(seed: 0x5E)
            let bytes = try #require(Base64URL.bytes(of: token.utf8))
            for _ in 0..<1_000 {
                var changed = bytes
                changed[Int.random(in: 0..<bytes.count, using: &generator)] ^= UInt8.random(
                    in: 1...255, using: &generator)
                #expect(!sessions.hasMade(Base64URL.text(of: changed)), "\(generator)")
            }
        }
    }

    @Test(arguments: ["", "x", String(repeating: "A", count: 43), String(repeating: "A", count: 44), "' OR 1=1 --"])
    func `another token is refused`(token: String) async throws {
        try await Self.run { _, sessions, user in
            _ = try await sessions.create(userID: user, passwordHash: nil)
            await expectIdentityError(.invalidCredential) { _ = try await sessions.authenticate(token) }
        }
    }

    @Test func `a session ends after 14 days without use`() async throws {
        try await Self.run { fixture, sessions, user in
            let token = try await sessions.create(userID: user, passwordHash: nil)
            fixture.clock.advance(by: 14 * Self.day - 1)
            _ = try await sessions.authenticate(token)
            fixture.clock.advance(by: 14 * Self.day - 1)
            _ = try await sessions.authenticate(token)
            fixture.clock.advance(by: 14 * Self.day)
            await expectIdentityError(.expired) { _ = try await sessions.authenticate(token) }
        }
    }

    @Test func `a session in daily use ends after 60 days`() async throws {
        try await Self.run { fixture, sessions, user in
            let token = try await sessions.create(userID: user, passwordHash: nil)
            for _ in 0..<59 {
                fixture.clock.advance(by: Self.day)
                _ = try await sessions.authenticate(token)
            }
            fixture.clock.advance(by: Self.day - 1)
            _ = try await sessions.authenticate(token)
            fixture.clock.advance(by: 1)
            await expectIdentityError(.expired) { _ = try await sessions.authenticate(token) }
            #expect(try await sessions.purge() == 1)
            await expectIdentityError(.invalidCredential) { _ = try await sessions.authenticate(token) }
        }
    }

    @Test func `use is written every five minutes and not at every request`() async throws {
        try await Self.run { fixture, sessions, user in
            let token = try await sessions.create(userID: user, passwordHash: nil)
            let start = fixture.clock.now
            fixture.clock.advance(by: 299)
            _ = try await sessions.authenticate(token)
            #expect(try await sessions.authenticate(token).lastSeenAt == start)
            fixture.clock.advance(by: 1)
            _ = try await sessions.authenticate(token)
            #expect(try await sessions.authenticate(token).lastSeenAt == start + 300)
        }
    }

    @Test func `signing out ends one session, or all but the one in use`() async throws {
        try await Self.run { _, sessions, user in
            var tokens: [String] = []
            for _ in 0..<4 { tokens.append(try await sessions.create(userID: user, passwordHash: nil)) }
            try await sessions.end(tokens[0])
            try await sessions.end(tokens[0])
            try await sessions.end("nonsense")
            await expectIdentityError(.invalidCredential) { _ = try await sessions.authenticate(tokens[0]) }
            #expect(try await sessions.endAll(of: user, except: tokens[1]) == 2)
            _ = try await sessions.authenticate(tokens[1])
            #expect(try await sessions.endAll(of: user) == 1)
            await expectIdentityError(.invalidCredential) { _ = try await sessions.authenticate(tokens[1]) }
        }
    }

    @Test func `a form's token is of its session alone`() async throws {
        try await Self.run { _, sessions, user in
            let (one, two) = (
                try await sessions.create(userID: user, passwordHash: nil),
                try await sessions.create(userID: user, passwordHash: nil)
            )
            let csrf = WebSessions.csrfToken(for: one)
            #expect(csrf == WebSessions.csrfToken(for: one))
            #expect(WebSessions.isValid(csrfToken: csrf, for: one))
            #expect(!WebSessions.isValid(csrfToken: csrf, for: two))
            #expect(!WebSessions.isValid(csrfToken: one, for: one), "the session's token itself is none")
            for wrong in ["", csrf + "A", String(csrf.dropLast()), csrf.lowercased() + "", csrf + "\n"]
            where wrong != csrf {
                #expect(!WebSessions.isValid(csrfToken: wrong, for: one), "\(wrong)")
            }
            #expect(!WebSessions.isValid(csrfToken: WebSessions.csrfToken(for: ""), for: ""))
        }
    }

    @Test func `no mutation of a form's token is valid`() {
        var generator = SeededGenerator(seed: 0xC5)
        let token = String(repeating: "A", count: 43)
        let csrf = Array(WebSessions.csrfToken(for: token).utf8)
        for _ in 0..<5_000 {
            var bytes = csrf
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0x20...0x7E, using: &generator)
            guard bytes != csrf else { continue }
            #expect(!WebSessions.isValid(csrfToken: String(decoding: bytes, as: UTF8.self), for: token), "\(generator)")
        }
    }
}
