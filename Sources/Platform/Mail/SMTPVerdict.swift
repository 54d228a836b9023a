/// What a mail server's refusal means for a message (RFC 5321, section 4.2; RFC 3463).
package enum SMTPVerdict {
    /// How far a dialogue had come.
    package enum Stage: String, Sendable, CaseIterable {
        /// Before the recipient: the greeting, EHLO, STARTTLS, AUTH, MAIL.
        case opening
        case recipient
        /// DATA and the message itself.
        case message
    }

    /// RFC 4954: what the server wants in the way of user and password is not what it got.
    private static let authentication: Set<Int> = [530, 534, 535, 538]

    /// - Parameter reply: of a code from 400 on.
    package static func outcome(_ stage: Stage, _ reply: SMTPReply) -> MailOutcome {
        let code = reply.code
        let status = status(in: reply.text, of: code)
        let codes = status.map { "\(code) \($0)" } ?? "\(code)"
        func failure(_ cause: MailFailure.Cause, _ message: String, mend: String? = nil) -> MailFailure {
            MailFailure(
                cause, "\(message) (\(codes))", code: code, status: status, mend: mend, serverWords: reply.text)
        }
        if authentication.contains(code) {
            return .deferred(
                failure(
                    .authentication, "the mail server does not let this service in",
                    mend: "Check mail.smtp.user and what mail.smtp.password_file holds"))
        }
        guard code >= 500 else {
            return .deferred(failure(.busy, "the mail server wants to be asked again later"))
        }
        switch stage {
        case .opening:
            if code == 552 || status?.hasPrefix("5.3.4") == true {
                return .refused(failure(.message, "the message is larger than the mail server takes"))
            }
            // Of no fault of the message's: it waits until somebody has mended it.
            return .deferred(
                failure(
                    .sender, "the mail server takes no mail from this service or from the sender's address",
                    mend: "Set mail.from to an address that the server sends for, and see whether it wants a user"))
        case .recipient:
            guard isMissingMailbox(code, status) else {
                return .refused(failure(.recipient, "the mail server does not take mail for the recipient"))
            }
            return .refused(failure(.noSuchMailbox, "the recipient's mailbox does not exist"))
        case .message:
            return .refused(failure(.message, "the mail server does not take the message"))
        }
    }

    /// Whether a refusal of the recipient says that nobody has that address. A status says it better than the code,
    /// which servers also give for a full mailbox or a policy: then the address is not at fault.
    package static func isMissingMailbox(_ code: Int, _ status: String?) -> Bool {
        guard code >= 500 else { return false }
        let ofCode = [550, 551, 553].contains(code)
        guard let parts = status?.split(separator: ".").compactMap({ Int($0) }), parts.count == 3 else { return ofCode }
        switch (parts[1], parts[2]) {
        case (0, _): return ofCode
        // X.1.7 and X.1.8 find fault with the sender, X.1.9 with a server in between.
        case (1, 7), (1, 8), (1, 9): return false
        case (1, _): return true
        // “Mailbox disabled, not accepting messages.”
        case (2, 1): return true
        default: return false
        }
    }

    /// RFC 3463's status at the start of a reply's text: `5.1.1`. Its class is that of the code.
    package static func status(in words: String, of code: Int) -> String? {
        let first = words.prefix { $0 != " " }
        let parts = first.split(separator: ".", omittingEmptySubsequences: false)
        let isStatus =
            parts.count == 3
            && parts.allSatisfy { part in
                (1...3).contains(part.utf8.count) && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
            } && Int(parts[0]) == code / 100
        return isStatus ? String(first) : nil
    }
}
