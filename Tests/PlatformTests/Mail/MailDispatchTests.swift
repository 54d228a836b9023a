import Foundation
import Platform
import Store
import TestSupport
import Testing

struct MailDispatchTests {
    private struct Scene {
        let database: any SQLDatabase
        let suppressions: MailSuppressionRepository
        let log: MailLogRepository

        init() async throws {
            database = try await SQLiteDatabase.temporary()
            _ = try await SchemaMigrator().migrate(database)
            suppressions = MailSuppressionRepository(database, cipher: PlainColumns())
            log = MailLogRepository(database)
        }

        func dispatch(_ mailer: any Mailer) -> MailDispatch {
            MailDispatch(mailer: mailer, suppressions: suppressions, log: log)
        }
    }

    private static let missing = MailFailure(.noSuchMailbox, "no such mailbox", code: 550, status: "5.1.1")
    private static let unreachable = MailFailure(.notReached, "no connection")

    @Test func `a message with a key is sent once, however often its task runs`() async throws {
        let scene = try await Scene()
        let mailer = ScriptedMailer([])
        let dispatch = scene.dispatch(mailer)
        let message = try MailFixture.message(key: "one")
        #expect(try await dispatch.deliver(message, key: "one") == .sent(MailReceipt(place: "the script")))
        #expect(try await dispatch.deliver(message, key: "one") == .done(.sent))
        #expect(try await dispatch.deliver(message, key: "two") == .sent(MailReceipt(place: "the script")))
        #expect(mailer.sent.count == 2)
        #expect(dispatch.statistics.sent == 2 && dispatch.statistics.repeated == 1)
        // Another process, the same database.
        #expect(try await scene.dispatch(mailer).deliver(message, key: "two") == .done(.sent))
        try await scene.database.close()
    }

    @Test func `a server that is down makes the task wait, and mail degraded until it goes again`() async throws {
        let scene = try await Scene()
        let mailer = ScriptedMailer([.deferred(Self.unreachable), .deferred(MailFailure(.busy, "later", code: 450))])
        let dispatch = scene.dispatch(mailer)
        let message = try MailFixture.message()
        await #expect(throws: Self.unreachable) { _ = try await dispatch.deliver(message, key: "k") }
        #expect(dispatch.statistics.degradation == Self.unreachable)
        // Greylisting is the recipient's matter and mends nothing.
        await #expect(throws: MailFailure.self) { _ = try await dispatch.deliver(message, key: "k") }
        #expect(dispatch.statistics.degradation == Self.unreachable)
        #expect(try await scene.log.record(of: "k") == nil)
        #expect(try await dispatch.deliver(message, key: "k") == .sent(MailReceipt(place: "the script")))
        #expect(dispatch.statistics.degradation == nil && dispatch.statistics.deferred == 2)
        try await scene.database.close()
    }

    @Test func `a missing mailbox is remembered and gets no second message`() async throws {
        let scene = try await Scene()
        let mailer = ScriptedMailer([.refused(Self.missing)])
        let dispatch = scene.dispatch(mailer)
        #expect(
            try await dispatch.deliver(MailFixture.message(to: "Ada@Example.org"), key: "1") == .refused(Self.missing))
        #expect(
            try await dispatch.deliver(MailFixture.message(to: "ada@example.org"), key: "2") == .suppressed(.bounced))
        #expect(mailer.sent.count == 1)
        let found = try await scene.suppressions.suppressions(of: "ada@example.org")
        #expect(found.map(\.reason) == [.bounced] && found.map(\.detail) == ["550 5.1.1"])
        #expect(try await scene.log.record(of: "1")?.outcome == .refused)
        #expect(try await scene.log.record(of: "2")?.outcome == .suppressed)
        try await scene.database.close()
    }

    @Test(arguments: [MailFailure.Cause.message, .recipient])
    func `a refusal for another reason is not the address's fault`(cause: MailFailure.Cause) async throws {
        let scene = try await Scene()
        let failure = MailFailure(cause, "no", code: 554)
        let dispatch = scene.dispatch(ScriptedMailer([.refused(failure)]))
        #expect(try await dispatch.deliver(MailFixture.message(), key: "1") == .refused(failure))
        #expect(try await scene.suppressions.suppressions(of: "ada@example.org").isEmpty)
        #expect(try await dispatch.deliver(MailFixture.message(), key: "1") == .done(.refused))
        try await scene.database.close()
    }

    @Test func `whoever left a list gets none of it, and other mail`() async throws {
        let scene = try await Scene()
        let dispatch = scene.dispatch(ScriptedMailer([]))
        let digest = try MailList("digest")
        let other = try MailList("reminders")
        let index = scene.suppressions.index(of: "ada@example.org")
        try await scene.suppressions.suppress(index: index, list: "digest", reason: .unsubscribed)
        #expect(
            try await dispatch.deliver(MailFixture.message(list: digest), key: "1") == .suppressed(.unsubscribed))
        #expect(
            try await dispatch.deliver(MailFixture.message(list: other), key: "2")
                == .sent(MailReceipt(place: "the script")))
        #expect(
            try await dispatch.deliver(MailFixture.message(), key: "3") == .sent(MailReceipt(place: "the script")))
        try await scene.database.close()
    }

    @Test func `a message that went is recorded even where its task was cancelled meanwhile`() async throws {
        let scene = try await Scene()
        let dispatch = scene.dispatch(CancellingMailer())
        let message = try MailFixture.message()
        let task = Task { try await dispatch.deliver(message, key: "k") }
        #expect(try await task.value == .sent(MailReceipt(place: "anywhere")))
        #expect(try await scene.log.record(of: "k")?.outcome == .sent)
        try await scene.database.close()
    }

    /// Cancels the task that sends, as a shutdown does, while the message is already gone.
    private struct CancellingMailer: Mailer {
        let place = "anywhere"

        func send(_ message: MailMessage) async -> MailOutcome {
            withUnsafeCurrentTask { $0?.cancel() }
            return .sent(MailReceipt(place: place))
        }
    }
}

