/// What the server said of each recipient of a mail.
package struct SMTPReceipt: Sendable, Equatable {
    package enum Result: Sendable, Equatable {
        /// The server has taken the mail over for this recipient.
        case accepted(SMTPReply)
        /// Worth another attempt later.
        case deferred(SMTPReply)
        /// Will not work: the address is to be remembered.
        case refused(SMTPReply)

        init(_ reply: SMTPReply) {
            if reply.isPositive {
                self = .accepted(reply)
            } else if reply.isPermanent {
                self = .refused(reply)
            } else {
                self = .deferred(reply)
            }
        }
    }

    package struct Entry: Sendable, Equatable {
        package let address: String
        package let result: Result
        /// Whether the reply was to the message: the server had taken the recipient before.
        package let isOfMessage: Bool

        package init(address: String, result: Result, isOfMessage: Bool = false) {
            self.address = address
            self.result = result
            self.isOfMessage = isOfMessage
        }
    }

    /// In the order of the envelope.
    package let recipients: [Entry]

    package init(recipients: [Entry]) { self.recipients = recipients }

    /// What came of each recipient, or nil where the dialogue ended before that was known.
    ///
    /// Whom the server accepted by RCPT has the fate of the message after it.
    package init?(_ envelope: SMTPEnvelope, _ dialogue: SMTPDialogue) {
        guard dialogue.recipients.count == envelope.recipients.count else { return nil }
        // DATA is answered by the wish for the message or by a refusal; anything else is no word about it.
        let fate = dialogue.final ?? dialogue.data.flatMap { $0.isTransient || $0.isPermanent ? $0 : nil }
        var entries: [Entry] = []
        for (address, reply) in zip(envelope.recipients, dialogue.recipients) {
            guard let reply else { return nil }
            guard reply.isPositive else {
                entries.append(Entry(address: address, result: Result(reply)))
                continue
            }
            guard let fate else { return nil }
            entries.append(Entry(address: address, result: Result(fate), isOfMessage: true))
        }
        recipients = entries
    }
}

/// Why a mail was not handed over to anybody.
package struct MailTransportError: Error, Sendable, Equatable {
    package enum Code: String, Sendable, CaseIterable {
        /// The envelope, message or settings cannot be sent as they are.
        case invalid
        /// The server refused for good (5xx), before it came to recipients.
        case permanent
        /// The server refused for now (4xx).
        case transient
        /// No connection, no TLS, no time, or no end: `cause` says which.
        case connection
        case cancelled
        case closed
    }

    package let code: Code
    package let message: String
    package let mend: String?
    /// The server's words, where it had any.
    package let reply: SMTPReply?
    package let cause: OutboundError?
    /// Whether the server may have the mail all the same: the end was not heard. Another attempt may be a second mail.
    package let mayHaveBeenSent: Bool

    package init(
        _ code: Code, _ message: String, mend: String? = nil, reply: SMTPReply? = nil, cause: OutboundError? = nil,
        mayHaveBeenSent: Bool = false
    ) {
        self.code = code
        self.message = message
        self.mend = mend
        self.reply = reply
        self.cause = cause
        self.mayHaveBeenSent = mayHaveBeenSent
    }

    /// Whether the same mail may be taken later without anybody mending anything.
    package var isTransient: Bool {
        switch code {
        case .transient: true
        case .connection: cause?.isTransient ?? true
        case .invalid, .permanent, .cancelled, .closed: false
        }
    }
}

extension MailTransportError: CustomStringConvertible {
    package var description: String {
        var text = message
        if let reply { text += " (\(reply))" }
        if let mend = mend ?? cause?.mend { text += ". \(mend)" }
        return text
    }
}
