/// Hands mail over to a server by SMTP.
///
/// On an engine of its own, one mail at a time: curl waits for the last reply inside one call, during which nothing else
/// of that thread goes on.
package final class SMTPTransport: Sendable {
    private static let maximumMessage = 32 << 20

    private let settings: SMTPSettings
    private let url: String
    private let engine: CurlEngine

    /// - Throws: `invalid` for settings that cannot be meant, `connection` where curl does not start.
    package init(_ settings: SMTPSettings) throws(MailTransportError) {
        url = try settings.url()
        self.settings = settings
        do throws(OutboundError) {
            engine = try CurlEngine(maximumTransfers: 256, maximumUnderWay: 1)
        } catch {
            throw MailTransportError(.connection, error.message, mend: error.mend, cause: error)
        }
    }

    package var statistics: OutboundStatistics { engine.statistics }

    /// Ends what is under way with `closed`.
    package func close() { engine.close() }

    /// Sends `message`, header and body with lines that end in CR LF, to the envelope's recipients.
    ///
    /// - Returns: what came of each recipient, also where the server took the mail for none of them.
    /// - Throws: `MailTransportError` where the dialogue ended before that.
    package func send(
        envelope: SMTPEnvelope, message: [UInt8]
    ) async throws(MailTransportError) -> SMTPReceipt {
        try envelope.check()
        try Self.check(message)
        let outcome = await perform(envelope, message)
        if let dialogue = outcome.dialogue, let receipt = SMTPReceipt(envelope, dialogue) { return receipt }
        throw Self.error(outcome, security: settings.security)
    }

    /// Talks to the server as for a mail, TLS, user and password included, and hands none over.
    ///
    /// - Throws: `MailTransportError`
    package func probe() async throws(MailTransportError) {
        let outcome = await perform(SMTPEnvelope(from: "", recipients: []), [])
        guard outcome.failure == nil else { throw Self.error(outcome, security: settings.security) }
    }

    private func perform(_ envelope: SMTPEnvelope, _ message: [UInt8]) async -> TransferOutcome {
        let delivery = SMTPDelivery(
            sender: envelope.from, recipients: envelope.recipients, message: message, security: settings.security,
            user: settings.user, password: settings.password)
        return await engine.perform(
            TransferPlan(
                work: .delivery(delivery), url: url,
                // The operator named the server; without TLS it has to be on this machine.
                addressGuard: AddressGuard(reach: settings.security == .plain ? .loopback : .named),
                deadline: .now + settings.timeout, connectTimeout: min(settings.timeout, .seconds(20)),
                authorities: settings.authorities, proxy: nil, lifeline: SocketLifeline()))
    }

    /// A line that ends in CR or LF alone is read as two lines by some servers and as one by others: behind it a whole
    /// second mail can hide.
    private static func check(_ message: [UInt8]) throws(MailTransportError) {
        guard (1...maximumMessage).contains(message.count) else {
            throw MailTransportError(.invalid, "the mail is empty or larger than \(maximumMessage) bytes")
        }
        var previous: UInt8 = 0
        var isSound = true
        for byte in message {
            let endsLine = byte == UInt8(ascii: "\n")
            if endsLine != (previous == UInt8(ascii: "\r")) || byte == 0 { isSound = false }
            previous = byte
        }
        guard isSound, previous == UInt8(ascii: "\n") else {
            throw MailTransportError(
                .invalid, "the mail has a line that does not end in CR LF, or a NUL",
                mend: "End every line, the last one too, in CR LF.")
        }
    }

    private static func error(_ outcome: TransferOutcome, security: SMTPSettings.Security) -> MailTransportError {
        let cause =
            outcome.failure ?? OutboundError(.protocolViolation, "the mail server's replies do not fit together")
        let mayHave = outcome.dialogue.map(\.mayHaveTaken) ?? [.cancelled, .closed, .timedOut].contains(cause.code)
        switch cause.code {
        case .cancelled:
            return MailTransportError(.cancelled, cause.message, cause: cause, mayHaveBeenSent: mayHave)
        case .closed:
            return MailTransportError(.closed, cause.message, cause: cause, mayHaveBeenSent: mayHave)
        default: break
        }
        if let (step, reply) = outcome.dialogue?.last, reply.isPermanent || reply.isTransient, cause.code != .tls {
            return MailTransportError(
                reply.isPermanent ? .permanent : .transient, "the mail server refused at \(step.rawValue)",
                mend: step == .authentication ? "Look at the mail server's user and password." : nil, reply: reply,
                cause: cause)
        }
        var mend: String?
        // No setting allows another address here, as one does for what is called over HTTP.
        if cause.code == .forbiddenAddress {
            mend =
                security == .plain
                ? "Use mail.smtp.security “starttls” or “tls”: “plain” reaches this machine alone."
                : "Name the mail server's own address in mail.smtp.host."
        }
        return MailTransportError(.connection, cause.message, mend: mend, cause: cause, mayHaveBeenSent: mayHave)
    }
}
