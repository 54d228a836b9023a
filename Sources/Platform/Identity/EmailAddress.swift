/// A mail address in the one form in which it is stored, compared and written into a message's header.
///
/// Narrower than RFC 5321: no quoted names, no comments, no address literals, ASCII alone (a domain in other letters has
/// an ASCII form, `xn--…`). What is accepted needs no quoting anywhere and has no room for a header of its own. Wholly in
/// lower case: no mail system in use tells `Ada@` from `ada@`, and two accounts for one person would be worse.
package struct EmailAddress: Sendable, Hashable {
    package static let maximumBytes = 254
    private static let maximumLocalBytes = 64
    private static let maximumLabelBytes = 63

    package let text: String
    package let domain: String

    /// Reads an address; spaces around it do not count.
    ///
    /// - Throws: `IdentityError` of code `invalidEmail`.
    package init(_ given: String) throws(IdentityError) {
        // First the length: what follows looks at every byte.
        guard given.utf8.count <= Self.maximumBytes + 16 else { throw Self.refusal("it is too long") }
        var bytes = given.utf8[...]
        while let first = bytes.first, first == UInt8(ascii: " ") { bytes.removeFirst() }
        while let last = bytes.last, last == UInt8(ascii: " ") { bytes.removeLast() }
        guard bytes.count <= Self.maximumBytes else { throw Self.refusal("it is too long") }
        guard !bytes.isEmpty else { throw Self.refusal("it is empty") }
        let folded = bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        guard let at = folded.lastIndex(of: UInt8(ascii: "@")) else { throw Self.refusal("it has no @") }
        let (local, domain) = (folded[..<at], folded[(at + 1)...])
        guard (1...Self.maximumLocalBytes).contains(local.count) else {
            throw Self.refusal("what stands before the @ is empty or too long")
        }
        guard Self.isDotted(local, part: { $0.allSatisfy(Self.isAtomByte) }) else {
            throw Self.refusal("what stands before the @ has a character or a dot that may not be there")
        }
        let labels = domain.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count >= 2, labels.allSatisfy(Self.isLabel),
            // A last label of digits would be an address of the network.
            labels.last.map({ !$0.allSatisfy(Self.isDigit) }) ?? false
        else { throw Self.refusal("what stands behind the @ is no domain, such as example.org") }
        text = String(decoding: folded, as: UTF8.self)
        self.domain = String(decoding: domain, as: UTF8.self)
    }

    private static func refusal(_ reason: String) -> IdentityError {
        IdentityError(.invalidEmail, "the address is not one that mail can be sent to: \(reason)")
    }

    private static func isDotted(_ bytes: ArraySlice<UInt8>, part isFine: (ArraySlice<UInt8>) -> Bool) -> Bool {
        bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .allSatisfy { !$0.isEmpty && isFine($0) }
    }

    private static func isLabel(_ label: ArraySlice<UInt8>) -> Bool {
        (1...maximumLabelBytes).contains(label.count) && label.first != UInt8(ascii: "-")
            && label.last != UInt8(ascii: "-")
            && label.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
    }

    /// RFC 5322, section 3.2.3, `atext`.
    private static func isAtomByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}

extension EmailAddress: CustomStringConvertible, CustomReflectable {
    /// Not the address: a description may end in a log.
    package var description: String { "an address at …" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
