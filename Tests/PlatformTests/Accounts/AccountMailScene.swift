import Foundation
import Platform
import Store
import Testing

/// Mail about accounts over an empty database, with a mailer that answers as told and a worker whose steps the test takes.
struct AccountMailScene {
    static let base = "https://careers.example.org"
    static let password = "correct horse battery"

    let fixture: IdentityFixture
    let mailer: ScriptedMailer
    let queue: TaskQueue
    let mail: AccountMail
    let worker: TaskWorker

    var identity: Identity { fixture.identity }

    /// Runs `body` on a new scene and closes its database.
    static func run(
        _ outcomes: [MailOutcome] = [], isConfigured: Bool = true,
        address: PublicAddress = PublicAddress(publicURL: base + "/", loopbackHost: nil),
        _ body: (AccountMailScene) async throws -> Void
    ) async throws {
        try await IdentityFixture.run { fixture in
            let mailer = ScriptedMailer(outcomes)
            let queue = TaskQueue(TaskRepository(fixture.database, clock: fixture.clock.read))
            let cipher = PlainColumns()
            let mail = AccountMail(
                identity: fixture.identity, cipher: cipher, queue: queue, address: address, isConfigured: isConfigured)
            let dispatch = MailDispatch(
                mailer: mailer, suppressions: MailSuppressionRepository(fixture.database, cipher: cipher),
                log: MailLogRepository(fixture.database, clock: fixture.clock.read))
            let handler = AccountMailHandler(
                mail, identity: fixture.identity, dispatch: dispatch,
                from: try MailFixture.address("Pathlight <mail@example.org>"), clock: fixture.clock.read)
            let worker = TaskWorker(queue, handlers: [handler], owner: "w", random: { 0.5 })
            try await body(
                AccountMailScene(fixture: fixture, mailer: mailer, queue: queue, mail: mail, worker: worker))
        }
    }

    /// An account with the address `name@example.org`.
    @discardableResult
    func user(_ name: String, password: String? = Self.password) async throws -> UserRecord {
        try await identity.createUser(email: "\(name)@example.org", password: password, name: name, role: .user)
    }

    /// Does what is due.
    func work() async {
        await worker.fill()
        await worker.settle()
    }

    func tasks() async throws -> [TaskRecord] { try await queue.tasks.list(limit: 100).items }

    /// The secret in a message's link.
    func secret(in message: MailMessage?, of page: String) throws -> String {
        let text = try #require(message?.text)
        let start = "\(Self.base)\(page)?token="
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(start) }, "\(text)")
        return String(line.dropFirst(start.count))
    }
}
