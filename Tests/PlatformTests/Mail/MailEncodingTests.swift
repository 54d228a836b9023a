import Foundation
import Platform
import Store
import TestSupport
import Testing

struct MailEncodingTests {
    private let encoder = MIMEEncoder()

    /// CR LF, CR and LF are one thing in a text: a line's end.
    private static func normalised(_ text: String) -> [UInt8] {
        var scalars = String.UnicodeScalarView()
        var isAfterReturn = false
        for scalar in text.unicodeScalars {
            if scalar == "\r" {
                scalars.append("\n")
            } else if scalar != "\n" || !isAfterReturn {
                scalars.append(scalar)
            }
            isAfterReturn = scalar == "\r"
        }
        return Array(String(scalars).utf8)
    }

    @Test func `any text comes back as it was, however it is made`() throws {
        var generator = SeededGenerator()
        for round in 0..<400 {
            let subject = RandomText.text(
                length: .random(in: 0...120, using: &generator), using: &generator, allowing: RandomText.isOfHeader)
            guard subject.utf8.count <= HeaderText.maximumBytes else { continue }
            let text = RandomText.text(length: .random(in: 0...600, using: &generator), using: &generator)
            let html = round % 2 == 0 ? RandomText.text(length: 300, using: &generator) : nil
            let bytes = encoder.encode(try MailFixture.message(subject: subject, text: text, html: html))
            let decoded = try MailDecoder(bytes)
            let value = try #require(decoded.top.value("Subject"))
            // One space stands between the colon and the text.
            let back = Array(try MailDecoder.words(String(value.dropFirst())).utf8)
            #expect(back == Array(subject.utf8), "\(generator)")
            #expect(decoded.texts["text/plain"].map { Array($0.utf8) } == Self.normalised(text), "\(generator)")
            #expect(decoded.texts["text/html"].map { Array($0.utf8) } == html.map(Self.normalised), "\(generator)")
            try Self.checkLines(bytes, "\(generator)")
        }
    }

    @Test func `a name beside an address comes back as it was`() throws {
        var generator = SeededGenerator()
        for _ in 0..<400 {
            let name = RandomText.text(
                length: .random(in: 1...90, using: &generator), using: &generator, allowing: RandomText.isOfHeader)
            guard let to = try? MailAddress("ada@example.org", name: name) else { continue }
            let from = try MailFixture.address()
            let message = try MailMessage(
                from: from, to: to, subject: HeaderText("a"), text: "b", id: MailMessageID(key: "k", sender: from),
                date: MailFixture.moment)
            let bytes = encoder.encode(message)
            let value = try #require(try MailDecoder(bytes).top.value("To"))
            #expect(value.hasSuffix(" <ada@example.org>"))
            var shown = String(value.dropFirst().dropLast(" <ada@example.org>".count))
            if shown.hasPrefix("\"") {
                // A quoted string: a backslash stands before what it quotes.
                shown = String(shown.dropFirst().dropLast()).replacing(/\\(.)/) { String($0.output.1) }
            } else {
                shown = try MailDecoder.words(shown)
            }
            #expect(Array(shown.utf8) == Array(name.utf8), "\(generator)")
            try Self.checkLines(bytes, "\(generator)")
        }
    }

    /// No line over 998 bytes, none over 78 in a header where a fold can help, nothing but ASCII.
    private static func checkLines(_ bytes: [UInt8], _ comment: Comment) throws {
        #expect(bytes.allSatisfy { $0 < 0x80 }, comment)
        var isHeader = true
        for line in try MailDecoder.lines(bytes) {
            if line.isEmpty { isHeader = false }
            #expect(line.count <= (isHeader ? 78 : 76), comment)
        }
    }

    @Test func `megabytes come back as they were`() throws {
        var generator = SeededGenerator(seed: 7)
        let piece = RandomText.text(length: 2_000, using: &generator)
        let text = String(repeating: piece, count: 3_000_000 / piece.utf8.count)
        let decoded = try MailDecoder(encoder.encode(try MailFixture.message(text: text)))
        #expect(decoded.texts["text/plain"].map { Array($0.utf8) } == Self.normalised(text))
    }

    @Test func `lines that mean something to servers are written otherwise`() throws {
        let text =
            ".\n..\nFrom me\n\n.hidden\n-- \nspace at the end \ttab\t\n" + String(repeating: "x", count: 76) + "."
        let bytes = encoder.encode(try MailFixture.message(text: text))
        let body = try MailDecoder.lines(bytes).drop { !$0.isEmpty }
        for line in body {
            #expect(line.first != UInt8(ascii: "."))
            #expect(!line.starts(with: Array("From ".utf8)))
        }
        #expect(try MailDecoder(bytes).texts["text/plain"] == text)
    }

