import Foundation
import Store
import Testing

struct MailRepositoryTests {
    /// Tells addresses apart and cannot be read back, as the real one.
    private struct OtherCipher: ColumnCipher {
        func seal(_ text: String, column: String) -> String { text }
        func open(_ stored: String, column: String) -> String { stored }
        func index(_ text: String, column: String) -> String { "other \(text.utf8.reduce(7) { $0 &* 31 &+ Int($1) })" }
    }

    private static func repository(_ database: any SQLDatabase, clock: TestClock) -> MailSuppressionRepository {
        MailSuppressionRepository(database, cipher: PlainColumns(), clock: clock.read)
    }

    @Test(arguments: DriverUnderTest.all)
    func `a suppression is remembered once, by the address's index alone`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let mail = Self.repository(database, clock: clock)
            let index = mail.index(of: "ada@example.org")
            let start = clock.now
            #expect(try await mail.suppress(index: index, reason: .bounced, detail: "550 5.1.1"))
            clock.advance(by: 5)
            #expect(try await mail.suppress(index: index, reason: .bounced, detail: "550") == false)
            let found = try #require(try await mail.suppression(of: "ada@example.org", list: nil))
            #expect(found.reason == .bounced && found.detail == "550 5.1.1" && found.createdAt == start)
            #expect(found.list == nil && found.addressIndex == index)
            #expect(try await mail.suppression(of: "bob@example.org", list: nil) == nil)
            let columns = try await database.read { connection in
                try connection.query("SELECT * FROM mail_suppressions").flatMap { row in
                    row.values.compactMap { value in if case .text(let text) = value { text } else { nil } }
                }
            }
            #expect(!columns.isEmpty && columns.allSatisfy { !$0.contains("ada") })
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `each reason keeps the mail away that it is about`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let mail = Self.repository(database, clock: TestClock())
            // (reason, its list, whether mail of the list, of another list, and of none is kept away)
            let cases: [(MailSuppressionReason, String?, Bool, Bool, Bool)] = [
                (.unsubscribed, "digest", true, false, false), (.unsubscribed, nil, true, true, false),
                (.bounced, nil, true, true, true), (.complaint, nil, true, true, true),
                (.complaint, "digest", true, false, false),
            ]
            for (number, each) in cases.enumerated() {
                let address = "a\(number)@example.org"
                try await mail.suppress(index: mail.index(of: address), list: each.1, reason: each.0)
                let own = try await mail.suppression(of: address, list: "digest")
                let other = try await mail.suppression(of: address, list: "reminders")
                let none = try await mail.suppression(of: address, list: nil)
                #expect([own != nil, other != nil, none != nil] == [each.2, each.3, each.4], "\(each)")
            }
            #expect(try await mail.counts() == [.unsubscribed: 2, .bounced: 1, .complaint: 2])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `the gravest reason is named, and lifting one leaves the others`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let mail = Self.repository(database, clock: TestClock())
            let index = mail.index(of: "ada@example.org")
            for reason in MailSuppressionReason.allCases.reversed() {
                try await mail.suppress(index: index, reason: reason)
            }
            try await mail.suppress(index: index, list: "digest", reason: .unsubscribed)
            #expect(try await mail.suppression(of: "ada@example.org", list: "digest")?.reason == .bounced)
            #expect(try await mail.lift("ada@example.org", reason: .bounced))
            #expect(try await mail.lift("ada@example.org", reason: .bounced) == false)
            #expect(try await mail.suppression(of: "ada@example.org", list: "digest")?.reason == .complaint)
            #expect(try await mail.lift("ada@example.org", reason: .complaint))
            #expect(try await mail.lift("ada@example.org", reason: .unsubscribed))
            let left = try await mail.suppressions(of: "ada@example.org")
            #expect(left.map(\.list) == ["digest"] && left.map(\.reason) == [.unsubscribed])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a message ends once`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let log = MailLogRepository(database, clock: clock.read)
            #expect(try await log.record(of: "k") == nil)
            #expect(try await log.finish("k", addressIndex: "i", outcome: .refused, detail: "550"))
            let end = clock.now
            clock.advance(by: 10)
            #expect(try await log.finish("k", addressIndex: "i", outcome: .sent) == false)
            let record = try #require(try await log.record(of: "k"))
            #expect(record.outcome == .refused && record.detail == "550" && record.finishedAt == end)
            #expect(try await log.finish("l", addressIndex: "i", outcome: .sent))
            #expect(try await log.recipients(ofMessage: "m@example.org").isEmpty)
            #expect(try await log.finish("m", messageID: "m@example.org", addressIndex: "j", outcome: .sent))
            #expect(try await log.finish("n", messageID: "n@example.org", addressIndex: "j", outcome: .refused))
            #expect(try await log.recipients(ofMessage: "m@example.org") == ["j"])
            // What was not sent can come back from nowhere.
            #expect(try await log.recipients(ofMessage: "n@example.org").isEmpty)
            #expect(try await log.purge(olderThan: end + 1) == 1)
            #expect(try await log.record(of: "k") == nil)
            #expect(try await log.record(of: "l")?.outcome == .sent)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `an address is forgotten whole`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let mail = Self.repository(database, clock: TestClock())
            let log = MailLogRepository(database)
            for address in ["ada@example.org", "bob@example.org"] {
                let index = mail.index(of: address)
                try await mail.suppress(index: index, list: "digest", reason: .unsubscribed)
                try await log.finish("key of \(address)", addressIndex: index, outcome: .sent)
            }
            #expect(try await mail.forget("ada@example.org") == 2)
            #expect(try await mail.suppressions(of: "ada@example.org").isEmpty)
            #expect(try await log.record(of: "key of ada@example.org") == nil)
            #expect(try await mail.suppressions(of: "bob@example.org").count == 1)
            #expect(try await log.record(of: "key of bob@example.org") != nil)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `what was kept before there was a key is found, listed, lifted and forgotten`(
        driver: DriverUnderTest
    ) async throws {
        try await driver.withSchema { database in
            let plain = Self.repository(database, clock: TestClock())
            let sealed = MailSuppressionRepository(database, cipher: OtherCipher())
            for address in ["ada@example.org", "bob@example.org"] {
                try await plain.suppress(index: plain.index(of: address), list: "digest", reason: .unsubscribed)
                try await plain.suppress(index: plain.index(of: address), reason: .bounced)
            }
            try await sealed.suppress(index: sealed.index(of: "ada@example.org"), reason: .complaint)
            #expect(try await sealed.suppression(of: "ada@example.org", list: "digest")?.reason == .bounced)
            #expect(try await sealed.suppression(of: "bob@example.org", list: nil)?.reason == .bounced)
            #expect(try await sealed.suppression(of: "eve@example.org", list: "digest") == nil)
            #expect(try await sealed.suppressions(of: "ada@example.org").count == 3)
            #expect(try await sealed.page(skip: 0, limit: 9, of: "ada@example.org").total == 3)
            #expect(try await sealed.lift("ada@example.org", reason: .bounced))
            #expect(try await sealed.suppression(of: "ada@example.org", list: nil)?.reason == .complaint)
            #expect(try await sealed.forget("ada@example.org") == 2)
            #expect(try await sealed.suppressions(of: "bob@example.org").count == 2)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `suppressions are listed in pages, and removed by one or all at once`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let mail = Self.repository(database, clock: clock)
            for number in 0..<5 {
                clock.advance(by: 1)
                let index = mail.index(of: "a\(number)@example.org")
                try await mail.suppress(index: index, reason: number == 0 ? .complaint : .bounced, detail: "\(number)")
                try await mail.suppress(index: index, list: "digest", reason: .unsubscribed)
            }
            let page = try await mail.page(skip: 1, limit: 2, reason: .bounced)
            #expect(page.total == 4 && page.items.map(\.detail) == ["3", "2"])
            #expect(try await mail.page(skip: 9, limit: 2).items.count == 1)
            #expect(try await mail.page(skip: 10, limit: 2).items.isEmpty)
            let index = mail.index(of: "a4@example.org")
            #expect(try await mail.remove(index: index, list: "", reason: .unsubscribed) == 0)
            #expect(try await mail.remove(index: index, reason: .bounced) == 1)
            #expect(try await mail.suppressions(of: "a4@example.org").map(\.reason) == [.unsubscribed])
            #expect(try await mail.remove(index: mail.index(of: "a3@example.org")) == 2)
            #expect(try await mail.remove(index: "nothing") == 0)
            #expect(try await mail.removeAll() == 7)
            #expect(try await mail.page(skip: 0, limit: 2).total == 0)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a key is made once`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let keys = MailKeyRepository(database)
            let first = try await keys.key("a", fresh: [1, 2])
            let again = try await keys.key("a", fresh: [3, 4])
            let other = try await keys.key("b", fresh: [3, 4])
            #expect(first == [1, 2] && again == [1, 2] && other == [3, 4])
        }
    }
}
