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

    /// Words of a title.
    private static let greatestTitle = 12

    /// The title that a text begins with, as a job advert or a profile does: a first line of a few words before many more;
    /// nil where there is none.
    package static func title(of text: String) -> String? {
        let text = text.drop(while: \.isWhitespace)
        guard let end = text.firstIndex(where: \.isNewline) else { return nil }
        let decoration: Set<Character> = ["#", "*", "_", "=", "-"]
        let title = text[..<end].drop { $0.isWhitespace || decoration.contains($0) }
        var line = title
        while let last = line.last, last.isWhitespace || decoration.contains(last) { line.removeLast() }
        let words = line.split(whereSeparator: \.isWhitespace).count
        let rest = text[end...].split(whereSeparator: \.isWhitespace).count
        guard (1...greatestTitle).contains(words), line.count <= 100, rest >= 3 * words,
            let last = line.last, !".!?:;,".contains(last)
        else { return nil }
        return String(line)
    }
}