    @Test func `a boundary occurs in no part, even where a part holds it`() throws {
        // A generator that repeats itself, so that the boundary is known.
        let encoder = MIMEEncoder { 42 }
        let first = encoder.encode(try MailFixture.message(text: "a", html: "b"))
        let line = try #require(try MailDecoder.lines(first).first { $0.starts(with: Array("--=_".utf8)) })
        let boundary = String(decoding: line, as: UTF8.self)
        let text = "\(boundary)\n\(boundary)--\n"
        let decoded = try MailDecoder(encoder.encode(try MailFixture.message(text: text, html: text)))
        #expect(decoded.texts == ["text/plain": text, "text/html": text])
    }

    @Test func `every header that a message needs is there once`() throws {
        let unsubscribe = try ListUnsubscribe(
            url: "https://careers.example.org/unsubscribe/abc.def", mailto: MailAddress("leave+x@example.org"))
        let other = try MailMessageID("first@example.org")
        let message = try MailFixture.message(
            html: "<p>Hello</p>", list: MailList("digest"), unsubscribe: unsubscribe,
            extras: [.inReplyTo(other), .importance(.low)])
        let top = try MailDecoder(encoder.encode(message)).top
        let expected: [(String, String)] = [
            ("Date", "Sun, 22 Nov 2026 01:00:35 +0000"),
            ("From", #""Pathlight" <mail@careers.example.org>"#),
            ("To", #""Ada" <ada@example.org>"#), ("Subject", "Your digest"), ("Message-ID", "<\(message.id)>"),
            ("In-Reply-To", "<first@example.org>"), ("Importance", "low"),
            ("List-Id", "<digest.careers.example.org>"),
            (
                "List-Unsubscribe",
                "<https://careers.example.org/unsubscribe/abc.def>, <mailto:leave%2Bx@example.org?subject=unsubscribe>"
            ),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"), ("Auto-Submitted", "auto-generated"),
            ("MIME-Version", "1.0"),
        ]
        for (name, value) in expected {
            #expect(top.values(name).map { $0.trimmingCharacters(in: .whitespaces) } == [value], "\(name)")
        }
        #expect(top.headers.count == expected.count + 1)
    }

    @Test(arguments: [
        (0.0, "Thu, 01 Jan 1970 00:00:00 +0000"), (-1.0, "Wed, 31 Dec 1969 23:59:59 +0000"),
        (951_782_399.9999, "Tue, 29 Feb 2000 00:00:00 +0000"), (1_709_164_800.0, "Thu, 29 Feb 2024 00:00:00 +0000"),
        (4_102_444_799.0, "Thu, 31 Dec 2099 23:59:59 +0000"),
    ])
    func `a date is written as mail has it`(seconds: Double, expected: String) throws {
        let from = try MailFixture.address()
        let message = try MailMessage(
            from: from, to: from, subject: HeaderText("a"), text: "b", id: MailMessageID(key: "k", sender: from),
            date: Date(timeIntervalSince1970: seconds))
        #expect(try MailDecoder(encoder.encode(message)).top.value("Date") == " \(expected)")
    }

    @Test(arguments: ["a\r\nBcc: b@example.org", "a\nb", "a\rb", "a\0b", "a\tb", "a\u{85}b", "a\u{2028}b", "a\u{7F}b"])
    func `a text that could end its line is no header's text`(text: String) throws {
        #expect(throws: MailError.self) { try HeaderText(text) }
        #expect(throws: MailError.self) { try MailAddress("ada@example.org", name: text) }
        let clean = HeaderText(cleaning: text).text
        let decoded = try MailDecoder(encoder.encode(try MailFixture.message(subject: clean)))
        #expect(decoded.top.values("Bcc").isEmpty)
        #expect(clean.unicodeScalars.allSatisfy { RandomText.isOfHeader($0.value) })
        #expect(clean.unicodeScalars.count == text.unicodeScalars.count)
    }

    @Test func `a cleaned text is cut at a scalar`() {
        let clean = HeaderText(cleaning: String(repeating: "é", count: 800)).text
        #expect(clean.utf8.count == HeaderText.maximumBytes && clean.allSatisfy { $0 == "é" })
    }

    @Test func `a subject that looks encoded is not decoded`() throws {
        let subject = "=?UTF-8?Q?pay_me?="
        let value = try #require(
            try MailDecoder(encoder.encode(try MailFixture.message(subject: subject))).top.value("Subject"))
        #expect(!value.contains("pay_me"))
        #expect(try MailDecoder.words(String(value.dropFirst())) == subject)
    }

    @Test func `what is too much is refused`() throws {
        let text = String(repeating: "x", count: MailMessage.maximumBytes)
        _ = try MailFixture.message(text: text)
        #expect(throws: MailError.self) { try MailFixture.message(text: text, html: "y") }
        #expect(throws: MailError.self) {
            try MailFixture.message(extras: [.importance(.low), .importance(.high)])
        }
        #expect(throws: MailError.self) { try MailFixture.message(extras: [.references([])]) }
    }
}
