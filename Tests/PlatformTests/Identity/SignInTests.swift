import Foundation
import Platform
import Store
import Testing

struct SignInTests {
    private static let email = "ada@example.org"
    private static let password = "correct horse battery"

    private static func run(
        parameters: ScryptParameters = .cheap, _ body: (IdentityFixture, UserRecord) async throws -> Void
    ) async throws {
        try await IdentityFixture.run(parameters: parameters) { fixture in
            let user = try await fixture.identity.createUser(
                email: email, password: password, name: "Ada", role: .user)
            try await body(fixture, user)
        }
    }

    private static func fail(
        _ identity: Identity, email: String = email, from address: String? = "192.0.2.1"
    ) async -> IdentityError? {
        do {
            _ = try await identity.signIn(email: email, password: "wrong horse battery", address: address)
        } catch let error as IdentityError {
            return error
        } catch {
            Issue.record("\(error)")
        }
        return nil
    }

    @Test func `the right password signs in, whatever the case of the address`() async throws {
        try await Self.run { fixture, user in
            let signedIn = try await fixture.identity.signIn(
                email: " ADA@example.org", password: Self.password, address: "192.0.2.1")
            #expect(signedIn.user.id == user.id)
            let principal = try await fixture.identity.principal(webSession: signedIn.token)
            #expect(principal.role == .user && principal.userID == user.id && principal.scopes.isEmpty)
            #expect(fixture.identity.isValid(csrfToken: signedIn.csrfToken, webSession: signedIn.token))
            #expect(try await fixture.identity.user(id: user.id)?.lastSignInAt == fixture.clock.now)
            try await fixture.identity.signOut(token: signedIn.token)
            await expectIdentityError(.invalidCredential) {
                _ = try await fixture.identity.principal(webSession: signedIn.token)
            }
        }
    }

    @Test func `waits are 1, 2, 4 … 900 seconds after the fifth failure`() async throws {
        try await Self.run { fixture, _ in
            for _ in 0..<4 { #expect(await Self.fail(fixture.identity)?.code == .invalidCredential) }
            for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
                // From another network each time, which the account does not care about.
                #expect(await Self.fail(fixture.identity, from: "198.51.100.\(wait % 200)")?.code == .invalidCredential)
                let locked = await Self.fail(fixture.identity, from: nil)
                #expect(locked?.code == .locked && locked?.retryAfter == .seconds(wait))
                fixture.clock.advance(by: TimeInterval(wait) - 0.5)
                #expect(await Self.fail(fixture.identity, from: nil)?.retryAfter == .seconds(1))
                fixture.clock.advance(by: 0.5)
            }
        }
    }

