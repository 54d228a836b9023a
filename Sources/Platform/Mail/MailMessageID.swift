internal import Crypto

/// What a message is known by: `left@right`, without its angle brackets.
package struct MailMessageID: Sendable, Hashable, CustomStringConvertible {
    package let text: String

    /// The same for the same key, so that a message that is sent twice after a crash is one to whoever sorts out
    /// doubles by Message-ID, as large mailboxes do.
    ///
    /// - Parameters:
    ///   - key: what the sender knows the message by; it is hashed and cannot be read from the id.
    ///   - address: whose domain vouches for the id: the sender's.
    package init(key: String, sender address: MailAddress) {
        let digest = SHA256.hash(data: Array("pathlight message \(key)".utf8))
        text = "\(Hexadecimal.text(of: digest.prefix(16)))@\(address.domain)"
    }

    /// One that stands in a message of somebody else's, for `In-Reply-To`.
    ///
    /// - Throws: `MailError` (`invalidMessageID`)
    package init(_ text: String) throws(MailError) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let isID =
            parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && text.utf8.count <= 250
            && text.utf8.allSatisfy { byte in
                (0x21...0x7E).contains(byte) && !Self.delimiters.contains(byte)
            }
        guard isID else {
            throw MailError(.invalidMessageID, "a message id is two parts of visible ASCII joined by “@”")
        }
        self.text = text
    }

    package var description: String { text }

    private static let delimiters = Set("<>()[]\\,;:\"".utf8)
}
