/// Somebody's address with or without a name: what stands in From, To and Reply-To, and in the envelope.
///
/// The address is RFC 5321's in its plain form, `local@domain` of ASCII: no quoted local part, no address literal, no
/// comment. What a mail server could read otherwise than this type is refused.
package struct MailAddress: Sendable, Hashable {
    /// RFC 5321, section 4.5.3.1; the whole is a path of 256 bytes less its angle brackets.
    package static let maximumLocalBytes = 64
    package static let maximumBytes = 254
    private static let maximumDomainBytes = 253
    private static let maximumLabelBytes = 63

    /// As it was written, except for the domain in lower case.
    package let local: String
    package let domain: String
    package let name: HeaderText?

    /// - Parameters:
    ///   - address: `local@domain`, nothing around it.
    ///   - name: shown beside the address; an empty one is none.
    /// - Throws: `MailError` (`invalidAddress`, `invalidHeader`)
    package init(_ address: String, name: String? = nil) throws(MailError) {
        guard address.utf8.count <= Self.maximumBytes else {
            throw Self.objection("has \(address.utf8.count) bytes; it may have \(Self.maximumBytes)")
        }
        let bytes = Array(address.utf8)
        guard let at = bytes.lastIndex(of: UInt8(ascii: "@")) else {
            throw Self.objection("has no “@”; write it as name@example.org")
        }
        try Self.checkLocal(bytes[..<at])
        try Self.checkDomain(bytes[(at + 1)...])
        local = String(decoding: bytes[..<at], as: UTF8.self)
        domain = String(decoding: bytes[(at + 1)...], as: UTF8.self).lowercased()
        if let name, !name.isEmpty { self.name = try HeaderText(name) } else { self.name = nil }
    }

    /// An address as people write it in settings: `name@example.org` or `Name <name@example.org>`.
    ///
    /// - Throws: `MailError` (`invalidAddress`, `invalidHeader`)
    package init(parsing text: String) throws(MailError) {
        guard text.utf8.last == UInt8(ascii: ">"), let open = text.lastIndex(of: "<") else {
            try self.init(text)
            return
        }
        var name = text[..<open]
        while name.utf8.last == UInt8(ascii: " ") { name.removeLast() }
        if name.utf8.count >= 2, name.utf8.first == UInt8(ascii: "\""), name.utf8.last == UInt8(ascii: "\"") {
            name = name.dropFirst().dropLast()
        }
        try self.init(String(text[text.index(after: open)...].dropLast()), name: String(name))
    }

    /// `local@domain`, as the envelope and the headers have it.
    package var addressSpec: String { "\(local)@\(domain)" }

    /// What two spellings of one mailbox have in common: RFC 5321 leaves the local part's case to its server, and no
    /// server in use tells `Ada` from `ada`.
    package var canonical: String { addressSpec.lowercased() }

    // MARK: Syntax

    private static func checkLocal(_ local: ArraySlice<UInt8>) throws(MailError) {
        guard !local.isEmpty else { throw objection("has nothing before its “@”") }
        guard local.count <= maximumLocalBytes else {
            throw objection("has \(local.count) bytes before its “@”; there may be \(maximumLocalBytes)")
        }
        guard local.allSatisfy({ $0 < 0x80 }) else {
            // RFC 6531 would need every server on the way to take part.
            throw objection("has letters outside ASCII before its “@”, which not every mail server takes")
        }
        // RFC 5322's dot-atom.
        guard local.allSatisfy({ isAtomText($0) || $0 == UInt8(ascii: ".") }) else {
            throw objection("has a character before its “@” that only a quoted address could have")
        }
        let parts = local.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty }) else {
            throw objection("has a dot at the edge of the part before its “@”, or two in a row")
        }
    }

    private static func checkDomain(_ domain: ArraySlice<UInt8>) throws(MailError) {
        guard domain.allSatisfy({ $0 < 0x80 }) else {
            throw objection("has a domain outside ASCII; write the domain in its ASCII form, which begins with “xn--”")
        }
        guard !domain.isEmpty, domain.count <= maximumDomainBytes else {
            throw objection("needs a domain of 1 to \(maximumDomainBytes) bytes after its “@”")
        }
        let labels = domain.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        for label in labels {
            let isLabel =
                (1...maximumLabelBytes).contains(label.count)
                && label.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
                && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
            guard isLabel else {
                throw objection(
                    "has a domain that is not made of letters, digits and inner hyphens between single dots")
            }
        }
        // What looks like an address of the network is none: RFC 5321 writes that as [192.0.2.1].
        guard labels.last?.contains(where: { !(0x30...0x39).contains($0) }) == true else {
            throw objection("has a number in the place of a domain")
        }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }

    private static let atomSpecials = Set("!#$%&'*+-/=?^_`{|}~".utf8)

    private static func isAtomText(_ byte: UInt8) -> Bool { isLetterOrDigit(byte) || atomSpecials.contains(byte) }

    private static func objection(_ problem: String) -> MailError {
        MailError(.invalidAddress, "the mail address \(problem)")
    }
}

/// An address is personal: what is printed of it tells apart and gives nothing away.
extension MailAddress: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "\(local.prefix(1))…@\(domain)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: [("address", description)]) }
}
