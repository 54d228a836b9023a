/// One reply of a mail server: its code and its text, lines joined by spaces.
package struct SMTPReply: Sendable, Equatable {
    package let code: Int
    package let text: String

    package init(code: Int, text: String) {
        self.code = code
        self.text = text
    }

    /// 2xx: what was asked for is done.
    package var isPositive: Bool { (200..<300).contains(code) }
    /// 3xx: the server wants the rest. A yes to the whole it is not.
    package var isIntermediate: Bool { (300..<400).contains(code) }
    /// 4xx: worth another attempt later (RFC 5321, 4.2.1).
    package var isTransient: Bool { (400..<500).contains(code) }
    package var isPermanent: Bool { (500..<600).contains(code) }
}

extension SMTPReply: CustomStringConvertible {
    package var description: String { text.isEmpty ? "\(code)" : "\(code) \(text)" }
}

/// Follows what is said for one mail and keeps which reply answered which command.
///
/// Of commands it keeps none: they hold addresses and, encoded, the password.
package struct SMTPDialogue: Sendable, Equatable {
    package enum Step: String, Sendable {
        case greeting, hello, startTLS = "STARTTLS", authentication, sender, recipient, data, message, quit
    }

    private static let maximumText = 500

    package private(set) var step = Step.greeting
    /// The reply to the last step that had one, other than QUIT.
    package private(set) var last: (step: Step, reply: SMTPReply)?
    /// By the order of the recipients.
    package private(set) var recipients: [SMTPReply?]
    package private(set) var data: SMTPReply?
    /// The reply to the message itself: only with it the mail has been taken over.
    package private(set) var final: SMTPReply?
    private var sentRecipients = 0
    private var isMidCommand = false
    private var text = ""

    package init(recipients: Int = 0) { self.recipients = Array(repeating: nil, count: recipients) }

    package var isQuitting: Bool { step == .quit }

    /// Whether the server may have the mail without having said so.
    package var mayHaveTaken: Bool { data?.isIntermediate == true && final == nil }

    package mutating func sent(_ bytes: some Collection<UInt8>) {
        defer { isMidCommand = Array(bytes.suffix(1)) != [UInt8(ascii: "\n")] }
        guard !isMidCommand else { return }
        let verb = bytes.prefix(8).prefix { $0 > 0x20 }
        switch String(decoding: verb, as: UTF8.self) {
        case "EHLO", "HELO": step = .hello
        case "STARTTLS": step = .startTLS
        case "AUTH": step = .authentication
        case "MAIL": step = .sender
        case "RCPT":
            step = .recipient
            sentRecipients += 1
        case "DATA": step = .data
        case "QUIT": step = .quit
        default: break
        }
        text = ""
    }

    package mutating func received(_ bytes: some Collection<UInt8>) {
        let line = bytes.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
        guard let code = Int(String(decoding: line.prefix(3), as: UTF8.self)), (100..<600).contains(code) else {
            return
        }
        append(line.dropFirst(4))
        // A reply goes on while its lines have a hyphen behind the code.
        if line.dropFirst(3).first == UInt8(ascii: "-") { return }
        take(SMTPReply(code: code, text: text))
        text = ""
    }

    private mutating func take(_ reply: SMTPReply) {
        guard step != .quit else { return }
        last = (step, reply)
        switch step {
        case .recipient where recipients.indices.contains(sentRecipients - 1):
            recipients[sentRecipients - 1] = reply
        case .data:
            data = reply
            if reply.isIntermediate { step = .message }
        case .message: final = final ?? reply
        default: break
        }
    }

    private mutating func append(_ bytes: some Collection<UInt8>) {
        let shown = String(
            decoding: bytes.prefix(Self.maximumText).map { (0x20..<0x7F).contains($0) ? $0 : 0x3F }, as: UTF8.self)
        text = String((text.isEmpty ? shown : text + " " + shown).prefix(Self.maximumText))
    }

    package static func == (first: SMTPDialogue, second: SMTPDialogue) -> Bool {
        first.step == second.step && first.recipients == second.recipients && first.data == second.data
            && first.final == second.final && first.last?.step == second.last?.step
            && first.last?.reply == second.last?.reply
    }
}
