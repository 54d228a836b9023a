package import Foundation
internal import Store

/// Sends the messages that `AccountMail` queues.
///
/// A message may be tried several times, and each attempt makes a link of its own: the one of an attempt that seemed to
/// fail may have arrived all the same. Once one of them is used, the others hold no longer.
package struct AccountMailHandler: TaskHandler {
    /// How a task ended, for its result.
    enum Outcome: String {
        case sent
        /// Nobody has the address, or the account is disabled or needs no such message.
        case nobody
        /// The address refused mail before, for good.
        case suppressed
        /// The mail server refused this message for good.
        case refused
    }

    private let mail: AccountMail
    private let identity: Identity
    private let dispatch: MailDispatch
    private let from: MailAddress
    private let clock: @Sendable () -> Date

    package init(
        _ mail: AccountMail, identity: Identity, dispatch: MailDispatch, from: MailAddress,
        clock: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.mail = mail
        self.identity = identity
        self.dispatch = dispatch
        self.from = from
        self.clock = clock
    }

    package var kind: String { AccountMail.taskKind }

    package func perform(_ context: TaskContext) async throws -> TaskOutcome {
        let wanted = try context.decode(AccountMail.Wanted.self)
        guard mail.isOn else {
            throw PermanentTaskFailure(
                "mail about accounts is not set up any more: set `mail.smtp.host` or `mail.folder`, and `public_url`, "
                    + "and try the task again")
        }
        // Only so long as the service has begun its work and not got its port yet.
        guard let base = mail.address.base else { return .postponed(until: clock().addingTimeInterval(1)) }
        guard let user = try await identity.users.user(emailIndex: wanted.addressIndex),
            let to = MailRecipients.address(of: user, for: wanted.message.reason),
            wanted.message != .addressVerification || !user.isEmailVerified
        else { return Self.done(.nobody) }
        let secret = try await wanted.message.linkPurpose.asyncMap { try await identity.makeLink($0, for: user.id) }
        let key = "account:\(context.id)"
        let message: MailMessage
        do throws(MailError) {
            message = try AccountMessage(kind: wanted.message, base: base, secret: secret)
                .message(from: from, to: to, key: key, date: clock())
        } catch {
            throw PermanentTaskFailure(error.message)
        }
        switch try await dispatch.deliver(message, key: key) {
        case .sent, .done(.sent): return Self.done(.sent)
        case .suppressed, .done(.suppressed): return Self.done(.suppressed)
        case .refused, .done(.refused): return Self.done(.refused)
        }
    }

    private static func done(_ outcome: Outcome) -> TaskOutcome {
        .done(result: #"{"outcome":"\#(outcome.rawValue)"}"#)
    }
}

extension Optional {
    /// `map` for what has to be waited for.
    fileprivate func asyncMap<Result>(_ transform: (Wrapped) async throws -> Result) async rethrows -> Result? {
        guard let self else { return nil }
        return try await transform(self)
    }
}
