internal import Foundation
internal import Store

/// A message as the bytes that mail servers take: RFC 5322 with MIME (RFC 2045 to 2047), 7-bit throughout.
package struct MIMEEncoder: Sendable {
    private let random: @Sendable () -> UInt64

    /// - Parameter random: makes the boundary differ from message to message.
    package init(random: @escaping @Sendable () -> UInt64 = { UInt64.random(in: .min ... .max) }) {
        self.random = random
    }

    /// - Complexity: O(length of the message); long ones are not for the cooperative pool.
    package func encode(_ message: MailMessage) -> [UInt8] {
        var header = HeaderWriter()
        header.structured("Date", Self.date(message.date).split(separator: " ").map(String.init))
        header.address("From", message.from)
        if let replyTo = message.replyTo { header.address("Reply-To", replyTo) }
        header.address("To", message.to)
        header.unstructured("Subject", message.subject)
        header.structured("Message-ID", ["<\(message.id)>"])
        for extra in message.extras { Self.write(extra, to: &header) }
        Self.writeList(message, to: &header)
        if let automation = message.automation { header.structured("Auto-Submitted", [automation.rawValue]) }
        if let precedence = message.precedence { header.structured("Precedence", [precedence.rawValue]) }
        header.structured("MIME-Version", ["1.0"])
        guard let html = message.html else {
            Self.writePart("plain", message.text, after: &header)
            return header.bytes + QuotedPrintable.encode(message.text) + Self.lineEnd
        }
        let boundary = self.boundary()
        header.structured("Content-Type", ["multipart/alternative;", "boundary=\"\(boundary)\""])
        header.end()
        var bytes = header.bytes
        // The richest part last: a reader shows the last that it knows (RFC 2046, section 5.1.4).
        for (type, text) in [("plain", message.text), ("html", html)] {
            bytes += Array("--\(boundary)\r\n".utf8)
            var part = HeaderWriter()
            Self.writePart(type, text, after: &part)
            bytes += part.bytes
            bytes += QuotedPrintable.encode(text)
            bytes += Self.lineEnd
        }
        bytes += Array("--\(boundary)--\r\n".utf8)
        return bytes
    }

    private static let lineEnd: [UInt8] = [0x0D, 0x0A]

    /// Occurs in no part: in quoted-printable, `=` comes before two digits or a line's end, never before `_` (RFC 2045,
    /// section 6.7).
    private func boundary() -> String {
        let words = [random(), random()].map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        return "=_pathlight_\(words.joined())"
    }

    private static func writePart(_ type: String, _ text: String, after header: inout HeaderWriter) {
        header.structured("Content-Type", ["text/\(type);", "charset=utf-8"])
        header.structured("Content-Transfer-Encoding", ["quoted-printable"])
        header.end()
    }

    private static func write(_ extra: MailMessage.Extra, to header: inout HeaderWriter) {
        switch extra {
        case .inReplyTo(let id): header.structured("In-Reply-To", ["<\(id)>"])
        case .references(let ids): header.structured("References", ids.map { "<\($0)>" })
        case .importance(let importance): header.structured("Importance", [importance.rawValue])
        }
    }

    private static func writeList(_ message: MailMessage, to header: inout HeaderWriter) {
        // RFC 2919.
        if let list = message.list { header.structured("List-Id", ["<\(list).\(message.from.domain)>"]) }
        guard let unsubscribe = message.unsubscribe else { return }
        let links = [unsubscribe.url, unsubscribe.mailtoURL].compactMap { $0.map { "<\($0)>" } }
        header.structured(
            "List-Unsubscribe", links.enumerated().map { $0.offset + 1 < links.count ? $0.element + "," : $0.element })
        header.structured("List-Unsubscribe-Post", ["List-Unsubscribe=One-Click"])
    }

    /// RFC 5322, section 3.3, in UTC: `Sun, 22 Nov 2026 01:00:35 +0000`.
    static func date(_ date: Date) -> String {
        // `2026-11-22T01:00:35.125Z`, of one length whatever the date.
        let text = Array(SQLTime.text(of: date).utf8)
        func digits(_ range: Range<Int>) -> String { String(decoding: text[range], as: UTF8.self) }
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        // Day 0, 1 January 1970, was a Thursday. The text is rounded to the millisecond, and so must the day be.
        let day = ((date.timeIntervalSince1970 * 1_000).rounded() / 86_400_000).rounded(.down)
        let weekday = (Int(exactly: day) ?? 0) % 7
        let month = Int(digits(5..<7)) ?? 1
        return
            "\(days[(weekday + 11) % 7]), \(digits(8..<10)) \(months[month - 1]) \(digits(0..<4)) \(digits(11..<19)) +0000"
    }
}
