internal import Foundation
package import Store

/// What a task that sends mail does: asks whether the message may go, sends it, remembers what became of it.
///
/// A message with a key is sent once as far as SMTP allows: what has come to an end is not sent again. Only where the
/// process ends between the server's “250” and the record, the message goes twice, with one Message-ID.
package final class MailDispatch: Sendable {
    /// How a message came to its end.
    package enum Delivery: Sendable, Equatable {
        case sent(MailReceipt)
        /// It had come to its end before.
        case done(MailLogRecord.Outcome)
        /// The recipient is to get no such mail.
        case suppressed(MailSuppressionReason)
        case refused(MailFailure)
    }

    private let mailer: any Mailer
    private let suppressions: MailSuppressionRepository
    private let log: MailLogRepository
    private let state = Guarded(MailStatistics())

    package init(mailer: any Mailer, suppressions: MailSuppressionRepository, log: MailLogRepository) {
        self.mailer = mailer
        self.suppressions = suppressions
        self.log = log
    }

    package var statistics: MailStatistics { state.withLock { $0 } }

    /// - Parameter key: the same at every attempt for one message, and of no other: `digest:2026-11-22:<user id>`.
    /// - Throws: `MailFailure` where the message may go later, so that the task queue tries again; `StoreError`.
    package func deliver(_ message: MailMessage, key: String) async throws -> Delivery {
        if let record = try await log.record(of: key) {
            state.withLock { $0.repeated += 1 }
            return .done(record.outcome)
        }
        let address = message.to.canonical
        if let found = try await suppressions.suppression(of: address, list: message.list?.name) {
            try await finish(key, message, .suppressed, detail: found.reason.rawValue)
            state.withLock { $0.suppressed += 1 }
            return .suppressed(found.reason)
        }
        switch await mailer.send(message) {
        case .sent(let receipt):
            state.withLock { statistics in
                statistics.sent += 1
                statistics.degradation = nil
            }
            try await finish(key, message, .sent, detail: nil)
            return .sent(receipt)
        case .deferred(let failure):
            state.withLock { statistics in
                statistics.deferred += 1
                if failure.isOfService { statistics.degradation = failure }
            }
            throw failure
        case .refused(let failure):
            state.withLock { statistics in
                statistics.refused += 1
                // The server is there and answers.
                statistics.degradation = nil
            }
            try await finish(key, message, .refused, detail: failure.brief, isBounce: failure.cause == .noSuchMailbox)
            return .refused(failure)
        }
    }

    /// Written even where the task was cancelled meanwhile: the message is gone, and its record must not be lost.
    private func finish(
        _ key: String, _ message: MailMessage, _ outcome: MailLogRecord.Outcome, detail: String?,
        isBounce: Bool = false
    ) async throws {
        let index = suppressions.index(of: message.to.canonical)
        let id = message.id.text
        try await Task { [suppressions, log] in
            if isBounce { try await suppressions.suppress(index: index, reason: .bounced, detail: detail) }
            try await log.finish(key, messageID: id, addressIndex: index, outcome: outcome, detail: detail)
        }.value
    }
}

/// What a dispatch has done since the start.
package struct MailStatistics: Sendable, Equatable {
    package internal(set) var sent = 0
    /// Attempts that failed and come again.
    package internal(set) var deferred = 0
    package internal(set) var refused = 0
    package internal(set) var suppressed = 0
    /// Messages that came again after their end.
    package internal(set) var repeated = 0
    /// Why mail waits, until a message goes again; nil where it does not wait.
    package internal(set) var degradation: MailFailure?

    package init() {}
}
