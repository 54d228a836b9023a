// BertPreTokenizer and WordPiece as the end of the pipe: scalars in, token ids out.

/// Splits normalised text at white space and around punctuation, and each word greedily into vocabulary pieces.
struct WordPieceSink: ScalarSink {
    struct Settings: Sendable {
        var unknownID: Int32
        /// A word of more scalars becomes one unknown token.
        var maximumWordScalars = 100
    }

    private let vocabulary: Vocabulary
    private let settings: Settings
    private let classes = ScalarClassTable.shared
    private let limit: Int

    private(set) var ids: [Int32] = []
    /// UTF-8 of the word so far; scalars past the maximum are counted, not kept.
    private var word: [UInt8] = []
    private var wordScalars = 0
    /// Hash of each prefix of the piece that is searched for.
    private var hashes: [UInt64]

    /// - Parameter limit: ids that are wanted at most; text after them is not looked at.
    init(vocabulary: Vocabulary, settings: Settings, limit: Int) {
        self.vocabulary = vocabulary
        self.settings = settings
        self.limit = limit
        hashes = [UInt64](repeating: 0, count: vocabulary.maximumLength + 1)
        word.reserveCapacity(64)
        ids.reserveCapacity(min(limit, 64))
    }

    var isFull: Bool { ids.count >= limit }

    @inline(__always)
    mutating func appendASCII(_ byte: UInt8) {
        if byte > 0x20 && (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A || byte >= 0x30 && byte <= 0x39 {
            keep { $0.append(byte) }
        } else if byte == 0x20 || byte >= 0x09 && byte <= 0x0D {
            endWord()
        } else if byte < 0x20 || byte == 0x7F {
            keep { $0.append(byte) }
        } else {
            endWord()
            keep { $0.append(byte) }
            endWord()
        }
    }

    mutating func append(_ scalar: UInt32) {
        let kind = classes[scalar]
        if kind.contains(.whitespace) {
            endWord()
        } else if kind.contains(.punctuation) {
            endWord()
            keep { UTF8Decoding.append(scalar, to: &$0) }
            endWord()
        } else {
            keep { UTF8Decoding.append(scalar, to: &$0) }
        }
    }

    /// A special token, written as such in the text.
    mutating func append(special id: Int32) {
        endWord()
        ids.append(id)
    }

    @inline(__always)
    private mutating func keep(_ append: (inout [UInt8]) -> Void) {
        wordScalars += 1
        if wordScalars <= settings.maximumWordScalars { append(&word) }
    }

    /// Turns the word so far into ids: the longest piece first, over and over; all of it unknown if one is missing.
    mutating func endWord() {
        if wordScalars == 0 { return }
        // Taken out for the while: a view of it and a change of the hashes would both be accesses to self.
        var word: [UInt8] = []
        swap(&word, &self.word)
        let firstID = ids.count
        if wordScalars > settings.maximumWordScalars {
            ids.append(settings.unknownID)
        } else {
            var start = 0
            while start < word.count {
                guard let piece = Self.longestPiece(of: word.span, from: start, in: vocabulary, &hashes) else {
                    ids.removeSubrange(firstID...)
                    ids.append(settings.unknownID)
                    break
                }
                ids.append(piece.id)
                start = piece.end
            }
        }
        word.removeAll(keepingCapacity: true)
        swap(&word, &self.word)
        wordScalars = 0
    }

    /// The longest token that `word` has at `start`, and where it ends.
    private static func longestPiece(
        of word: Span<UInt8>, from start: Int, in vocabulary: Vocabulary, _ hashes: inout [UInt64]
    ) -> (id: Int32, end: Int)? {
        let longest = min(word.count - start, vocabulary.maximumLength)
        var hash = start == 0 ? Vocabulary.initialSeed : Vocabulary.continuingSeed
        for length in 0..<longest {
            hash = Vocabulary.step(hash, word[start + length])
            hashes[length] = hash
        }
        var length = longest
        while length > 0 {
            let end = start + length
            // A piece ends between scalars: never before a continuation byte.
            let isBoundary = end == word.count || word[end] & 0xC0 != 0x80
            if isBoundary, let id = vocabulary.find(hashes[length - 1], word, start, end) { return (id, end) }
            length -= 1
        }
        return nil
    }
}
