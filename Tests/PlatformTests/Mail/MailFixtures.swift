import Foundation
import Platform
import Store
import Synchronization
import TestSupport

/// Messages for tests.
enum MailFixture {
    static let moment = Date(timeIntervalSince1970: 1_795_309_235.4)

    static func address(_ text: String = "ada@example.org") throws -> MailAddress { try MailAddress(parsing: text) }

    static func message(
        from: String = "Pathlight <mail@careers.example.org>", to: String = "Ada <ada@example.org>",
        subject: String = "Your digest", text: String = "Hello", html: String? = nil, key: String = "k",
        list: MailList? = nil, unsubscribe: ListUnsubscribe? = nil, extras: [MailMessage.Extra] = []
    ) throws -> MailMessage {
        let from = try address(from)
        return try MailMessage(
            from: from, to: try address(to), subject: HeaderText(subject), text: text, html: html,
            id: MailMessageID(key: key, sender: from), date: moment, list: list, unsubscribe: unsubscribe,
            extras: extras)
    }
}

/// A mailer that answers as told and keeps what it was given.
final class ScriptedMailer: Mailer {
    let place = "the script"
    private let state: Mutex<(outcomes: [MailOutcome], sent: [MailMessage])>

    init(_ outcomes: [MailOutcome]) { state = Mutex((outcomes, [])) }

    var sent: [MailMessage] { state.withLock { $0.sent } }

    func send(_ message: MailMessage) async -> MailOutcome {
        state.withLock { state in
            state.sent.append(message)
            return state.outcomes.isEmpty ? .sent(MailReceipt(place: place)) : state.outcomes.removeFirst()
        }
    }
}

/// A mail server that answers as told.
struct ScriptedTransport: MailTransport {
    let answer: @Sendable (SMTPEnvelope, [UInt8]) throws(MailTransportError) -> SMTPReceipt

    func send(envelope: SMTPEnvelope, message: [UInt8]) async throws(MailTransportError) -> SMTPReceipt {
        try answer(envelope, message)
    }
}

/// Text of every kind that mail has to bring over.
struct RandomText {
    private static let pools: [[ClosedRange<UInt32>]] = [
        [0x20...0x7E], [0x61...0x7A], [0x00...0x1F, 0x7F...0x9F], [0x0A...0x0A, 0x0D...0x0D],
        [0x5D0...0x5EA, 0x627...0x64A, 0x200F...0x200F], [0x1F300...0x1F64F, 0x200D...0x200D, 0xFE0F...0xFE0F],
        [0x4E00...0x9FFF], [0x300...0x36F, 0x41...0x5A], [0x20...0x20, 0x09...0x09],
        [0x2028...0x2029, 0xFFFD...0xFFFF],
        [0x2E...0x2E, 0x46...0x46, 0x3D...0x3D, 0x2D...0x2D, 0x0A...0x0A], [0x10FFFF...0x10FFFF, 0xE000...0xE010],
    ]

    static func text(
        length: Int, using generator: inout SeededGenerator, allowing isAllowed: (UInt32) -> Bool = { _ in true }
    ) -> String {
        var text = String.UnicodeScalarView()
        var pool = pools[0]
        while text.count < length {
            if Int.random(in: 0..<12, using: &generator) == 0, let next = pools.randomElement(using: &generator) {
                pool = next
            }
            guard let range = pool.randomElement(using: &generator) else { continue }
            let value = UInt32.random(in: range, using: &generator)
            guard isAllowed(value), let scalar = Unicode.Scalar(value) else {
                pool = pools[0]
                continue
            }
            text.append(scalar)
        }
        return String(text)
    }

    /// What may stand in a header.
    static func isOfHeader(_ value: UInt32) -> Bool {
        value >= 0x20 && !(0x7F...0x9F).contains(value) && value != 0x2028 && value != 0x2029
    }
}
