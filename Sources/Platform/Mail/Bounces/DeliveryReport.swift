internal import Foundation

/// What a mail server says of a message that it could not deliver, or not yet (RFC 3464): which message, and what became
/// of it for each recipient.
package struct DeliveryReport: Sendable, Equatable {
    package struct Recipient: Sendable, Equatable {
        /// Whom the message was sent to, where the report says so, and who the server says it was for in the end.
        package let addresses: [MailAddress]
        /// `failed`, `delayed`, `delivered`, `relayed` or `expanded`.
        package let action: String
        /// RFC 3463: `5.1.1`.
        package let status: String?
        /// Of the server that refused, where it was asked by SMTP.
        package let code: Int?

        /// Whether it says that nobody has that address. What is full, refused by a rule or late is somebody's.
        package var isMissingMailbox: Bool {
            guard action == "failed" else { return false }
            // Without a code the status speaks alone: 554 stands for no mailbox that is missing.
            return SMTPVerdict.isMissingMailbox(code ?? (status?.hasPrefix("5.") == true ? 554 : 0), status)
        }

        /// In so few words as a table holds: `550 5.1.1`.
        package var brief: String {
            let codes = [code.map { String($0) }, status].compactMap { $0 }.joined(separator: " ")
            return codes.isEmpty ? action : codes
        }
    }

    private static let maximumDepth = 4
    private static let maximumBlocks = 200
    private static let maximumRecipients = 100
    private static let returned: Set<String> = [
        "message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global", "message/global-headers",
    ]

    /// Of the message that the report is about, from what it returns of it; nil where that says nothing.
    package let messageID: MailMessageID?
    package let recipients: [Recipient]

    /// Reads a message; nil for one that is no report, or says nothing of any recipient.
    ///
    /// - Complexity: O(bytes).
    package init?(message: [UInt8]) {
        guard let parts = Self.report(in: MailPart(message[...]), depth: 0) else { return nil }
        var recipients: [Recipient] = []
        var id: MailMessageID?
        for part in parts {
            let type = part.type
            if type == "message/delivery-status" || type == "message/global-delivery-status" {
                recipients += Self.recipients(part.decodedBody)
            } else if Self.returned.contains(type), id == nil {
                id = Self.messageID(in: part.decodedBody)
            }
        }
        guard !recipients.isEmpty else { return nil }
        messageID = id
        self.recipients = Array(recipients.prefix(Self.maximumRecipients))
    }

    /// The parts of the report. A gateway may have put it into a part of something else; what a message returns or
    /// forwards (message/rfc822) is not looked into.
    private static func report(in part: MailPart, depth: Int) -> [MailPart]? {
        guard depth < maximumDepth else { return nil }
        let parts = part.parts
        if part.type == "multipart/report" { return parts }
        for inner in parts {
            if let found = report(in: inner, depth: depth + 1) { return found }
        }
        return nil
    }

    private static func messageID(in header: [UInt8]) -> MailMessageID? {
        let fields = MailPart(header[...]).header
        guard let text = fields["message-id"], let open = text.firstIndex(of: "<") else { return nil }
        return try? MailMessageID(String(text[text.index(after: open)...].prefix { $0 != ">" }))
    }

    /// Blocks of fields: first what is said of the message, then one for each recipient.
    private static func recipients(_ body: [UInt8]) -> [Recipient] {
        var lines = MailLines(body[...])
        var recipients: [Recipient] = []
        for _ in 0..<maximumBlocks where !lines.rest.isEmpty {
            let fields = MailFields(&lines)
            guard let action = fields["action"], fields["final-recipient"] ?? fields["original-recipient"] != nil else {
                continue
            }
            let addresses = ["original-recipient", "final-recipient"].compactMap { fields[$0].flatMap(address) }
            guard !addresses.isEmpty else { continue }
            let (code, words) = diagnosis(fields["diagnostic-code"] ?? "")
            recipients.append(
                Recipient(
                    addresses: addresses, action: String(action.lowercased().prefix { $0.isLetter }),
                    status: status(fields["status"], code, words), code: code))
        }
        return recipients
    }

    /// `rfc822; ada@example.org`.
    private static func address(_ text: String) -> MailAddress? {
        let parts = text.split(separator: ";", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2,
            ["rfc822", "utf-8"].contains(parts[0].trimmingCharacters(in: .whitespaces).lowercased())
        else { return nil }
        var address = parts[1].trimmingCharacters(in: .whitespaces)
        if address.hasPrefix("<"), address.hasSuffix(">") { address = String(address.dropFirst().dropLast()) }
        return try? MailAddress(address)
    }

    /// `smtp; 550 5.1.1 <ada@example.org>… User unknown`, where a hyphen may stand behind the code.
    private static func diagnosis(_ text: String) -> (code: Int?, words: String) {
        let parts = text.split(separator: ";", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces).lowercased() == "smtp" else {
            return (nil, "")
        }
        let reply = parts[1].trimmingCharacters(in: .whitespaces)
        guard reply.prefix(4).count == 3 || [" ", "-"].contains(reply.dropFirst(3).prefix(1)),
            let code = Int(reply.prefix(3)), (200..<600).contains(code)
        else { return (nil, "") }
        return (code, String(reply.dropFirst(4)))
    }

    /// The field's, or where that says no more than that it is for good (`5.0.0`), the one that the server began its words
    /// with.
    private static func status(_ field: String?, _ code: Int?, _ words: String) -> String? {
        let own = field.flatMap { text in
            text.first.flatMap { Int(String($0)) }.flatMap { SMTPVerdict.status(in: text, of: $0 * 100) }
        }
        let said = code.flatMap { SMTPVerdict.status(in: words, of: $0) }
        guard let own else { return said }
        return own.hasPrefix("5.0.") ? said ?? own : own
    }
}
