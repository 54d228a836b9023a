import Foundation
import Platform
import Testing

struct DeliveryReportTests {
    private func read(_ text: String, lineEnd: String = "\r\n") -> DeliveryReport? {
        DeliveryReport(message: BounceFixture.bytes(text, lineEnd: lineEnd))
    }

    @Test(arguments: ["\r\n", "\n"])
    func `a report says which message, whose address and why`(lineEnd: String) throws {
        let report = try #require(read(BounceFixture.postfix(), lineEnd: lineEnd))
        #expect(report.messageID?.text == BounceFixture.messageID)
        let recipient = try #require(report.recipients.first)
        #expect(report.recipients.count == 1)
        #expect(recipient.addresses.map(\.addressSpec) == ["ada@example.org", "ada@example.org"])
        #expect(recipient.action == "failed" && recipient.status == "5.1.1" && recipient.code == 550)
        #expect(recipient.isMissingMailbox && recipient.brief == "550 5.1.1")
    }

    @Test func `folded, quoted and differently written fields are read`() throws {
        let report = try #require(read(BounceFixture.exchange))
        #expect(report.messageID?.text == BounceFixture.messageID)
        let recipient = try #require(report.recipients.first)
        #expect(recipient.addresses.map(\.canonical) == ["ada@example.org"])
        #expect(recipient.action == "failed" && recipient.status == "5.1.10" && recipient.isMissingMailbox)
    }

    @Test(
        arguments: [
            ("failed", "5.1.1", nil, true), ("failed", "5.1.2", nil, true), ("failed", "5.2.1", nil, true),
            ("failed", "5.1.1", "smtp; 550 no such user", true),
            // Full, or refused by a rule: the address is somebody's.
            ("failed", "5.2.2", "smtp; 552 5.2.2 mailbox full", false), ("failed", "5.7.1", nil, false),
            ("failed", "5.4.1", "smtp; 550 5.4.1 access denied", false), ("failed", "5.3.4", nil, false),
            // At fault is the sender, or a server between.
            ("failed", "5.1.7", nil, false), ("failed", "5.1.8", nil, false),
            // Given up after days: who knows.
            ("failed", "4.4.1", nil, false), ("failed", "4.4.7", "smtp; 421 busy", false),
            ("delayed", "5.1.1", nil, false), ("delayed", "4.1.1", nil, false), ("delivered", "2.0.0", nil, false),
            ("relayed", "5.1.1", nil, false),
            // The status says no more than “for good”: what the server said counts.
            ("failed", "5.0.0", "smtp; 550 5.1.1 unknown", true), ("failed", "5.0.0", "smtp; 550-5.1.1 unknown", true),
            ("failed", "5.0.0", "smtp; 550 unknown", true), ("failed", "5.0.0", "smtp; 554 no", false),
            ("failed", "5.0.0", "smtp; 550 5.7.1 blocked", false), ("failed", "5.0.0", nil, false),
            ("failed", "5.0.0", "x-unix; 550 5.1.1 unknown", false), ("failed", "none", "smtp; 550 unknown", true),
            ("failed", "none", nil, false), ("failed", "", "smtp; 5.1.1", false),
        ] as [(String, String, String?, Bool)])
    func `only an address that nobody has is missing`(
        action: String, status: String, diagnosis: String?, isMissing: Bool
    ) throws {
        let text = BounceFixture.postfix(action: action, status: status, diagnosis: diagnosis)
        let recipient = try #require(read(text)?.recipients.first)
        #expect(recipient.isMissingMailbox == isMissing, "\(recipient.brief)")
    }

    @Test func `what is no report is none`() {
        let forwarded = """
            From: ada@example.org
            Content-Type: multipart/mixed; boundary=m

            --m
            Content-Type: text/plain

            Look what came:
            --m
            Content-Type: message/rfc822

            \(BounceFixture.postfix())
            --m--
            """
        let plain = "Subject: Undelivered\n\nFinal-Recipient: rfc822; ada@example.org\nAction: failed\nStatus: 5.1.1\n"
        for text in ["", "\n", "\n\n\n", plain, forwarded, BounceFixture.returned("a@b"), ": x\n: y\n"] {
            #expect(read(text) == nil, "\(text.prefix(80))")
        }
        // Half of it: cut off before what became of the recipient.
        let whole = BounceFixture.postfix()
        let half = whole[..<(whole.range(of: "Final-Recipient")?.lowerBound ?? whole.startIndex)]
        #expect(read(String(half)) == nil)
    }

    @Test func `a report inside what a gateway added is found, one that ends early is read`() throws {
        let inner = BounceFixture.postfix().split(separator: "\n\n", maxSplits: 1, omittingEmptySubsequences: false)
        let wrapped = """
            From: gateway@example.net
            Content-Type: multipart/mixed; boundary="outer b"

            --outer b
            Content-Type: multipart/report; boundary="4Vz1Wq3T7Bz.1700000000/mx.example.net"

            \(inner[1])
            --outer b
            Content-Type: text/plain

            This message was checked.
            --outer b--
            """
        #expect(read(wrapped)?.recipients.first?.isMissingMailbox == true)
        let text = BounceFixture.postfix()
        let early = text[..<(text.range(of: "Content-Type: text/plain; charset=utf-8")?.lowerBound ?? text.endIndex)]
        #expect(read(String(early))?.messageID?.text == BounceFixture.messageID)
    }

    @Test func `without the returned message it is not known which one`() throws {
        for (old, new) in [
            ("Content-Type: message/rfc822", "Content-Type: application/octet-stream"), ("Message-ID: <", "X-ID: <"),
            ("@careers.example.org>\nContent-Type: text", ">\nContent-Type: text"),
        ] {
            let text = BounceFixture.postfix().replacing(old, with: new)
            let report = try #require(read(text))
            #expect(report.messageID == nil && report.recipients.count == 1, "\(new)")
        }
    }

    @Test func `an address that no mail goes to is left out`() {
        for address in ["", "ada", "<ada@example.org> x", "ada@example.org\u{0}", "Ada Lovelace <ada@example.org>"] {
            #expect(read(BounceFixture.postfix(to: address)) == nil, "\(address)")
        }
        let other = BounceFixture.postfix().replacing("rfc822; ada", with: "x400; ada").replacing(
            "rfc822;ada", with: "ada")
        #expect(read(other) == nil)
        #expect(read(BounceFixture.postfix(to: "<ada@example.org>"))?.recipients.first?.addresses.count == 2)
    }
}
