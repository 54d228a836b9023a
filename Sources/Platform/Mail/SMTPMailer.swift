/// Hands bytes to a mail server.
package protocol MailTransport: Sendable {
    func send(envelope: SMTPEnvelope, message: [UInt8]) async throws(MailTransportError) -> SMTPReceipt
}

extension SMTPTransport: MailTransport {}

/// Sends each message by SMTP.
package struct SMTPMailer: Mailer {
    package let place: String
    private let transport: any MailTransport
    private let encoder: MIMEEncoder

    /// - Parameter server: for people: `mail.example.org:587`.
    package init(_ transport: any MailTransport, server: String, encoder: MIMEEncoder = MIMEEncoder()) {
        self.transport = transport
        self.encoder = encoder
        place = "the mail server \(server)"
    }

    package func send(_ message: MailMessage) async -> MailOutcome {
        let bytes = await MailWork.run { encoder.encode(message) }
        let envelope = SMTPEnvelope(from: message.from.addressSpec, recipients: [message.to.addressSpec])
        do throws(MailTransportError) {
            guard let entry = try await transport.send(envelope: envelope, message: bytes).recipients.first else {
                return .deferred(MailFailure(.cutOff, "the mail server said nothing of the recipient"))
            }
            switch entry.result {
            case .accepted(let reply): return .sent(MailReceipt(place: place, answer: reply.description))
            case .deferred(let reply), .refused(let reply):
                return SMTPVerdict.outcome(entry.isOfMessage ? .message : .recipient, reply)
            }
        } catch {
            return Self.outcome(of: error)
        }
    }

    /// What a dialogue that did not come to the recipient means for the message.
    package static func outcome(of error: MailTransportError) -> MailOutcome {
        if let reply = error.reply, error.code == .permanent || error.code == .transient {
            return SMTPVerdict.outcome(.opening, reply)
        }
        let cause: MailFailure.Cause =
            switch error.cause?.code {
            case .notResolved, .notConnected, .timedOut, .forbiddenAddress: .notReached
            case .tls: .tls
            case .cutOff, .protocolViolation: .cutOff
            case .overloaded: .busy
            default: error.code == .cancelled || error.code == .closed ? .cancelled : .other
            }
        let end = error.mayHaveBeenSent ? "; the message may have been taken on all the same" : ""
        let failure = MailFailure(cause, error.message + end, mend: error.mend ?? error.cause?.mend)
        // What cannot be sent as it is cannot be sent later either.
        return error.code == .invalid ? .refused(failure) : .deferred(failure)
    }
}
