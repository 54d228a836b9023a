package import Store

/// What came of mail that was handed over as bounces.
package struct BounceSummary: Sendable, Equatable {
    /// What came of one message, or of one recipient in it.
    package enum Verdict: String, Sendable, CaseIterable {
        /// No report of a mail server.
        case noReport = "no_report"
        /// Of no message that was sent from here to that address.
        case foreign
        /// The address is somebody's: the mailbox is full, a rule refused the message, or it is only late.
        case kept
        /// The address gets no more mail.
        case remembered
        /// It was remembered before.
        case known
    }

    package var messages = 0
    package var counts: [Verdict: Int] = [:]

    package init() {}
}

/// Remembers the addresses that bounces say do not exist.
///
/// Anybody can write a report. One is believed where it names a message that went out (by the Message-ID, which only
/// its recipient and the servers on the way know) and the very address that this message was for; so nobody can have
/// somebody else's mail stopped.
package struct BounceIntake: Sendable {
    private let suppressions: MailSuppressionRepository
    private let log: MailLogRepository

    package init(suppressions: MailSuppressionRepository, log: MailLogRepository) {
        self.suppressions = suppressions
        self.log = log
    }

    /// Takes one message.
    ///
    /// - Throws: `StoreError`; the message can be handed over again.
    package func take(_ message: [UInt8], into summary: inout BounceSummary) async throws {
        let verdicts = try await verdicts(on: message)
        summary.messages += 1
        for verdict in verdicts { summary.counts[verdict, default: 0] += 1 }
    }

    private func verdicts(on message: [UInt8]) async throws -> [BounceSummary.Verdict] {
        guard let report = DeliveryReport(message: message) else { return [.noReport] }
        guard let id = report.messageID else { return [.foreign] }
        let sent = try await log.recipients(ofMessage: id.text)
        guard !sent.isEmpty else { return [.foreign] }
        var verdicts: [BounceSummary.Verdict] = []
        for recipient in report.recipients {
            // A forwarding address is named beside the one that it leads to.
            let ours = recipient.addresses.first { address in
                suppressions.indexes(of: address.canonical).contains { sent.contains($0) }
            }
            guard let ours else {
                verdicts.append(.foreign)
                continue
            }
            guard recipient.isMissingMailbox else {
                verdicts.append(.kept)
                continue
            }
            let isNew = try await suppressions.suppress(
                index: suppressions.index(of: ours.canonical), reason: .bounced, detail: recipient.brief)
            verdicts.append(isNew ? .remembered : .known)
        }
        return verdicts
    }
}