struct UnsubscriberTests {
    private static let key = (0..<32).map { UInt8($0) }

    private static func scene(
        key: [UInt8] = key, publicURL: String? = "https://careers.example.org/"
    ) async throws -> (Unsubscriber, MailSuppressionRepository, any SQLDatabase) {
        let database = try await SQLiteDatabase.temporary()
        _ = try await SchemaMigrator().migrate(database)
        let suppressions = MailSuppressionRepository(database, cipher: PlainColumns())
        return (Unsubscriber(key: key, publicURL: publicURL, suppressions: suppressions), suppressions, database)
    }

    @Test func `a link takes its address off its list, once and for all`() async throws {
        let (unsubscriber, suppressions, database) = try await Self.scene()
        let list = try MailList("digest")
        let link = try #require(unsubscriber.link(list: list, address: MailAddress("Ada@example.org")))
        let prefix = "https://careers.example.org/unsubscribe/"
        #expect(link.url.hasPrefix(prefix) && !link.url.lowercased().contains("ada"))
        let token = String(link.url.dropFirst(prefix.count))
        #expect(try await unsubscriber.accept(token) == list)
        #expect(try await unsubscriber.accept(token) == list)
        let found = try await suppressions.suppressions(of: "ada@example.org")
        #expect(found.map(\.reason) == [.unsubscribed] && found.map(\.list) == ["digest"])
        #expect(try await suppressions.suppressions(of: "bob@example.org").isEmpty)
        try await database.close()
    }

    @Test func `a token that is altered anywhere does nothing`() async throws {
        let (unsubscriber, suppressions, database) = try await Self.scene()
        let token = unsubscriber.token(list: try MailList("digest"), address: try MailAddress("ada@example.org"))
        let bytes = Array(token.utf8)
        for index in bytes.indices {
            for other in Set("Aa0_.-".utf8) where other != bytes[index] {
                var altered = bytes
                altered[index] = other
                let text = String(decoding: altered, as: UTF8.self)
                #expect(unsubscriber.read(text) == nil, "\(index)")
            }
            #expect(unsubscriber.read(String(decoding: bytes[..<index], as: UTF8.self)) == nil)
        }
        for text in ["", ".", "..", "a.b", token + "A", token + ".", "." + token, String(repeating: "A", count: 600)] {
            #expect(unsubscriber.read(text) == nil)
            #expect(try await unsubscriber.accept(text) == nil)
        }
        #expect(try await suppressions.counts().isEmpty)
        try await database.close()
    }

    @Test func `another key's token does not hold`() async throws {
        let (unsubscriber, _, database) = try await Self.scene()
        let (other, _, second) = try await Self.scene(key: Self.key.reversed())
        let token = other.token(list: try MailList("digest"), address: try MailAddress("ada@example.org"))
        #expect(other.read(token) != nil)
        #expect(unsubscriber.read(token) == nil)
        try await database.close()
        try await second.close()
    }

    @Test func `the service's own key is made once and shared`() async throws {
        let (_, suppressions, database) = try await Self.scene()
        let list = try MailList("digest")
        let address = try MailAddress("ada@example.org")
        let first = try await Unsubscriber.open(database, publicURL: nil, suppressions: suppressions)
        let second = try await Unsubscriber.open(database, publicURL: nil, suppressions: suppressions)
        #expect(second.read(first.token(list: list, address: address))?.list == list)
        #expect(!"\(first)".contains("Symmetric"))
        try await database.close()
    }

    @Test func `no link is made that mail programs must not take`() async throws {
        for url in [nil, "http://careers.example.org"] as [String?] {
            let (unsubscriber, _, database) = try await Self.scene(publicURL: url)
            #expect(unsubscriber.link(list: try MailList("digest"), address: try MailAddress("a@b.org")) == nil)
            try await database.close()
        }
    }
}
