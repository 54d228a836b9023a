/// Mail that people can be taken off: `digest`, `reminders`. The name stands in tokens, in the store and in List-Id.
package struct MailList: Sendable, Hashable, CustomStringConvertible {
    package static let maximumBytes = 32

    package let name: String

    /// - Throws: `MailError` (`invalidList`) for what is not 1 to 32 lower-case letters, digits and inner hyphens.
    package init(_ name: String) throws(MailError) {
        let isName =
            (1...Self.maximumBytes).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x61...0x7A, 0x30...0x39, UInt8(ascii: "-"): true
                default: false
                }
            } && !name.hasPrefix("-") && !name.hasSuffix("-")
        guard isName else {
            throw MailError(
                .invalidList,
                "the name of a mailing list is 1 to \(Self.maximumBytes) lower-case letters, digits and inner hyphens")
        }
        self.name = name
    }

    package var description: String { name }
}

/// How somebody leaves a list without writing to anybody: RFC 2369's header, RFC 8058's one click.
package struct ListUnsubscribe: Sendable, Hashable {
    /// The link must stand on one line of 998 bytes.
    package static let maximumBytes = 900

    /// https: RFC 8058 allows nothing else.
    package let url: String
    /// Beside the link, for mail programs that know the older way alone.
    package let mailto: MailAddress?

    /// - Throws: `MailError` (`invalidLink`)
    package init(url: String, mailto: MailAddress? = nil) throws(MailError) {
        let isLink =
            url.hasPrefix("https://") && url.utf8.count > "https://".utf8.count && url.utf8.count <= Self.maximumBytes
            && url.utf8.allSatisfy { (0x21...0x7E).contains($0) && !Self.delimiters.contains($0) }
        guard isLink else {
            throw MailError(
                .invalidLink,
                "a link to unsubscribe must be https and of visible ASCII, with anything else percent-encoded")
        }
        self.url = url
        self.mailto = mailto
    }

    /// What the header's own syntax uses, and what no URL has unencoded (RFC 3986).
    private static let delimiters = Set("<>,\"\\^`{|} ".utf8)

    /// The `mailto:` link; of what a local part may hold, what means something in a URL is percent-encoded (RFC 6068).
    var mailtoURL: String? {
        mailto.map { address in
            var text = "mailto:"
            for byte in address.addressSpec.utf8 {
                let isPlain = "%?&#/{}|^`+=".utf8.contains(byte) == false
                text += isPlain ? String(UnicodeScalar(byte)) : "%" + Hexadecimal.text(of: [byte]).uppercased()
            }
            return text + "?subject=unsubscribe"
        }
    }
}
