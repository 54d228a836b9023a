import Foundation
import Platform
import Store
import Testing

/// What one network, or one account, can ask for, and what that is to others.
struct SignInBoundTests {
    private static let password = "correct horse battery"

    /// Accounts with one password.
    private static func accounts(_ count: Int, in fixture: IdentityFixture) async throws -> [String] {
        var emails: [String] = []
        for number in 0..<count {
            let email = "user\(number)@example.org"
            _ = try await fixture.identity.createUser(email: email, password: password, name: nil, role: .user)
            emails.append(email)
        }
        return emails
    }

    private static func code(_ body: () async throws -> Void) async throws -> IdentityError.Code? {
        do {
            try await body()
        } catch let error as IdentityError {
            return error.code
        }
        return nil
    }

    private static func guess(_ identity: Identity, number: Int, from network: String) async throws -> IdentityError
        .Code?
    {
        try await code {
            _ = try await identity.signIn(email: "nobody\(number)@example.org", password: "wrong", address: network)
        }
    }

    private static func signUp(
        _ identity: Identity, _ number: Int, from network: String
    ) async throws -> IdentityError.Code? {
        try await code {
            _ = try await identity.signUp(
                email: "new\(number)@example.org", password: password, name: nil, address: network)
        }
    }

    @Test func `a network gets so many accounts, and no more by getting them`() async throws {
        try await IdentityFixture.run { fixture in
            for number in 0..<40 {
                #expect(try await Self.signUp(fixture.identity, number, from: "192.0.2.9") == nil, "\(number)")
            }
            #expect(try await Self.signUp(fixture.identity, 40, from: "192.0.2.9") == .locked)
            #expect(try await fixture.count("users") == 40)
            // Nobody else waits for it, and its people sign in.
            #expect(try await Self.signUp(fixture.identity, 41, from: "192.0.2.10") == nil)
            _ = try await fixture.identity.signIn(
                email: "new1@example.org", password: Self.password, address: "192.0.2.9")
            fixture.clock.advance(by: 3_601)
            #expect(try await Self.signUp(fixture.identity, 42, from: "192.0.2.9") == nil)
        }
    }

    @Test func `sign-ups that fill their places leave those of signing in`() async throws {
        // Each takes some hundredths of a second, and all are asked for within less, as a rule: so in several rounds.
        let hasher = PasswordHasher(
            parameters: ScryptParameters(logN: 15, r: 8, p: 1), concurrency: 1, maximumWaiting: 1)
        for _ in 0..<4 {
            let (done, refused) = (Guarded(0), Guarded(0))
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        if (try? await hasher.hash(Self.password, of: .newcomer)) == nil {
                            refused.withLock { $0 += 1 }
                        }
                        done.withLock { $0 += 1 }
                    }
                }
                while refused.withLock({ $0 }) == 0, done.withLock({ $0 }) < 8 { await Task.yield() }
                do {
                    _ = try await hasher.check(Self.password, against: nil)
                } catch {
                    Issue.record("\(error)")
                }
            }
        }
    }

    @Test func `people who sign in at once are never told that it failed`() async throws {
        try await IdentityFixture.run { fixture in
            let (identity, emails) = (fixture.identity, try await Self.accounts(30, in: fixture))
            let codes = try await withThrowingTaskGroup(of: IdentityError.Code?.self) { group in
                for email in emails {
                    group.addTask {
                        try await Self.code {
                            _ = try await identity.signIn(email: email, password: Self.password, address: "192.0.2.1")
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.allSatisfy { $0 == nil || $0 == .overloaded }, "\(codes)")
            #expect(codes.count { $0 == nil } >= 20)
            // And nothing of it is held against the network.
            for number in 0..<20 {
                #expect(try await Self.guess(identity, number: number, from: "192.0.2.1") == .invalidCredential)
            }
        }
    }

    @Test func `a network's failures are forgotten an hour after the last, whoever signs in there meanwhile`()
        async throws
    {
        try await IdentityFixture.run { fixture in
            let (identity, emails) = (fixture.identity, try await Self.accounts(1, in: fixture))
            for number in 0..<19 { _ = try await Self.guess(identity, number: number, from: "192.0.2.1") }
            for _ in 0..<6 {
                fixture.clock.advance(by: 600)
                _ = try await identity.signIn(email: emails[0], password: Self.password, address: "192.0.2.1")
            }
            for number in 20..<39 {
                #expect(try await Self.guess(identity, number: number, from: "192.0.2.1") == .invalidCredential)
            }
            #expect(try await Self.guess(identity, number: 39, from: "192.0.2.1") == .invalidCredential)
            #expect(try await Self.guess(identity, number: 40, from: "192.0.2.1") == .locked)
        }
    }

    @Test func `an attempt that is given up is not computed, and leaves nothing under way`() async throws {
        try await IdentityFixture.run { fixture in
            let database = PausingDatabase(fixture.database)
            let identity = Identity(
                database: database, cipher: PlainColumns(), hasher: PasswordHasher(parameters: .cheap),
                clock: fixture.clock.read)
            // The account was looked up by then, and the password is next.
            database.afterNextRead { withUnsafeCurrentTask { $0?.cancel() } }
            let code = try await Task { try await Self.guess(identity, number: 1, from: "192.0.2.1") }.value
            #expect(code == .overloaded)
            #expect(try await fixture.count("sign_ins_under_way") == 0)
            #expect(try await fixture.count("sign_in_attempts") == 0)
        }
    }

    @Test func `a command without a network is bounded by the account alone`() async throws {
        try await IdentityFixture.run { fixture in
            for number in 0..<50 {
                let code = try await Self.code {
                    _ = try await fixture.identity.signUp(
                        email: "c\(number)@example.org", password: Self.password, name: nil, address: nil)
                }
                #expect(code == nil)
            }
        }
    }
}