    @Test func `the right password waits too, and then forgets the failures`() async throws {
        try await Self.run { fixture, _ in
            for _ in 0..<5 { _ = await Self.fail(fixture.identity) }
            await expectIdentityError(.locked) {
                _ = try await fixture.identity.signIn(email: Self.email, password: Self.password, address: nil)
            }
            fixture.clock.advance(by: 1)
            _ = try await fixture.identity.signIn(email: Self.email, password: Self.password, address: nil)
            for _ in 0..<5 { #expect(await Self.fail(fixture.identity)?.code == .invalidCredential) }
            #expect(await Self.fail(fixture.identity)?.code == .locked)
        }
    }

    @Test func `an address of nobody is answered and locked like any other`() async throws {
        try await Self.run { fixture, _ in
            var known: [IdentityError?] = []
            var unknown: [IdentityError?] = []
            for _ in 0..<7 {
                known.append(await Self.fail(fixture.identity, from: nil))
                unknown.append(await Self.fail(fixture.identity, email: "bob@example.org", from: nil))
            }
            #expect(known == unknown)
            #expect(known.last??.code == .locked)
            let form = await Self.fail(fixture.identity, email: "no address", from: nil)
            #expect(form == known.first)
        }
    }

    @Test func `an address of nobody takes as long as a wrong password`() async throws {
        // So much that the hash is most of it.
        try await Self.run(parameters: ScryptParameters(logN: 13, r: 8, p: 1)) { fixture, _ in
            func time(_ email: String, _ network: Int) async -> Duration {
                let start = ContinuousClock.now
                _ = await Self.fail(fixture.identity, email: email, from: "203.0.113.\(network)")
                return .now - start
            }
            // The shortest of several, in turn: what else the machine does only makes them longer.
            var (known, unknown) = (Duration.seconds(9), Duration.seconds(9))
            for round in 0..<4 {
                known = min(known, await time(Self.email, round))
                unknown = min(unknown, await time("bob@example.org", round))
            }
            #expect(unknown > known / 3 && known > unknown / 3, "\(known) against \(unknown)")
        }
    }

    @Test func `a network is locked after twenty failures, for every account`() async throws {
        try await Self.run { fixture, _ in
            for number in 0..<20 {
                let error = await Self.fail(fixture.identity, email: "user\(number)@example.org")
                #expect(error?.code == .invalidCredential, "\(number)")
            }
            await expectIdentityError(.locked) {
                _ = try await fixture.identity.signIn(email: Self.email, password: Self.password, address: "192.0.2.1")
            }
            _ = try await fixture.identity.signIn(email: Self.email, password: Self.password, address: "192.0.2.2")
            // The same machine in IPv6 clothes.
            #expect(await Self.fail(fixture.identity, email: "x@y.zz", from: "::ffff:192.0.2.1")?.code == .locked)
        }
    }

    @Test func `an own account does not clear the network's failures`() async throws {
        try await Self.run { fixture, _ in
            for number in 0..<19 { _ = await Self.fail(fixture.identity, email: "user\(number)@example.org") }
            for _ in 0..<5 {
                _ = try await fixture.identity.signIn(email: Self.email, password: Self.password, address: "192.0.2.1")
            }
            #expect(await Self.fail(fixture.identity, email: "u20@example.org")?.code == .invalidCredential)
            #expect(await Self.fail(fixture.identity, email: "u21@example.org")?.code == .locked)
        }
    }

    @Test func `the addresses of one IPv6 network count together`() async throws {
        try await Self.run { fixture, _ in
            for number in 0..<20 {
                _ = await Self.fail(fixture.identity, email: "u\(number)@x.org", from: "2001:db8:1:2::\(number)")
            }
            #expect(await Self.fail(fixture.identity, email: "z@x.org", from: "2001:db8:1:2:ffff::1")?.code == .locked)
            #expect(
                await Self.fail(fixture.identity, email: "z@x.org", from: "2001:db8:1:3::1")?.code == .invalidCredential
            )
        }
    }

