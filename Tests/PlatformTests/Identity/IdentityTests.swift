import Foundation
import Platform
import Store
import Testing

struct IdentityTests {
    @Test func `a key says who it is`() async throws {
        try await IdentityFixture.run { fixture in
            let identity = fixture.identity
            let user = try await identity.createUser(email: nil, password: nil, name: nil, role: .admin)
            for role in Role.ofKeys {
                let made = try await identity.createKey(role: role, userID: user.id, scopes: ["results", "careers"])
                #expect(
                    try await identity.principal(bearer: made.secret)
                        == Principal(
                            role: role, userID: user.id, scopes: ["careers", "results"],
                            credential: .key(id: made.record.id)))
            }
            let program = try await identity.createKey(role: .service)
            let principal = try await identity.principal(bearer: program.secret)
            #expect(principal.userID == nil && principal.scopes.isEmpty)
        }
    }

    @Test func `the secret is shown once and stored nowhere`() async throws {
        try await IdentityFixture.run { fixture in
            let made = try await fixture.identity.createKey(role: .admin, label: "  for the app ")
            let secret = Base64URL.bytes(of: made.secret.suffix(43).utf8) ?? []
            #expect(secret.count == 32 && made.record.hash != secret && made.record.label == "for the app")
            let listed = try await fixture.identity.listKeys()
            #expect(listed.items == [made.record] && listed.total == 1)
            var dumped = ""
            dump(made.record, to: &dumped)
            #expect(!"\(made.record)\(dumped)".contains(made.secret.suffix(43)))
        }
    }

    @Test func `another secret, another id and no key are refused alike`() async throws {
        try await IdentityFixture.run { fixture in
            let one = try await fixture.identity.createKey(role: .service).secret
            let two = try await fixture.identity.createKey(role: .admin).secret
            var messages: Set<String> = []
            let attempts = [
                // The id of one with the secret of the other; of nobody; cut; of another form.
                "\(one.prefix(21))\(two.suffix(43))", "plk_0000000000000000_\(one.suffix(43))", String(one.dropLast()),
                "plk_", "x", "",
            ]
            for wrong in attempts {
                let error = await expectIdentityError(.invalidCredential) {
                    _ = try await fixture.identity.principal(bearer: wrong)
                }
                if wrong.hasPrefix("plk_") { messages.insert(error?.message ?? "") }
            }
            #expect(messages.count == 1)
        }
    }

    @Test func `a revoked key opens nothing from then on, on any replica`() async throws {
        try await IdentityFixture.run { fixture in
            let replica = fixture.replica(parameters: .cheap)
            let made = try await fixture.identity.createKey(role: .service)
            _ = try await replica.principal(bearer: made.secret)
            try await fixture.identity.revokeKey(id: made.record.id)
            await expectIdentityError(.revoked) { _ = try await replica.principal(bearer: made.secret) }
            try await fixture.identity.revokeKey(id: made.record.id)
            await expectIdentityError(.notFound) { try await fixture.identity.revokeKey(id: "0000") }
        }
    }

    @Test func `a key is revoked by its id in any form, and by the whole of it`() async throws {
        try await IdentityFixture.run { fixture in
            for form in [{ $0 }, { "plk_" + $0 }, { "plk_\($0)_…" }] as [(String) -> String] {
                let made = try await fixture.identity.createKey(role: .service)
                try await fixture.identity.revokeKey(id: form(made.record.id))
                await expectIdentityError(.revoked) { _ = try await fixture.identity.principal(bearer: made.secret) }
            }
        }
    }

    @Test func `a key ends when it should, to the millisecond`() async throws {
        try await IdentityFixture.run { fixture in
            let made = try await fixture.identity.createKey(role: .service, expiresAt: fixture.clock.now + 90)
            fixture.clock.advance(by: 89.999)
            _ = try await fixture.identity.principal(bearer: made.secret)
            fixture.clock.advance(by: 0.001)
            await expectIdentityError(.expired) { _ = try await fixture.identity.principal(bearer: made.secret) }
            await expectIdentityError(.invalidKey) {
                _ = try await fixture.identity.createKey(role: .service, expiresAt: fixture.clock.now)
            }
        }
    }

    @Test func `the use of a key is written every five minutes`() async throws {
        try await IdentityFixture.run { fixture in
            let made = try await fixture.identity.createKey(role: .service)
            func lastUsed() async throws -> Date? {
                _ = try await fixture.identity.principal(bearer: made.secret)
                return try await fixture.identity.listKeys().items.first?.lastUsedAt
            }
            let first = fixture.clock.now
            #expect(try await lastUsed() == first)
            fixture.clock.advance(by: 299)
            #expect(try await lastUsed() == first)
            fixture.clock.advance(by: 1)
            #expect(try await lastUsed() == first + 300)
        }
    }

    @Test func `a disabled user's keys and tokens open nothing until the user is enabled`() async throws {
        let tokens = try await TokenFixture()
        try await IdentityFixture.run(tokens: { clock in
            var policy = TokenPolicy()
            policy.secret = TokenFixture.secret
            return try await TokenVerifier(policy, clock: clock.read)
        }) { fixture in
            let identity = fixture.identity
            let user = try await identity.createUser(email: nil, password: nil, name: nil, role: .user)
            let key = try await identity.createKey(role: .user, userID: user.id).secret
            let token = try tokens.token(sub: "\"\(user.id)\"")
            for credential in [key, token] { _ = try await identity.principal(bearer: credential) }
            try await identity.setState(.disabled, of: user.id)
            for credential in [key, token] {
                await expectIdentityError(.disabled) { _ = try await identity.principal(bearer: credential) }
            }
            try await identity.setState(.active, of: user.id)
            for credential in [key, token] {
                #expect(try await identity.principal(bearer: credential).userID == user.id)
            }
            // Somebody whom the provider alone knows.
            #expect(try await identity.principal(bearer: tokens.token()).userID == "ada")
        }
    }

    @Test func `tokens are refused where none are accepted`() async throws {
        let token = try await TokenFixture().token()
        try await IdentityFixture.run { fixture in
            await expectIdentityError(.invalidCredential) { _ = try await fixture.identity.principal(bearer: token) }
        }
    }

    @Test func `a database in trouble is no wrong credential`() async throws {
        try await IdentityFixture.run { fixture in
            let key = try await fixture.identity.createKey(role: .service).secret
            try await fixture.database.close()
            for credential in [key] {
                await #expect(throws: StoreError.self) { _ = try await fixture.identity.principal(bearer: credential) }
            }
            let cookie = String(repeating: "A", count: 43)
            await #expect(throws: StoreError.self) { _ = try await fixture.identity.principal(webSession: cookie) }
            await #expect(throws: StoreError.self) {
                _ = try await fixture.identity.signIn(email: "a@b.cd", password: "x", address: nil)
            }
        }
    }

    @Test func `a lower role takes the keys above it and shows at once`() async throws {
        try await IdentityFixture.run { fixture in
            let identity = fixture.identity
            let user = try await identity.createUser(
                email: "ada@example.org", password: "correct horse battery", name: nil, role: .admin)
            let session = try await identity.signIn(
                email: "ada@example.org", password: "correct horse battery", address: nil)
            let admin = try await identity.createKey(role: .admin, userID: user.id).secret
            let service = try await identity.createKey(role: .service, userID: user.id).secret
            let own = try await identity.createKey(role: .user, userID: user.id).secret
            #expect(try await identity.hasAdminKey())
            try await identity.setRole(.educator, of: user.id)
            #expect(try await identity.principal(webSession: session.token).role == .educator)
            for secret in [admin, service] {
                await expectIdentityError(.revoked) { _ = try await identity.principal(bearer: secret) }
            }
            #expect(try await identity.principal(bearer: own).role == .user)
            #expect(try await identity.hasAdminKey() == false)
            // Nobody can administer anything with one that is for careers alone.
            _ = try await identity.createKey(role: .admin, scopes: ["careers"])
            #expect(try await identity.hasAdminKey() == false)
            #expect(try await identity.makeAdminLink() != nil)
            _ = try await identity.createKey(role: .admin, scopes: ["admin", "careers"])
            #expect(try await identity.hasAdminKey())
            #expect(try await identity.makeAdminLink() == nil)
            await expectIdentityError(.invalidRole) { try await identity.setRole(.service, of: user.id) }
            await expectIdentityError(.notFound) { try await identity.setRole(.user, of: "unknown") }
            await expectIdentityError(.notFound) { try await identity.setState(.disabled, of: "unknown") }
        }
    }

    @Test func `a role and a state are set together or not at all`() async throws {
        try await IdentityFixture.run { fixture in
            let identity = fixture.identity
            let user = try await identity.createUser(email: nil, password: nil, name: nil, role: .admin)
            let secret = try await identity.createKey(role: .admin, userID: user.id).secret
            // As on a disk that is full between the two.
            try await fixture.database.write { connection in
                try connection.execute(
                    "CREATE TRIGGER no_room BEFORE UPDATE OF state ON users BEGIN SELECT RAISE(ABORT, 'no room'); END")
            }
            await #expect(throws: StoreError.self) {
                try await identity.setRole(.user, state: .disabled, of: user.id)
            }
            #expect(try await identity.user(id: user.id)?.role == "admin")
            #expect(try await identity.principal(bearer: secret).role == .admin)
            try await fixture.database.write { try $0.execute("DROP TRIGGER no_room") }
            try await identity.setRole(.user, state: .disabled, of: user.id)
            let changed = try #require(try await identity.user(id: user.id))
            #expect(changed.role == "user" && changed.state == .disabled)
            await expectIdentityError(.revoked) { _ = try await identity.principal(bearer: secret) }
            await expectIdentityError(.notFound) {
                try await identity.setRole(.user, state: .active, of: "unknown")
            }
        }
    }

    @Test(arguments: Role.ofAccounts)
    func `a key may not do more than its user, nor be nobody's where it is for one`(of account: Role) async throws {
        try await IdentityFixture.run { fixture in
            let identity = fixture.identity
            let user = try await identity.createUser(email: nil, password: nil, name: nil, role: account)
            let fitting: [Role: [Role]] = [.user: [.user], .educator: [.user, .educator], .admin: Role.ofKeys]
            for role in Role.ofKeys {
                if fitting[account]?.contains(role) == true {
                    _ = try await identity.createKey(role: role, userID: user.id)
                } else {
                    let error = await expectIdentityError(.invalidRole) {
                        _ = try await identity.createKey(role: role, userID: user.id)
                    }
                    #expect(error?.message.contains("of the role \(role.rawValue)") == true)
                }
            }
            let made = try await identity.listKeys(userID: user.id)
            // A role that is given anew revokes what may more: there is nothing of the kind.
            try await identity.setRole(account, of: user.id)
            #expect(try await identity.listKeys(userID: user.id).items == made.items)
            for role in [Role.user, .educator] {
                await expectIdentityError(.invalidKey) { _ = try await identity.createKey(role: role) }
            }
        }
    }

    @Test func `mistakes in a key or an account are refused by name`() async throws {
        try await IdentityFixture.run { fixture in
            let identity = fixture.identity
            await expectIdentityError(.invalidRole) { _ = try await identity.createKey(role: .anonymous) }
            await expectIdentityError(.notFound) { _ = try await identity.createKey(role: .user, userID: "unknown") }
            for scope in ["", "Careers", "a b", "a\"b", String(repeating: "a", count: 65)] {
                await expectIdentityError(.invalidKey) {
                    _ = try await identity.createKey(role: .service, scopes: [scope])
                }
            }
            let many = (0..<33).map { "s\($0)" }
            await expectIdentityError(.invalidKey) { _ = try await identity.createKey(role: .service, scopes: many) }
            for label in ["a\tb", String(repeating: "a", count: 101)] {
                await expectIdentityError(.invalidKey) {
                    _ = try await identity.createKey(role: .service, label: label)
                }
            }
            for role in [Role.anonymous, .service] {
                await expectIdentityError(.invalidRole) {
                    _ = try await identity.createUser(email: nil, password: nil, name: nil, role: role)
                }
            }
            await expectIdentityError(.invalidEmail) {
                _ = try await identity.createUser(
                    email: nil, password: "correct horse battery", name: nil, role: .user)
            }
            for table in ["api_keys", "users"] {
                let rows = try await fixture.count(table)
                #expect(rows == 0, "\(table)")
            }
        }
    }

    @Test func `learners are assigned to educators alone`() async throws {
        try await IdentityFixture.run { fixture in
            let identity = fixture.identity
            let educator = try await identity.createUser(email: nil, password: nil, name: nil, role: .educator).id
            let learner = try await identity.createUser(email: nil, password: nil, name: nil, role: .user).id
            #expect(try await identity.isAssigned(learner: learner, to: educator) == false)
            try await identity.assign(learner: learner, to: educator)
            try await identity.assign(learner: learner, to: educator)
            #expect(try await identity.isAssigned(learner: learner, to: educator))
            #expect(try await identity.learners(of: educator) == [learner])
            await expectIdentityError(.invalidRole) { try await identity.assign(learner: educator, to: learner) }
            await expectIdentityError(.invalidRole) { try await identity.assign(learner: educator, to: educator) }
            await expectIdentityError(.notFound) { try await identity.assign(learner: "unknown", to: educator) }
            await expectIdentityError(.notFound) { try await identity.assign(learner: learner, to: "unknown") }
            #expect(try await identity.unassign(learner: learner, from: educator))
            #expect(try await identity.isAssigned(learner: learner, to: educator) == false)
        }
    }

    @Test func `two sign-ups with one address at once make one account`() async throws {
        try await IdentityFixture.run { fixture in
            let identity = fixture.identity
            let outcomes = await withTaskGroup(of: IdentityError.Code?.self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        do {
                            _ = try await identity.signUp(
                                email: "ada@example.org", password: "correct horse battery", name: nil, address: nil)
                            return nil
                        } catch let error as IdentityError {
                            return error.code
                        } catch {
                            Issue.record("\(error)")
                            return .notFound
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count { $0 == nil } == 1)
            #expect(outcomes.count { $0 == .emailTaken } == 5)
            let users = try await fixture.count("users")
            #expect(users == 1)
        }
    }
}
