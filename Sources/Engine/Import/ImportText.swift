/// Bytes of a file as text and numbers, strictly.
enum ImportText {
    static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// Where the text begins: behind a byte order mark, if there is one.
    static func start(of bytes: [UInt8]) -> Int { bytes.starts(with: byteOrderMark) ? byteOrderMark.count : 0 }

    /// What another encoding or kind of file a file seems to be, and how to mend it; nil for one that may be text.
    static func objection(to bytes: [UInt8]) -> String? {
        // UTF-16 with its mark, or, where the first letter is of ASCII, without one.
        let isWide =
            bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF])
            || (bytes.count > 1 && (bytes[0] == 0) != (bytes[1] == 0))
        if isWide { return "the file is not UTF-8 but UTF-16 or the like; save it as UTF-8 (“CSV UTF-8”)" }
        if bytes.starts(with: "PK\u{3}\u{4}".utf8) {
            return "the file is a workbook or an archive; save it as “CSV UTF-8”, or unpack it"
        }
        return nil
    }

    /// The text of a range of bytes; nil where it is not UTF-8.
    static func string(_ bytes: [UInt8], _ range: Range<Int>) -> String? {
        String(validating: bytes[range], as: UTF8.self)
    }

    /// A finite decimal number. Swift's own reader also takes `nan`, `inf` and hexadecimal, which no file means.
    static func double(_ text: some StringProtocol) -> Double? {
        guard !text.isEmpty, text.utf8.count <= 400, text.utf8.allSatisfy(isOfNumber) else { return nil }
        guard let number = Double(text), number.isFinite else { return nil }
        return number
    }

    private static func isOfNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
            UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

    /// At most `limit` characters of a text, for a message: on one line, and nothing that a terminal would obey.
    static func excerpt(_ text: String, limit: Int = 40) -> String {
        let start = text.prefix(limit)
        let isCut = start.endIndex < text.endIndex
        var shown = String.UnicodeScalarView()
        for scalar in start.unicodeScalars {
            let isHarmless = ![.control, .format, .lineSeparator, .paragraphSeparator].contains(
                scalar.properties.generalCategory)
            shown.append(isHarmless ? scalar : "\u{FFFD}")
        }
        return String(shown) + (isCut ? "…" : "")
    }

    /// Without white space at both ends.
    static func trimmed(_ text: some StringProtocol) -> String {
        var scalars = text.unicodeScalars[...]
        while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
        while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
        return String(String.UnicodeScalarView(scalars))
    }
}
