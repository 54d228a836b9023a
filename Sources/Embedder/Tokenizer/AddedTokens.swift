// Tokens that are looked for in the text itself, before or after normalisation ("[SEP]", "<mask>", …).

/// One entry of `added_tokens`, with the reference's switches.
struct AddedToken: Equatable, Sendable {
    var content: String
    var id: Int32
    /// Matches only where no word character stands beside it.
    var isSingleWord = false
    /// Takes the white space before it (after it) along.
    var stripsLeft = false
    var stripsRight = false
    /// Looked for in the normalised text instead of the text as written.
    var isNormalized = false
}

/// Finds added tokens in a text: leftmost first, the longest of those that start there.
struct AddedTokenMatcher: Sendable {
    struct Match: Equatable {
        let id: Int32
        /// What the token takes of the text, stripped white space included.
        let range: Range<Int>
        /// Where the search goes on: white space that the token took on its right may still start another one.
        let searchEnd: Int
    }

    private let patterns: [(bytes: [UInt8], token: AddedToken)]
    /// Which bytes a pattern starts with.
    private let isFirst: [Bool]

    var isEmpty: Bool { patterns.isEmpty }

    /// - Parameter bytes: how a token's content is looked for (as written, or normalised).
    init(_ tokens: [AddedToken], bytes: (AddedToken) -> [UInt8]) {
        var isFirst = [Bool](repeating: false, count: 256)
        patterns = tokens.map { (bytes($0), $0) }.filter { !$0.0.isEmpty }.sorted { $0.0.count > $1.0.count }
        for pattern in patterns { isFirst[Int(pattern.bytes[0])] = true }
        self.isFirst = isFirst
    }

    /// The next match that starts at or after `start`; `consumed` is where an earlier match ended.
    func next(in text: Span<UInt8>, from start: Int, consumed: Int) -> Match? {
        var position = start
        while position < text.count {
            guard isFirst[Int(text[position])] else {
                position += 1
                continue
            }
            guard let (bytes, token) = patterns.first(where: { Self.occurs($0.bytes, in: text, at: position) }) else {
                position += 1
                continue
            }
            let end = position + bytes.count
            let isAlone = !Self.endsWithWord(text, position) && !Self.startsWithWord(text, end)
            if token.isSingleWord && !isAlone {
                // The reference goes on behind a match that it discards.
                position = end
                continue
            }
            let left = token.stripsLeft ? max(Self.spaceStart(text, before: position), consumed) : position
            let right = token.stripsRight ? Self.spaceEnd(text, after: end) : end
            return Match(id: token.id, range: left..<right, searchEnd: end)
        }
        return nil
    }

    private static func occurs(_ pattern: [UInt8], in text: Span<UInt8>, at position: Int) -> Bool {
        guard position + pattern.count <= text.count else { return false }
        for index in pattern.indices where text[position + index] != pattern[index] { return false }
        return true
    }

    private static func spaceStart(_ text: Span<UInt8>, before end: Int) -> Int {
        var start = end
        while start > 0 {
            let previous = scalarStart(text, before: start)
            var position = previous
            guard ScalarClassTable.shared[UTF8Decoding.scalar(text, &position)].contains(.whitespace) else { break }
            start = previous
        }
        return start
    }

    private static func spaceEnd(_ text: Span<UInt8>, after start: Int) -> Int {
        var end = start
        while end < text.count {
            var position = end
            guard ScalarClassTable.shared[UTF8Decoding.scalar(text, &position)].contains(.whitespace) else { break }
            end = position
        }
        return end
    }

    private static func scalarStart(_ text: Span<UInt8>, before end: Int) -> Int {
        var start = end - 1
        while start > 0 && text[start] & 0xC0 == 0x80 { start -= 1 }
        return start
    }

    private static func endsWithWord(_ text: Span<UInt8>, _ end: Int) -> Bool {
        guard end > 0 else { return false }
        var position = scalarStart(text, before: end)
        return isWord(UTF8Decoding.scalar(text, &position))
    }

    private static func startsWithWord(_ text: Span<UInt8>, _ start: Int) -> Bool {
        guard start < text.count else { return false }
        var position = start
        return isWord(UTF8Decoding.scalar(text, &position))
    }

    /// `\w` of UTS #18: letters, marks, decimal digits, connectors and joiners.
    private static func isWord(_ scalar: UInt32) -> Bool {
        guard let properties = Unicode.Scalar(scalar)?.properties else { return false }
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
        default: return properties.isAlphabetic || properties.isJoinControl
        }
    }
}
