import Foundation
import Platform
import Store
import TestSupport
import Testing

struct BounceIntakeTests {
    /// Two people to whom a message went.
    private struct Scene {
        let database: any SQLDatabase
        let suppressions: MailSuppressionRepository
        let intake: BounceIntake
        let ids: [String]

        init(sentWith former: (any ColumnCipher)? = nil) async throws {
            database = try await SQLiteDatabase.temporary()
            _ = try await SchemaMigrator().migrate(database)
            let cipher = ColumnSealer(try PrivateFixtures.ring("k1"))
            suppressions = MailSuppressionRepository(database, cipher: cipher)
            let log = MailLogRepository(database)
            let dispatch = MailDispatch(
                mailer: ScriptedMailer([]),
                suppressions: MailSuppressionRepository(database, cipher: former ?? cipher), log: log)
            var ids: [String] = []
            for name in ["ada", "bob"] {
                let message = try MailFixture.message(to: "\(name)@example.org", key: "digest of \(name)")
                _ = try await dispatch.deliver(message, key: "digest of \(name)")
                ids.append(message.id.text)
            }
            self.ids = ids
            intake = BounceIntake(suppressions: suppressions, log: log)
        }

        func take(_ text: String) async throws -> [BounceSummary.Verdict: Int] {
            var summary = BounceSummary()
            try await intake.take(BounceFixture.bytes(text), into: &summary)
            #expect(summary.messages == 1)
            return summary.counts
        }

        func reasons(_ name: String) async throws -> [MailSuppressionReason] {
            try await suppressions.suppressions(of: "\(name)@example.org").map(\.reason)
        }
    }

    @Test func `a bounce of our message is remembered, once`() async throws {
        let scene = try await Scene()
        let bounce = BounceFixture.postfix(to: "Ada@Example.ORG", id: scene.ids[0])
        #expect(try await scene.take(bounce) == [.remembered: 1])
        #expect(try await scene.take(bounce) == [.known: 1])
        let found = try await scene.suppressions.suppression(of: "ada@example.org", list: nil)
        #expect(found?.reason == .bounced && found?.detail == "550 5.1.1")
        #expect(try await scene.reasons("bob").isEmpty)
        try await scene.database.close()
    }

    @Test func `nobody has somebody else's mail stopped`() async throws {
        let scene = try await Scene()
        // Bob knows the id of his own message, and makes up the rest.
        #expect(try await scene.take(BounceFixture.postfix(to: "ada@example.org", id: scene.ids[1])) == [.foreign: 1])
        #expect(try await scene.take(BounceFixture.postfix(to: "ada@example.org", id: "made@up")) == [.foreign: 1])
        let bare = BounceFixture.postfix(to: "ada@example.org", id: scene.ids[0]).replacing("Message-ID:", with: "X:")
        #expect(try await scene.take(bare) == [.foreign: 1])
        #expect(try await scene.take("Subject: Hello\n\nada@example.org does not exist") == [.noReport: 1])
        for name in ["ada", "bob"] { #expect(try await scene.reasons(name).isEmpty) }
        try await scene.database.close()
    }

    @Test func `a mailbox that is full, or a message that is late, keeps its address`() async throws {
        let scene = try await Scene()
        for (action, status) in [("failed", "5.2.2"), ("failed", "5.7.1"), ("failed", "4.4.7"), ("delayed", "4.1.1")] {
            let bounce = BounceFixture.postfix(id: scene.ids[0], action: action, status: status, diagnosis: nil)
            #expect(try await scene.take(bounce) == [.kept: 1], "\(action) \(status)")
        }
        #expect(try await scene.reasons("ada").isEmpty)
        try await scene.database.close()
    }

    @Test func `an address that forwards is known by the one that was written to`() async throws {
        let scene = try await Scene()
        let forwarded = BounceFixture.postfix(id: scene.ids[0])
            .replacing("Final-Recipient: rfc822; ada@example.org", with: "Final-Recipient: rfc822; gone@example.net")
        #expect(try await scene.take(forwarded) == [.remembered: 1])
        #expect(try await scene.reasons("ada") == [.bounced])
        // Without it, it may be one of many that the address stands for.
        let list = BounceFixture.postfix(to: "gone@example.net", id: scene.ids[1])
        #expect(try await scene.take(list) == [.foreign: 1])
        #expect(try await scene.reasons("bob").isEmpty)
        try await scene.database.close()
    }

    @Test func `a message that went before there was a key is known all the same`() async throws {
        let scene = try await Scene(sentWith: PlainColumns())
        #expect(try await scene.take(BounceFixture.postfix(id: scene.ids[0])) == [.remembered: 1])
        #expect(try await scene.reasons("ada") == [.bounced])
        try await scene.database.close()
    }

    @Test func `a message that was refused or withheld bounces nothing`() async throws {
        let scene = try await Scene()
        let failure = MailFailure(.recipient, "no", code: 554)
        let dispatch = MailDispatch(
            mailer: ScriptedMailer([.refused(failure)]), suppressions: scene.suppressions,
            log: MailLogRepository(scene.database))
        let message = try MailFixture.message(to: "eve@example.org", key: "refused")
        _ = try await dispatch.deliver(message, key: "refused")
        #expect(
            try await scene.take(BounceFixture.postfix(to: "eve@example.org", id: message.id.text)) == [.foreign: 1])
        try await scene.database.close()
    }
}
