/// Why a message, an address or a link for mail cannot be used. Addresses are personal and never stand in the message.
package struct MailError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The bounded set of reasons; raw values serve as metric labels.
    package enum Code: String, Sendable, CaseIterable {
        case invalidAddress = "invalid_address"
        /// A header's text with control characters, or one that is too long.
        case invalidHeader = "invalid_header"
        case invalidMessageID = "invalid_message_id"
        case invalidList = "invalid_list"
        /// A link for `List-Unsubscribe` that is not https.
        case invalidLink = "invalid_link"
        /// More text than a message may have.
        case tooLarge = "too_large"
        /// Settings that do not fit together, or a password file that cannot be used.
        case invalidSettings = "invalid_settings"
    }

    package let code: Code
    /// What is wrong and how to mend it, in a sentence without its full stop.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
