/// One line of text for a header: a subject, a display name. What could end the line cannot be in it, so that no text
/// of a person's becomes a header of its own.
package struct HeaderText: Sendable, Hashable {
    /// RFC 5322 allows 998 bytes a line; nobody reads a longer subject.
    package static let maximumBytes = 998

    package let text: String

    /// - Throws: `MailError` (`invalidHeader`) for control characters, line and paragraph separators, and what is too long.
    package init(_ text: String) throws(MailError) {
        guard text.utf8.count <= Self.maximumBytes else {
            throw MailError(
                .invalidHeader,
                "a header's text has \(text.utf8.count) bytes and may have \(Self.maximumBytes); shorten it")
        }
        if let scalar = text.unicodeScalars.first(where: Self.endsLine) {
            throw MailError(
                .invalidHeader,
                "a header's text holds U+\(Self.hexadecimal(scalar)), a control character or line separator; take it out"
            )
        }
        self.text = text
    }

    /// Takes any text: what may not stand in a header becomes a space, and what is too long is cut.
    package init(cleaning text: String) {
        var clean = String.UnicodeScalarView()
        var bytes = 0
        for scalar in text.unicodeScalars {
            let kept = Self.endsLine(scalar) ? " " : scalar
            bytes += UTF8.width(kept)
            guard bytes <= Self.maximumBytes else { break }
            clean.append(kept)
        }
        self.text = String(clean)
    }

    /// C0 and C1 controls with DEL (the tab among them: it is folding white space), and U+2028 and U+2029.
    private static func endsLine(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029: true
        default: false
        }
    }

    private static func hexadecimal(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
