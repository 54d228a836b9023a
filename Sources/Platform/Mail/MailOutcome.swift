/// What became of one attempt to send one message to its recipient.
package enum MailOutcome: Sendable, Equatable {
    /// The server has taken the message on, or it lies in the folder.
    case sent(MailReceipt)
    /// It may go later.
    case deferred(MailFailure)
    /// It will never go as it is.
    case refused(MailFailure)
}

/// Where a message went.
package struct MailReceipt: Sendable, Equatable {
    /// The server, or the file.
    package let place: String
    /// What the server said, where there is one.
    package let answer: String?

    package init(place: String, answer: String? = nil) {
        self.place = place
        self.answer = answer
    }
}

/// Why a message was not sent. Thrown by a task's handler, it makes the queue try again later.
package struct MailFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// The bounded set of causes; raw values serve as metric labels.
    package enum Cause: String, Sendable, CaseIterable {
        /// No connection, no such host, or no answer in time.
        case notReached = "not_reached"
        case tls
        /// The server does not take user and password, or wants them where there are none.
        case authentication
        /// The connection ended before the server had taken the message on.
        case cutOff = "cut_off"
        /// The server has no time, no space or wants to be asked again later.
        case busy
        /// The server does not take mail from this sender.
        case sender
        /// There is no mailbox of that address; it is remembered.
        case noSuchMailbox = "no_such_mailbox"
        /// The server does not take mail for the recipient, for another reason.
        case recipient
        /// The server does not take this message: its size, or what it says.
        case message
        /// The folder cannot be written.
        case folder
        case cancelled
        case other
    }

    package let cause: Cause
    /// The server's reply code (RFC 5321) and status code (RFC 3463), where it gave any.
    package let code: Int?
    package let status: String?
    /// What happened, in one clause, without addresses.
    package let message: String
    /// How to mend it, as an instruction.
    package let mend: String?
    /// The server's own words. They may hold addresses and are for whoever runs a command, not for logs.
    package let serverWords: String?

    package init(
        _ cause: Cause, _ message: String, code: Int? = nil, status: String? = nil, mend: String? = nil,
        serverWords: String? = nil
    ) {
        self.cause = cause
        self.code = code
        self.status = status
        self.message = message
        self.mend = mend
        self.serverWords = serverWords
    }

    /// In so few words as a table holds: `550 5.1.1`, or the cause.
    package var brief: String {
        let codes = [code.map { String($0) }, status].compactMap { $0 }.joined(separator: " ")
        return codes.isEmpty ? cause.rawValue : codes
    }

    /// Whether other messages would fail likewise until somebody mends it.
    package var isOfService: Bool {
        switch cause {
        case .notReached, .tls, .authentication, .cutOff, .sender, .folder: true
        case .busy, .noSuchMailbox, .recipient, .message, .cancelled, .other: false
        }
    }

    package var description: String { mend.map { "\(message). \($0)" } ?? message }
}

/// Sends one message. Whether its recipient wants it was asked before.
package protocol Mailer: Sendable {
    /// Where messages go, for people: a server, or a folder.
    var place: String { get }

    /// Tries once. Never hangs: a deadline ends every attempt.
    func send(_ message: MailMessage) async -> MailOutcome
}
