// Text to token ids, exactly as the reference tokenizer gives them.

/// A BERT-style WordPiece tokenizer: normaliser, word splitter, vocabulary and the special tokens around a text.
///
/// Frozen after loading; any number of threads may use one.
package struct WordPieceTokenizer: Sendable {
    let normalizer: BertNormalizer
    let vocabulary: Vocabulary
    let settings: WordPieceSink.Settings
    /// Special tokens before and after every text, `[CLS]` and `[SEP]` in BERT.
    let prefix: [Int32]
    let suffix: [Int32]
    let literal: AddedTokenMatcher
    let normalized: AddedTokenMatcher
    /// The largest id that any text can give.
    let largestID: Int32
    /// Ids of a text at most, special tokens included.
    package let maximumTokens: Int

    init(parts: TokenizerParts, maximumTokens: Int) {
        normalizer = parts.normalizer
        vocabulary = parts.vocabulary
        settings = parts.settings
        prefix = parts.prefix
        suffix = parts.suffix
        literal = AddedTokenMatcher(parts.addedTokens.filter { !$0.isNormalized }) { Array($0.content.utf8) }
        let normalizer = parts.normalizer
        normalized = AddedTokenMatcher(parts.addedTokens.filter(\.isNormalized)) { token in
            Self.normalize(Array(token.content.utf8), normalizer)
        }
        let special = parts.addedTokens.map(\.id) + prefix + suffix + [settings.unknownID]
        largestID = max(vocabulary.largestID, special.max() ?? -1)
        self.maximumTokens = max(maximumTokens, prefix.count + suffix.count)
    }

    /// The token ids of `text`, special tokens included; what exceeds `maximumTokens` is cut off its end.
    ///
    /// - Complexity: O(length of `text`), and never more than the tokens that are kept need.
    package func tokenIDs(of text: String) -> [Int32] {
        var text = text
        text.makeContiguousUTF8()
        return tokenIDs(of: text.utf8.span)
    }

    private func tokenIDs(of text: Span<UInt8>) -> [Int32] {
        let room = maximumTokens - prefix.count - suffix.count
        var sink = WordPieceSink(vocabulary: vocabulary, settings: settings, limit: room)
        var position = 0
        var search = 0
        while position < text.count && !sink.isFull {
            let match = literal.isEmpty ? nil : literal.next(in: text, from: search, consumed: position)
            let end = match?.range.lowerBound ?? text.count
            if end > position {
                split(text, position..<end, into: &sink)
                sink.endWord()
            }
            guard let match else { break }
            sink.append(special: match.id)
            position = match.range.upperBound
            search = match.searchEnd
        }
        return prefix + sink.ids.prefix(room) + suffix
    }

    /// Normalises and splits text without literal added tokens.
    private func split(_ text: Span<UInt8>, _ range: Range<Int>, into sink: inout WordPieceSink) {
        guard !normalized.isEmpty else { return normalizer.normalize(text, range, into: &sink) }
        var collected = ByteSink()
        normalizer.normalize(text, range, into: &collected)
        let bytes = collected.bytes.span
        var position = 0
        var search = 0
        while position < bytes.count && !sink.isFull {
            let match = normalized.next(in: bytes, from: search, consumed: position)
            let end = match?.range.lowerBound ?? bytes.count
            if end > position {
                BertNormalizer.none.normalize(bytes, position..<end, into: &sink)
                sink.endWord()
            }
            guard let match else { break }
            sink.append(special: match.id)
            position = match.range.upperBound
            search = match.searchEnd
        }
    }

    private static func normalize(_ bytes: [UInt8], _ normalizer: BertNormalizer) -> [UInt8] {
        var sink = ByteSink()
        normalizer.normalize(bytes.span, 0..<bytes.count, into: &sink)
        return sink.bytes
    }
}

/// What a tokenizer file says, before the model's length is known.
struct TokenizerParts {
    var normalizer: BertNormalizer
    var vocabulary: Vocabulary
    var settings: WordPieceSink.Settings
    var prefix: [Int32]
    var suffix: [Int32]
    var addedTokens: [AddedToken]
}
