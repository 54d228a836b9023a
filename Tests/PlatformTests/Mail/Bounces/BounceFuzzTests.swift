import Foundation
import Platform
import TestSupport
import Testing

/// What comes in as a bounce is written by anybody.
struct BounceFuzzTests {
    private static let seed: UInt64 = 20_261_122
    private static let rounds = 4_000

    private static let samples = [
        BounceFixture.bytes(BounceFixture.postfix()), BounceFixture.bytes(BounceFixture.exchange, lineEnd: "\n"),
        BounceFixture.bytes(
            "From x\n" + BounceFixture.postfix() + "\nFrom y\n" + BounceFixture.exchange, lineEnd: "\n"),
    ]
    private static let pieces = [
        "\n\n", "\r\n", "--", "--_b", "--_b--\n", "From ", "Content-Type: multipart/report; boundary=_b\n", "=\n",
        "=C3", ";",
        "\"", "\\", "Final-Recipient: rfc822; ", "Action: failed\n", "Status: 5.1.1\n", "\u{0}", "\u{FF}", ":", "<",
        ">",
        "Content-Transfer-Encoding: base64\n", "Message-ID: <", "boundary=\"\"",
    ].map { Array($0.utf8) }

    private static func mutated(using generator: inout SeededGenerator) -> [UInt8] {
        var bytes = samples.randomElement(using: &generator) ?? []
        for _ in 0..<Int.random(in: 1...6, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            let end = min(bytes.count, place + Int.random(in: 1...200, using: &generator))
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &generator)
            case 1: bytes.removeSubrange(place..<end)
            case 2: bytes.insert(contentsOf: Array(bytes[place..<end]), at: place)
            case 3: bytes.removeSubrange(place...)
            case 4: bytes.insert(contentsOf: pieces.randomElement(using: &generator) ?? [], at: place)
            default:
                let other = samples.randomElement(using: &generator) ?? []
                bytes.replaceSubrange(place..<end, with: other.prefix(Int.random(in: 0...400, using: &generator)))
            }
        }
        return bytes
    }

    @Test func `no message, however damaged, brings the reader down or names what cannot be written to`() {
        var generator = SeededGenerator(seed: Self.seed)
        var reports = 0
        for round in 0..<Self.rounds {
            var mailbox = MailboxReader()
            let bytes = Self.mutated(using: &generator)
            let cut = Int.random(in: 0...bytes.count, using: &generator)
            let messages = mailbox.read(bytes[..<cut]) + mailbox.read(bytes[cut...]) + mailbox.finish()
            for message in messages {
                guard let report = DeliveryReport(message: message) else { continue }
                reports += 1
                #expect((1...100).contains(report.recipients.count), "round \(round) of \(Self.seed)")
                for recipient in report.recipients {
                    #expect(!recipient.addresses.isEmpty && recipient.addresses.count <= 2)
                    #expect(recipient.brief.utf8.count < 4_200)
                }
            }
        }
        // Most mutations leave something to read, or this would show nothing.
        #expect(reports > Self.rounds / 4, "\(reports)")
    }

    @Test func `what is cut anywhere is read as far as it goes`() {
        for sample in Self.samples.prefix(2) {
            for end in stride(from: 0, to: sample.count, by: 3) { _ = DeliveryReport(message: Array(sample[..<end])) }
            #expect(DeliveryReport(message: sample) != nil)
        }
    }

    @Test func `much of the same is no work for long`() {
        let start = ContinuousClock.now
        let head = "Content-Type: multipart/report; boundary=b\n\n"
        let many = [
            head + String(repeating: "--b\n\n", count: 200_000), String(repeating: "\n", count: 1_000_000),
            head + "--b\nContent-Type: message/delivery-status\n\n" + String(repeating: "\n", count: 1_000_000),
            head + "--b\nContent-Type: message/delivery-status\n\n" + String(repeating: "A: b\n\n", count: 150_000),
            String(repeating: "X: y\n", count: 200_000), "X: " + String(repeating: " folded\n", count: 100_000),
            head + "--b\nContent-Type: message/delivery-status\nContent-Transfer-Encoding: quoted-printable\n\n"
                + String(repeating: "=\n", count: 400_000),
            String(repeating: "Content-Type: multipart/mixed; boundary=b\n\n--b\n", count: 20_000),
            "Content-Type: multipart/report; boundary=" + String(repeating: ";a=b", count: 200_000) + "\n\n--b\n",
        ]
        for text in many { #expect(DeliveryReport(message: Array(text.utf8)) == nil) }
        // Linear work on a megabyte each; the bound is generous, for a busy machine.
        #expect(ContinuousClock.now - start < .seconds(20))
    }
}

struct MailboxReaderTests {
    private func messages(_ text: String, pieces: Int = 7) -> [String] {
        var mailbox = MailboxReader()
        var found: [[UInt8]] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            found += mailbox.read(rest.prefix(pieces))
            rest = rest.dropFirst(pieces)
        }
        return (found + mailbox.finish()).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [1, 7, 1_000])
    func `a mailbox is split at its separators, a message is not`(pieces: Int) {
        let mailbox =
            "From a Sun\nSubject: 1\n\nHello\n\nFrom b Mon\nSubject: 2\n\nnot at\nFrom here\n>From nor here\n\n"
        #expect(
            messages(mailbox, pieces: pieces) == [
                "Subject: 1\n\nHello\n\n", "Subject: 2\n\nnot at\nFrom here\n>From nor here\n\n",
            ])
        let message = "Subject: 1\n\nDear Ada,\n\nFrom here on it is one message.\n"
        #expect(messages(message, pieces: pieces) == [message])
        #expect(messages("From a\r\nSubject: 1\r\n\r\nx\r\n\r\nFrom b\r\nS: 2\r\n", pieces: pieces).count == 2)
        #expect(messages("", pieces: pieces).isEmpty && messages("From a\n\n\nFrom b\n", pieces: pieces).isEmpty)
    }

    @Test func `of a long message the beginning is kept, and the next one comes after it`() {
        let long = String(repeating: "x", count: 3_000_000)
        let found = messages("From a\nSubject: 1\n\n\(long)\n\nFrom b\nSubject: 2\n\ny\n", pieces: 65_536)
        #expect(
            found.count == 2 && found[0].utf8.count == MailboxReader.maximumBytes && found[0].hasPrefix("Subject: 1"))
        #expect(found.last == "Subject: 2\n\ny\n")
    }
}