    @Test func `guesses made at once are no more than guesses made in turn`() async throws {
        try await Self.run { fixture, _ in
            let identity = fixture.identity
            let codes = await withTaskGroup(of: IdentityError.Code?.self) { group in
                for _ in 0..<16 { group.addTask { await Self.fail(identity, from: nil)?.code } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.count { $0 == .invalidCredential } == 5)
            #expect(codes.count { $0 == .locked || $0 == .overloaded } == 11)
        }
    }

    @Test func `attempts store neither addresses nor networks`() async throws {
        try await Self.run { fixture, _ in
            _ = await Self.fail(fixture.identity)
            let subjects = try await fixture.database.read { connection in
                try connection.query("SELECT subject FROM sign_in_attempts").map { try $0.text("subject") }
            }
            #expect(subjects.count == 2)
            #expect(subjects.allSatisfy { !$0.contains("ada") && !$0.contains("192.0.2") && !$0.contains("example") })
        }
    }

    @Test func `only who knows the password hears that the account is disabled`() async throws {
        try await Self.run { fixture, user in
            let before = try await fixture.identity.signIn(email: Self.email, password: Self.password, address: nil)
            try await fixture.identity.setState(.disabled, of: user.id)
            #expect(await Self.fail(fixture.identity)?.code == .invalidCredential)
            await expectIdentityError(.disabled) {
                _ = try await fixture.identity.signIn(email: Self.email, password: Self.password, address: nil)
            }
            await expectIdentityError(.invalidCredential) {
                _ = try await fixture.identity.principal(webSession: before.token)
            }
            try await fixture.identity.setState(.active, of: user.id)
            await expectIdentityError(.invalidCredential) {
                _ = try await fixture.identity.principal(webSession: before.token)
            }
            _ = try await fixture.identity.signIn(email: Self.email, password: Self.password, address: nil)
        }
    }

    @Test func `an account without a password has none to guess`() async throws {
        try await IdentityFixture.run { fixture in
            _ = try await fixture.identity.createUser(email: Self.email, password: nil, name: nil, role: .user)
            for password in ["", "\u{0}", Self.password] {
                await expectIdentityError(.invalidCredential) {
                    _ = try await fixture.identity.signIn(email: Self.email, password: password, address: nil)
                }
            }
        }
    }

    @Test func `signing in brings a hash up to date`() async throws {
        try await Self.run { fixture, user in
            let later = fixture.replica(parameters: ScryptParameters(logN: 3, r: 1, p: 1))
            _ = try await later.signIn(email: Self.email, password: Self.password, address: nil)
            #expect(try await fixture.identity.user(id: user.id)?.passwordHash?.hasPrefix("scrypt$3$1$1$") == true)
            _ = try await later.signIn(email: Self.email, password: Self.password, address: nil)
        }
    }

    @Test func `signing up makes one account and tells who has the address already`() async throws {
        try await IdentityFixture.run { fixture in
            let signedIn = try await fixture.identity.signUp(
                email: "Ada@Example.org", password: Self.password, name: "  Ada ", address: "192.0.2.1")
            #expect(signedIn.user.email == "ada@example.org" && signedIn.user.name == "Ada")
            #expect(signedIn.user.role == "user")
            #expect(try await fixture.identity.principal(webSession: signedIn.token).role == .user)
            await expectIdentityError(.emailTaken) {
                _ = try await fixture.identity.signUp(
                    email: "ADA@example.org", password: Self.password, name: nil, address: "192.0.2.1")
            }
            #expect(try await fixture.count("users") == 1)
        }
    }

    @Test func `a mistake in signing up leaves nothing behind`() async throws {
        try await IdentityFixture.run { fixture in
            let wrong: [(email: String, password: String, name: String, code: IdentityError.Code)] = [
                ("ada", Self.password, "Ada", .invalidEmail), ("ada@example.org", "1234567890", "Ada", .weakPassword),
                ("ada@example.org", Self.password, "Ada\nBcc: x", .invalidName),
                ("ada@example.org", Self.password, String(repeating: "a", count: 101), .invalidName),
                ("ada@example.org", Self.password, "\u{202E}adA", .invalidName),
            ]
            for entry in wrong {
                await expectIdentityError(entry.code) {
                    _ = try await fixture.identity.signUp(
                        email: entry.email, password: entry.password, name: entry.name, address: "192.0.2.1")
                }
            }
            #expect(try await fixture.count("users") == 0)
            // And none of them counts as a failure of the network.
            let failures = try await fixture.count("sign_in_attempts")
            #expect(failures == 0)
        }
    }

    @Test func `a network may ask only so often whether an address is taken`() async throws {
        try await Self.run { fixture, _ in
            for _ in 0..<40 {
                await expectIdentityError(.emailTaken) {
                    _ = try await fixture.identity.signUp(
                        email: Self.email, password: Self.password, name: nil, address: "192.0.2.9")
                }
            }
            await expectIdentityError(.locked) {
                _ = try await fixture.identity.signUp(
                    email: "new@example.org", password: Self.password, name: nil, address: "192.0.2.9")
            }
        }
    }

    @Test func `a changed password ends the other sessions and needs the old one`() async throws {
        try await Self.run { fixture, user in
            let identity = fixture.identity
            let kept = try await identity.signIn(email: Self.email, password: Self.password, address: nil)
            let other = try await identity.signIn(email: Self.email, password: Self.password, address: nil)
            func change(from current: String?, to new: String) async throws {
                try await identity.changePassword(
                    userID: user.id, current: current, new: new, address: nil, keeping: kept.token)
            }
            await expectIdentityError(.invalidCredential) {
                try await change(from: "wrong horse", to: "four other words")
            }
            await expectIdentityError(.invalidCredential) { try await change(from: nil, to: "four other words") }
            await expectIdentityError(.weakPassword) { try await change(from: Self.password, to: "ada@example.org") }
            try await change(from: Self.password, to: "four other words")
            _ = try await identity.principal(webSession: kept.token)
            await expectIdentityError(.invalidCredential) { _ = try await identity.principal(webSession: other.token) }
            await expectIdentityError(.invalidCredential) {
                _ = try await identity.signIn(email: Self.email, password: Self.password, address: nil)
            }
            _ = try await identity.signIn(email: Self.email, password: "four other words", address: nil)
        }
    }

    @Test func `what an administrator sets ends every session`() async throws {
        try await Self.run { fixture, user in
            let before = try await fixture.identity.signIn(email: Self.email, password: Self.password, address: nil)
            try await fixture.identity.setPassword("four other words", of: user.id)
            await expectIdentityError(.invalidCredential) {
                _ = try await fixture.identity.principal(webSession: before.token)
            }
            _ = try await fixture.identity.signIn(email: Self.email, password: "four other words", address: nil)
            await expectIdentityError(.notFound) {
                try await fixture.identity.setPassword("four other words", of: "unknown")
            }
        }
    }

    @Test func `a link that does not hold promises another only where one is made`() async throws {
        try await IdentityFixture.run { fixture in
            let identity = fixture.identity
            func message(_ link: String) async throws -> String? {
                let error = await #expect(throws: IdentityError.self) { try await identity.signIn(link: link) }
                return error?.message
            }
            #expect(try await message("nonsense")?.contains("start the service anew") == true)
            let link = try #require(try await identity.makeAdminLink())
            _ = try await identity.createKey(role: .admin)
            for late in [link, link, "nonsense"] {
                let said = try #require(try await message(late))
                #expect(said.contains("there is an administrator") && !said.contains("anew"))
            }
        }
    }

    @Test func `the first administrator's link works once, within the hour, until there is a password or key`()
        async throws
    {
        try await IdentityFixture.run { fixture in
            let identity = fixture.identity
            let old = try #require(try await identity.makeAdminLink())
            let link = try #require(try await identity.makeAdminLink())
            await expectIdentityError(.invalidCredential) { _ = try await identity.signIn(link: old) }
            let signedIn = try await identity.signIn(link: link)
            #expect(try await identity.principal(webSession: signedIn.token).role == .admin)
            await expectIdentityError(.invalidCredential) { _ = try await identity.signIn(link: link) }
            await expectIdentityError(.invalidCredential) { _ = try await identity.signIn(link: "nonsense") }

            let late = try #require(try await identity.makeAdminLink())
            fixture.clock.advance(by: 3_600)
            await expectIdentityError(.invalidCredential) { _ = try await identity.signIn(link: late) }
            #expect(try await fixture.count("users") == 1)

            let unused = try #require(try await identity.makeAdminLink())
            let key = try await identity.createKey(role: .admin)
            await expectIdentityError(.invalidCredential) { _ = try await identity.signIn(link: unused) }
            #expect(try await identity.makeAdminLink() == nil)
            try await identity.revokeKey(id: key.record.id)
            #expect(try await identity.makeAdminLink() != nil)
            _ = try await identity.createUser(
                email: Self.email, password: Self.password, name: nil, role: .admin)
            #expect(try await identity.makeAdminLink() == nil)
        }
    }

    @Test func `what is over is purged`() async throws {
        try await Self.run { fixture, _ in
            _ = try await fixture.identity.makeAdminLink()
            _ = try await fixture.identity.signIn(email: Self.email, password: Self.password, address: nil)
            _ = await Self.fail(fixture.identity)
            #expect(try await fixture.identity.purge(failuresAfter: 7 * 86_400) == 0)
            // As long as they are to be kept, and not as long as they count.
            fixture.clock.advance(by: 6 * 86_400)
            #expect(try await fixture.identity.purge(failuresAfter: 7 * 86_400) == 1, "the link alone has ended")
            fixture.clock.advance(by: 55 * 86_400)
            #expect(try await fixture.identity.purge(failuresAfter: 7 * 86_400) == 3)
            for table in ["web_sessions", "sign_in_links", "sign_in_attempts"] {
                #expect(try await fixture.count(table) == 0, "\(table)")
            }
        }
    }

    @Test func `who has signed in is described without secrets`() async throws {
        try await Self.run { fixture, _ in
            let signedIn = try await fixture.identity.signIn(email: Self.email, password: Self.password, address: nil)
            var dumped = ""
            dump(signedIn, to: &dumped)
            for text in ["\(signedIn)", String(reflecting: signedIn), dumped] {
                #expect(!text.contains(signedIn.token) && !text.contains(signedIn.csrfToken), "\(text)")
                #expect(!text.contains("ada@") && !text.contains("scrypt"), "\(text)")
            }
        }
    }
}
