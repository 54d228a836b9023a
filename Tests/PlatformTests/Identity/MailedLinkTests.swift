import Foundation
import Platform
import Store
import Testing

/// Links that are mailed: what they do, and what they do not.
struct MailedLinkTests {
    private static let email = "ada@example.org"
    private static let password = "correct horse battery"
    private static let next = "four other words"

    private static func run(_ body: (IdentityFixture, UserRecord) async throws -> Void) async throws {
        try await IdentityFixture.run { fixture in
            let user = try await fixture.identity.createUser(
                email: email, password: password, name: "Ada", role: .user)
            try await body(fixture, user)
        }
    }

    private static func signIn(_ identity: Identity, _ password: String) async throws -> SignedIn {
        try await identity.signIn(email: email, password: password, address: nil)
    }

    @Test func `a link sets another password once and signs out everywhere`() async throws {
        try await Self.run { fixture, user in
            let identity = fixture.identity
            let before = try await Self.signIn(identity, Self.password)
            let link = try await identity.makeLink(.passwordReset, for: user.id)
            // Looking does not use it up.
            for _ in 0..<3 { #expect(try await identity.holds(link: link, for: .passwordReset)) }
            let changed = try await identity.resetPassword(link: link, to: Self.next)
            #expect(changed.id == user.id && changed.isEmailVerified)
            await expectIdentityError(.invalidCredential) { _ = try await identity.principal(webSession: before.token) }
            await expectIdentityError(.invalidCredential) { _ = try await Self.signIn(identity, Self.password) }
            _ = try await Self.signIn(identity, Self.next)
            #expect(try await !identity.holds(link: link, for: .passwordReset))
            await expectIdentityError(.invalidLink) {
                try await identity.resetPassword(link: link, to: "again other words")
            }
            _ = try await Self.signIn(identity, Self.next)
        }
    }

    @Test func `a link lifts the waits of its account, and of no other`() async throws {
        try await Self.run { fixture, user in
            let identity = fixture.identity
            _ = try await identity.createUser(email: "bob@example.org", password: Self.password, name: nil, role: .user)
            for email in [Self.email, "bob@example.org"] {
                for _ in 0..<5 {
                    await expectIdentityError(.invalidCredential) {
                        _ = try await identity.signIn(email: email, password: "wrong horse", address: nil)
                    }
                }
            }
            await expectIdentityError(.locked) { _ = try await Self.signIn(identity, Self.password) }
            let link = try await identity.makeLink(.passwordReset, for: user.id)
            try await identity.resetPassword(link: link, to: Self.next)
            _ = try await Self.signIn(identity, Self.next)
            await expectIdentityError(.locked) {
                _ = try await identity.signIn(email: "bob@example.org", password: Self.password, address: nil)
            }
        }
    }

    @Test func `a link holds for an hour, one to confirm an address for three days`() async throws {
        try await Self.run { fixture, user in
            let identity = fixture.identity
            let reset = try await identity.makeLink(.passwordReset, for: user.id)
            let confirm = try await identity.makeLink(.addressVerification, for: user.id)
            fixture.clock.advance(by: 3_599)
            #expect(try await identity.holds(link: reset, for: .passwordReset))
            fixture.clock.advance(by: 1)
            #expect(try await !identity.holds(link: reset, for: .passwordReset))
            await expectIdentityError(.invalidLink) { try await identity.resetPassword(link: reset, to: Self.next) }
            fixture.clock.advance(by: 3 * 86_400 - 3_601)
            #expect(try await identity.holds(link: confirm, for: .addressVerification))
            fixture.clock.advance(by: 1)
            await expectIdentityError(.invalidLink) { try await identity.verifyAddress(link: confirm) }
            #expect(try await identity.user(id: user.id)?.isEmailVerified == false)
            #expect(try await identity.purge() >= 1)
            #expect(try await fixture.count("sign_in_links") == 0)
        }
    }

    @Test func `a link for one purpose does nothing else`() async throws {
        try await IdentityFixture.run { fixture in
            let identity = fixture.identity
            let admin = try #require(try await identity.makeAdminLink())
            let user = try await identity.createUser(
                email: Self.email, password: Self.password, name: nil, role: .user)
            let reset = try await identity.makeLink(.passwordReset, for: user.id)
            let confirm = try await identity.makeLink(.addressVerification, for: user.id)
            for link in [admin, confirm] {
                #expect(try await !identity.holds(link: link, for: .passwordReset))
                await expectIdentityError(.invalidLink) { try await identity.resetPassword(link: link, to: Self.next) }
            }
            for link in [admin, reset] {
                await expectIdentityError(.invalidLink) { try await identity.verifyAddress(link: link) }
            }
            for link in [reset, confirm] {
                await expectIdentityError(.invalidCredential) { _ = try await identity.signIn(link: link) }
            }
            // And none was used up by the attempt.
            _ = try await identity.signIn(link: admin)
            try await identity.verifyAddress(link: confirm)
            try await identity.resetPassword(link: reset, to: Self.next)
        }
    }

    @Test func `an altered link is none, and stored is neither link nor password`() async throws {
        try await Self.run { fixture, user in
            let identity = fixture.identity
            let link = try await identity.makeLink(.passwordReset, for: user.id)
            #expect(link.utf8.count == 43)
            let other = link.hasPrefix("A") ? "B" + link.dropFirst() : "A" + link.dropFirst()
            for wrong in ["", "x", String(link.dropLast()), link + "A", other, link.uppercased() + "=", " \(link)"] {
                #expect(try await !identity.holds(link: wrong, for: .passwordReset), "\(wrong)")
                await expectIdentityError(.invalidLink) { try await identity.resetPassword(link: wrong, to: Self.next) }
                await expectIdentityError(.invalidLink) { try await identity.verifyAddress(link: wrong) }
            }
            let stored = try await fixture.database.read {
                try $0.query("SELECT hash FROM sign_in_links").map { try $0.text("hash") }
            }
            #expect(stored.count == 1 && stored.allSatisfy { $0.utf8.count == 64 && !$0.contains(link) })
            // Who reads the database has no link.
            for hash in stored { #expect(try await !identity.holds(link: hash, for: .passwordReset)) }
            try await identity.resetPassword(link: link, to: Self.next)
        }
    }

    @Test func `a weak password leaves the link for another try`() async throws {
        try await Self.run { fixture, user in
            let link = try await fixture.identity.makeLink(.passwordReset, for: user.id)
            for weak in ["short", "1234567890", "ada@example.org"] {
                await expectIdentityError(.weakPassword) {
                    try await fixture.identity.resetPassword(link: link, to: weak)
                }
            }
            try await fixture.identity.resetPassword(link: link, to: Self.next)
        }
    }

    @Test func `used at once, a link is used once`() async throws {
        try await Self.run { fixture, user in
            let identity = fixture.identity
            let link = try await identity.makeLink(.passwordReset, for: user.id)
            let done = await withTaskGroup(of: String?.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        let password = "words of number \(number)"
                        return (try? await identity.resetPassword(link: link, to: password)).map { _ in password }
                    }
                }
                return await group.reduce(into: [String]()) { all, password in password.map { all.append($0) } }
            }
            #expect(done.count == 1)
            _ = try await Self.signIn(identity, try #require(done.first))
        }
    }

    @Test func `another password, or an account that is disabled, ends the links to set one`() async throws {
        try await Self.run { fixture, user in
            let identity = fixture.identity
            func links() async throws -> [String] {
                [
                    try await identity.makeLink(.passwordReset, for: user.id),
                    try await identity.makeLink(.passwordReset, for: user.id),
                ]
            }
            func expectEnded(_ links: [String]) async throws {
                for link in links { #expect(try await !identity.holds(link: link, for: .passwordReset)) }
            }
            var made = try await links()
            for link in made { #expect(try await identity.holds(link: link, for: .passwordReset)) }
            try await identity.resetPassword(link: made[0], to: Self.next)
            try await expectEnded(made)
            made = try await links()
            try await identity.changePassword(
                userID: user.id, current: Self.next, new: Self.password, address: nil, keeping: nil)
            try await expectEnded(made)
            made = try await links()
            try await identity.setPassword(Self.next, of: user.id)
            try await expectEnded(made)
            made = try await links()
            try await identity.setState(.disabled, of: user.id)
            try await expectEnded(made)
            // One that was made in the very moment.
            made = try await links()
            await expectIdentityError(.invalidLink) {
                try await identity.resetPassword(link: made[0], to: "words nobody set")
            }
            try await identity.setState(.active, of: user.id)
            _ = try await Self.signIn(identity, Self.next)
        }
    }

    @Test func `an address is confirmed by its link and by setting a password`() async throws {
        try await Self.run { fixture, user in
            let identity = fixture.identity
            #expect(!user.isEmailVerified)
            let links = [
                try await identity.makeLink(.addressVerification, for: user.id),
                try await identity.makeLink(.addressVerification, for: user.id),
            ]
            try await identity.verifyAddress(link: links[0])
            #expect(try await identity.user(id: user.id)?.emailVerifiedAt == fixture.clock.now)
            let since = fixture.clock.now
            for link in links {
                await expectIdentityError(.invalidLink) { try await identity.verifyAddress(link: link) }
            }
            fixture.clock.advance(by: 60)
            let reset = try await identity.makeLink(.passwordReset, for: user.id)
            #expect(try await identity.resetPassword(link: reset, to: Self.next).emailVerifiedAt == since)
        }
    }

    @Test func `an account without an address gets no password`() async throws {
        try await IdentityFixture.run { fixture in
            let user = try await fixture.identity.createUser(email: nil, password: nil, name: nil, role: .admin)
            let link = try await fixture.identity.makeLink(.passwordReset, for: user.id)
            await expectIdentityError(.invalidLink) {
                try await fixture.identity.resetPassword(link: link, to: Self.next)
            }
            await expectIdentityError(.invalidEmail) {
                try await fixture.identity.changePassword(
                    userID: user.id, current: nil, new: Self.next, address: nil, keeping: nil)
            }
            #expect(try await fixture.identity.user(id: user.id)?.passwordHash == nil)
        }
    }
}

/// The browsers in which somebody is signed in.
struct OwnSessionTests {
    @Test func `sessions are listed newest first, without those that are over`() async throws {
        try await IdentityFixture.run { fixture in
            let identity = fixture.identity
            let user = try await identity.createUser(
                email: "ada@example.org", password: "correct horse battery", name: nil, role: .user)
            var tokens: [String] = []
            for _ in 0..<3 {
                tokens.append(
                    try await identity.signIn(
                        email: "ada@example.org", password: "correct horse battery", address: nil
                    ).token)
                fixture.clock.advance(by: 60)
            }
            let page = try await identity.sessions(of: user.id)
            #expect(page.total == 3)
            #expect(page.items.map(\.createdAt) == page.items.map(\.createdAt).sorted(by: >))
            // What they are called opens nothing and is not the token.
            for session in page.items {
                #expect(session.id.utf8.count == 32 && !tokens.contains { $0.contains(session.id) })
                await expectIdentityError(.invalidCredential) {
                    _ = try await identity.principal(webSession: session.id)
                }
            }
            #expect(try await identity.sessions(of: user.id, skip: 1, limit: 1).items == [page.items[1]])
            fixture.clock.advance(by: 14 * 86_400)
            let over = try await identity.sessions(of: user.id)
            #expect(over.total == 0 && over.items.isEmpty)
        }
    }

    @Test func `one session ends by its id, for who has it alone`() async throws {
        try await IdentityFixture.run { fixture in
            let identity = fixture.identity
            var signedIn: [SignedIn] = []
            for name in ["ada", "bob"] {
                signedIn.append(
                    try await identity.signUp(
                        email: "\(name)@example.org", password: "correct horse battery", name: nil, address: nil))
            }
            let (ada, bob) = (signedIn[0], signedIn[1])
            let ids = try await [ada, bob].asyncMap { try await identity.sessions(of: $0.user.id).items.map(\.id) }
            let bobs = try #require(ids[1].first)
            #expect(try await !identity.endSession(id: bobs, of: ada.user.id))
            for wrong in ["", "%", String(bobs.dropLast()), bobs + "0"] {
                #expect(try await !identity.endSession(id: wrong, of: bob.user.id), "\(wrong)")
            }
            _ = try await identity.principal(webSession: bob.token)
            #expect(try await identity.endSession(id: bobs, of: bob.user.id))
            #expect(try await !identity.endSession(id: bobs, of: bob.user.id))
            await expectIdentityError(.invalidCredential) { _ = try await identity.principal(webSession: bob.token) }
            _ = try await identity.principal(webSession: ada.token)
        }
    }
}

extension Array {
    /// `map` for what has to be waited for.
    fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
