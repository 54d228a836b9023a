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

    /// A text as an encoder reads it: its pieces, each after the text's title where it has one. What a later piece begins
    /// with, a heading say, is no title of its own.
    package static func readable(_ text: String) -> [String] {
        let pieces = split(text)
        guard pieces.count > 1 else { return pieces }
        let title = title(of: text)
        return pieces.enumerated().map { position, piece in
            if position == 0 { return piece }
            let line = piece.split(whereSeparator: \.isNewline).joined(separator: " ")
            return title.map { "\($0)\n\(line)" } ?? line
        }
    }

    /// The title that a text begins with, as a job advert or a profile does: a short first line before many more words;
    /// nil where there is none.
    package static func title(of text: String) -> String? {
        let text = text.drop(while: \.isWhitespace)
        guard let end = text.firstIndex(where: \.isNewline) else { return nil }
        let rest = text[end...].dropFirst()
        // A sentence that was wrapped goes on in small letters.
        if rest.first?.isLowercase == true, text.first.map(decoration.contains) == false { return nil }
        var line = text[..<end].drop { $0.isWhitespace || decoration.contains($0) }
        // Some names end in a number sign: C#.
        let closing = text.first == "#" ? decoration : decoration.subtracting(["#"])
        while let last = line.last, last.isWhitespace || closing.contains(last) { line.removeLast() }
        let words = line.split(whereSeparator: \.isWhitespace).count
        guard (1...greatestTitle.words).contains(words), line.count <= greatestTitle.characters,
            rest.split(whereSeparator: \.isWhitespace).count >= 3 * words, let last = line.last,
            !".!?:;,".contains(last)
        else { return nil }
        return String(line)
    }

    private static let greatestTitle = (words: 10, characters: 60)
    /// What a line is marked as a heading with.
    private static let decoration: Set<Character> = ["#", "*", "_", "=", "-"]
}
