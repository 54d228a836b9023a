/// Bytes of a file as text and numbers, strictly.
enum ImportText {
    static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// Where the text begins: behind a byte order mark, if there is one.
    static func start(of bytes: [UInt8]) -> Int { bytes.starts(with: byteOrderMark) ? byteOrderMark.count : 0 }

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

    /// At most `limit` characters of a text, for a message.
    static func excerpt(_ text: String, limit: Int = 40) -> String {
        text.count > limit ? "\(text.prefix(limit))…" : text
    }

    /// Without white space at both ends.
    static func trimmed(_ text: some StringProtocol) -> String {
        var scalars = text.unicodeScalars[...]
        while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
        while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
        return String(String.UnicodeScalarView(scalars))
    }
}
