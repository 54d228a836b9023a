internal import VectorMath

extension RemoteVectorizer {
    /// What is sent of a text. Models read some thousand tokens, none of which is shorter than a byte; what is longer is
    /// refused by some.
    static let maximumTextBytes = 8_000

    /// What is sent of a text: whole characters where one fits. Marks may follow a letter without end, and make one
    /// character of all that somebody sends.
    static func cut(_ text: String) -> String {
        guard text.utf8.count > maximumTextBytes else { return text }
        var bytes = 0
        let characters = text.prefix { character in
            bytes += character.utf8.count
            return bytes <= maximumTextBytes
        }
        guard characters.isEmpty else { return String(characters) }
        bytes = 0
        return String(
            text.unicodeScalars.prefix { scalar in
                bytes += UTF8.width(scalar)
                return bytes <= maximumTextBytes
            })
    }

    /// A hash of the text as the cache's key, so that what people wrote is not kept.
    static func key(_ text: String, _ role: TextRole) -> [Int32] {
        let digits = Array(SHA256.hash(Array(text.utf8)).utf8)
        return [role == .query ? 0 : 1]
            + stride(from: 0, to: digits.count, by: 8).map { start in
                let word = String(decoding: digits[start..<min(start + 8, digits.count)], as: UTF8.self)
                return Int32(bitPattern: UInt32(word, radix: 16) ?? 0)
            }
    }
}
