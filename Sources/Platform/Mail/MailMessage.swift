package import Foundation

/// One message to one person, checked: what can be made can be sent.
///
/// One recipient a message, since the link to unsubscribe is a person's own, nobody sees who else got it, and its
/// outcome is one.
package struct MailMessage: Sendable {
    /// RFC 3834: what a program sent by itself says so, and no out-of-office reply comes back.
    package enum Automation: String, Sendable {
        case generated = "auto-generated"
        case replied = "auto-replied"
    }

    /// Of mail to many, for those programs that look at nothing newer.
    package enum Precedence: String, Sendable {
        case bulk, list
    }

    /// The only further headers that there are.
    package enum Extra: Sendable, Hashable {
        case inReplyTo(MailMessageID)
        case references([MailMessageID])
        case importance(Importance)

        package enum Importance: String, Sendable { case high, normal, low }
    }

    /// Of both texts together; in the worst case three times as much is sent.
    package static let maximumBytes = 8 << 20
    static let maximumReferences = 20

    package let from: MailAddress
    package let to: MailAddress
    package let replyTo: MailAddress?
    package let subject: HeaderText
    /// Lines end with U+000A alone.
    package let text: String
    package let html: String?
    package let id: MailMessageID
    package let date: Date
    /// The list that the message belongs to; nil for what somebody asked for themselves, as a link to sign in.
    package let list: MailList?
    package let unsubscribe: ListUnsubscribe?
    package let automation: Automation?
    package let precedence: Precedence?
    package let extras: [Extra]

    /// - Parameters:
    ///   - text: lines may end with LF, CR LF or CR. Every message has one: not every reader shows HTML.
    ///   - html: a whole document.
    ///   - unsubscribe: goes with a list.
    /// - Throws: `MailError` (`tooLarge`, `invalidHeader`)
    package init(
        from: MailAddress, to: MailAddress, replyTo: MailAddress? = nil, subject: HeaderText, text: String,
        html: String? = nil, id: MailMessageID, date: Date, list: MailList? = nil,
        unsubscribe: ListUnsubscribe? = nil, automation: Automation? = .generated, precedence: Precedence? = nil,
        extras: [Extra] = []
    ) throws(MailError) {
        let bytes = text.utf8.count + (html?.utf8.count ?? 0)
        guard bytes <= Self.maximumBytes else {
            throw MailError(.tooLarge, "the message has \(bytes) bytes of text and may have \(Self.maximumBytes)")
        }
        var kinds: Set<Int> = []
        for extra in extras {
            guard kinds.insert(extra.kind).inserted else {
                throw MailError(.invalidHeader, "the message has the same further header twice")
            }
            if case .references(let ids) = extra, !(1...Self.maximumReferences).contains(ids.count) {
                throw MailError(
                    .invalidHeader, "a message refers to 1 to \(Self.maximumReferences) others, not \(ids.count)")
            }
        }
        self.from = from
        self.to = to
        self.replyTo = replyTo
        self.subject = subject
        self.text = Self.withPlainLineEnds(text)
        self.html = html.map(Self.withPlainLineEnds)
        self.id = id
        self.date = date
        self.list = list
        self.unsubscribe = unsubscribe
        self.automation = automation
        self.precedence = precedence
        self.extras = extras
    }

    /// Mail has one line end, CR LF; a CR or LF that stood for something else would not survive.
    private static func withPlainLineEnds(_ text: String) -> String {
        guard text.utf8.contains(0x0D) else { return text }
        var plain: [UInt8] = []
        plain.reserveCapacity(text.utf8.count)
        var isAfterReturn = false
        for byte in text.utf8 {
            if byte == 0x0D {
                plain.append(0x0A)
            } else if byte != 0x0A || !isAfterReturn {
                plain.append(byte)
            }
            isAfterReturn = byte == 0x0D
        }
        return String(decoding: plain, as: UTF8.self)
    }
}

extension MailMessage.Extra {
    fileprivate var kind: Int {
        switch self {
        case .inReplyTo: 0
        case .references: 1
        case .importance: 2
        }
    }
}

/// What is printed of a message tells it apart and holds none of what it says.
extension MailMessage: CustomStringConvertible, CustomReflectable {
    package var description: String { "message \(id) to \(to)" }
    package var customMirror: Mirror { Mirror(self, children: [("id", id.text), ("to", to.description)]) }
}
