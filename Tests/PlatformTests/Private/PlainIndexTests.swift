import Platform
import Store
import Testing

/// What is kept under the index from before there was a key.
struct PlainIndexTests {
    @Test func `who is erased goes from there too`() async throws {
        try await PrivateFixtures.withDatabase { database in
            let cipher = ColumnSealer(try PrivateFixtures.ring("k1"))
            let id = try await UserRepository(database, cipher: cipher).create(
                email: "ada@example.org", name: "Ada", role: "user", passwordHash: nil
            ).id
            let plain = MailSuppressionRepository(database, cipher: PlainColumns())
            let log = MailLogRepository(database)
            for name in ["ada", "bob"] {
                let index = plain.index(of: "\(name)@example.org")
                try await plain.suppress(index: index, list: "digest", reason: .unsubscribed)
                try await log.finish("key of \(name)", messageID: "\(name)@m", addressIndex: index, outcome: .sent)
            }
            let report = try await PersonErasure(database, cipher: cipher).erase(id)
            #expect(report.isProven, "\(report)")
            #expect(report.removed["mail_suppressions"] == 1 && report.removed["mail_log"] == 1)
            #expect(try await plain.suppressions(of: "ada@example.org").isEmpty)
            #expect(try await plain.suppressions(of: "bob@example.org").count == 1)
            #expect(try await log.recipients(ofMessage: "bob@m").count == 1)
        }
    }
}
