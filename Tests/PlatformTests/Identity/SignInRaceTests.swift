import Foundation
import Platform
import Store
import Testing

/// What becomes of a sign-in under way when the account changes before it ends.
struct SignInRaceTests {
    private static let email = "ada@example.org"
    private static let password = "correct horse battery"
    private static let other = "four other words"

    enum Change: String, CaseIterable, Sendable {
        case setPassword, changePassword, disabled, erased
    }

    private static func apply(_ change: Change, to id: String, _ fixture: IdentityFixture) async throws {
        switch change {
        case .setPassword: try await fixture.identity.setPassword(other, of: id)
        case .changePassword:
            try await fixture.identity.changePassword(
                userID: id, current: password, new: other, address: nil, keeping: nil)
        case .disabled: try await fixture.identity.setState(.disabled, of: id)
        case .erased: _ = try await PersonErasure(fixture.database, cipher: PlainColumns()).erase(id)
        }
    }

    @Test(arguments: Change.allCases)
    func `no session begins by a password that was replaced while it was looked at`(change: Change) async throws {
        try await IdentityFixture.run { fixture in
            let user = try await fixture.identity.createUser(
                email: Self.email, password: Self.password, name: nil, role: .user)
            let database = PausingDatabase(fixture.database)
            let slow = Identity(
                database: database, cipher: PlainColumns(), hasher: PasswordHasher(parameters: .cheap),
                clock: fixture.clock.read)
            // The first read is that of the account; the password is looked at afterwards.
            database.afterNextRead { try await Self.apply(change, to: user.id, fixture) }
            await expectIdentityError(.invalidCredential) {
                _ = try await slow.signIn(email: Self.email, password: Self.password, address: "192.0.2.1")
            }
            #expect(try await fixture.count("web_sessions") == 0)
        }
    }

    @Test func `no session begins by a link of an account that is disabled meanwhile`() async throws {
        try await IdentityFixture.run { fixture in
            let link = try #require(try await fixture.identity.makeAdminLink())
            let id = try await fixture.database.read { try $0.first("SELECT id FROM users")?.text("id") ?? "" }
            let database = PausingDatabase(fixture.database)
            let slow = Identity(database: database, cipher: PlainColumns(), clock: fixture.clock.read)
            database.afterNextRead { try await fixture.identity.setState(.disabled, of: id) }
            await expectIdentityError(.invalidCredential) { _ = try await slow.signIn(link: link) }
            #expect(try await fixture.count("web_sessions") == 0)
        }
    }

    @Test func `a password is changed though proving the old one brings its hash up to date`() async throws {
        try await IdentityFixture.run { fixture in
            let user = try await fixture.identity.createUser(
                email: Self.email, password: Self.password, name: nil, role: .user)
            let later = fixture.replica(parameters: ScryptParameters(logN: 3, r: 1, p: 1))
            let kept = try await fixture.identity.signIn(email: Self.email, password: Self.password, address: nil)
            try await later.changePassword(
                userID: user.id, current: Self.password, new: Self.other, address: nil, keeping: kept.token)
            _ = try await later.principal(webSession: kept.token)
            _ = try await later.signIn(email: Self.email, password: Self.other, address: nil)
        }
    }
}
