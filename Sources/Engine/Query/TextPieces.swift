/// Cuts a long text into pieces that an encoder reads to their end.
///
/// Encoders cut a text off after some hundred tokens, so what stands at the end of a long one would count for nothing.
package enum TextPieces {
    /// Characters of a piece: about 200 English words, below the 256 tokens of the smallest model in use.
    package static let maximumCharacters = 1_000

    /// Pieces of about equal length, cut at the ends of sentences where there are some, else between words; a short
    /// text is one piece, as it is.
    package static func split(_ text: String) -> [String] {
        guard text.count > maximumCharacters else { return [text] }
        var pieces: [String] = []
        var rest = Substring(text)
        while rest.count > maximumCharacters {
            let window = rest.prefix(maximumCharacters)
            let half = window.index(window.startIndex, offsetBy: maximumCharacters / 2)
            let sentence = window[half...].lastIndex { $0 == "." || $0 == "!" || $0 == "?" || $0.isNewline }
            let cut =
                sentence ?? window[half...].lastIndex(where: \.isWhitespace) ?? window.index(before: window.endIndex)
            pieces.append(String(rest[...cut]))
            rest = rest[rest.index(after: cut)...]
        }
        if rest.contains(where: { !$0.isWhitespace }) { pieces.append(String(rest)) }
        return pieces
    }
}
