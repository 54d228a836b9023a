/// From whom and to whom a mail goes, apart from what its header says.
package struct SMTPEnvelope: Sendable, Equatable {
    static let maximumRecipients = 100

    /// Where bounces go; empty for mail that must not bounce.
    package let from: String
    package let recipients: [String]

    package init(from: String, recipients: [String]) {
        self.from = from
        self.recipients = recipients
    }

    /// - Throws: `invalid`. Names the place of an address and not the address itself.
    func check() throws(MailTransportError) {
        guard from.isEmpty || Self.isAddress(from) else {
            throw MailTransportError(.invalid, "the sender of the envelope is no mail address", mend: Self.mend)
        }
        guard (1...Self.maximumRecipients).contains(recipients.count) else {
            throw MailTransportError(
                .invalid, "\(recipients.count) recipients, where 1 to \(Self.maximumRecipients) can be")
        }
        for (place, recipient) in recipients.enumerated() where !Self.isAddress(recipient) {
            throw MailTransportError(.invalid, "recipient \(place + 1) is no mail address", mend: Self.mend)
        }
    }

    private static let mend = "Write it as name@example.org, in ASCII, without spaces, quotes or angle brackets."

    /// A mail address that can stand in a command: the dot-atom form of RFC 5321 in ASCII. Quoted local parts are allowed
    /// there and used by nobody; leaving them out leaves out everything that could end a command.
    package static func isAddress(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count <= 254, let at = bytes.lastIndex(of: UInt8(ascii: "@")) else { return false }
        let local = bytes[..<at]
        let domain = bytes[(at + 1)...]
        return (1...64).contains(local.count) && isDotted(local) { isAlphanumeric($0) || localSigns.contains($0) }
            && isDotted(domain) { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }

    private static let localSigns = Set("!#$%&'*+-/=?^_`{|}~".utf8)

    private static func isDotted(_ bytes: ArraySlice<UInt8>, _ isPart: (UInt8) -> Bool) -> Bool {
        bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .allSatisfy { !$0.isEmpty && $0.allSatisfy(isPart) }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
