internal import Foundation

/// RFC 2047: text beyond ASCII in a header, as words of ASCII that say what they are.
enum EncodedWords {
    /// Of one word with all its marks.
    static let maximumWord = 75
    private static let opening = "=?UTF-8?"
    /// `=?UTF-8?Q?` and `?=`.
    private static let overhead = 12

    /// `text` as words to be joined by white space, which a reader leaves out. In Q or B, whichever is shorter; no word
    /// splits a scalar, so that each can be read alone.
    ///
    /// - Parameter used: characters that stand before the first word on its line.
    static func words(of text: String, after used: Int) -> [String] {
        var plain = 0
        var bytes = 0
        for scalar in text.unicodeScalars {
            plain += quotedLength(scalar)
            bytes += UTF8.width(scalar)
        }
        let isQuoted = plain <= (bytes + 2) / 3 * 4
        // RFC 2047, section 2: a line with such a word has at most 76 characters.
        var room = min(maximumWord, 76 - used) - overhead
        var words: [String] = []
        var current: [UInt8] = []
        var length = 0
        for scalar in text.unicodeScalars {
            let added = isQuoted ? quotedLength(scalar) : UTF8.width(scalar)
            let total = length + added
            if !current.isEmpty, (isQuoted ? total : (total + 2) / 3 * 4) > room {
                words.append(word(current, isQuoted: isQuoted))
                current.removeAll(keepingCapacity: true)
                length = 0
                room = maximumWord - overhead
            }
            length += added
            current.append(contentsOf: String(scalar).utf8)
        }
        if !current.isEmpty { words.append(word(current, isQuoted: isQuoted)) }
        return words
    }

    private static func word(_ bytes: [UInt8], isQuoted: Bool) -> String {
        guard isQuoted else { return "\(opening)B?\(Data(bytes).base64EncodedString())?=" }
        var text = "\(opening)Q?"
        for byte in bytes {
            if byte == UInt8(ascii: " ") {
                text += "_"
            } else if isPlain(byte) {
                text.unicodeScalars.append(UnicodeScalar(byte))
            } else {
                text += "=" + Hexadecimal.text(of: [byte]).uppercased()
            }
        }
        return text + "?="
    }

    private static func quotedLength(_ scalar: Unicode.Scalar) -> Int {
        guard scalar.isASCII else { return 3 * UTF8.width(scalar) }
        let byte = UInt8(truncatingIfNeeded: scalar.value)
        return byte == UInt8(ascii: " ") || isPlain(byte) ? 1 : 3
    }

    /// What may stand for itself even in a display name (section 5, rule 3).
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case UInt8(ascii: "!"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "/"): true
        default: false
        }
    }
}
