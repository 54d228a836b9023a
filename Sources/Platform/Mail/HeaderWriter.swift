/// Writes header fields, folded. What goes in is of types that cannot hold a line's end.
struct HeaderWriter {
    /// RFC 5322, section 2.1.1, without the CR LF.
    static let lineLength = 78
    /// RFC 2047 leaves less to a line with encoded words.
    private static let wordLineLength = 76

    private(set) var bytes: [UInt8] = []

    /// A field whose text has no syntax: as it is where it can be folded at its own spaces, encoded otherwise.
    mutating func unstructured(_ name: String, _ text: HeaderText) {
        if let lines = Self.plainLines(text.text, after: name.utf8.count + 2) {
            bytes += Array("\(name): \(lines.joined(separator: "\r\n"))\r\n".utf8)
        } else {
            structured(name, EncodedWords.words(of: text.text, after: name.utf8.count + 2))
        }
    }

    /// A field of tokens with a space between them, folded before a token where its line would be too long.
    ///
    /// - Parameter tokens: visible ASCII, and spaces inside a quoted string.
    mutating func structured(_ name: String, _ tokens: [String]) {
        bytes += Array("\(name):".utf8)
        var length = name.utf8.count + 1
        for token in tokens {
            let count = token.utf8.count
            // A token that no line holds is not helped by a line of its own.
            let isFolded = length + 1 + count > Self.wordLineLength && count < Self.wordLineLength
            bytes += Array((isFolded ? "\r\n \(token)" : " \(token)").utf8)
            length = (isFolded ? 0 : length) + 1 + count
        }
        bytes += [0x0D, 0x0A]
    }

    mutating func address(_ name: String, _ address: MailAddress) {
        var tokens: [String] = []
        if let shown = address.name {
            tokens =
                Self.quoted(shown.text).map { [$0] } ?? EncodedWords.words(of: shown.text, after: name.utf8.count + 2)
            tokens.append("<\(address.addressSpec)>")
        } else {
            tokens = [address.addressSpec]
        }
        structured(name, tokens)
    }

    /// The end of the header.
    mutating func end() { bytes += [0x0D, 0x0A] }

    /// `text` in lines, each but the first beginning with a space of its own; nil where that would not come back as
    /// it was, or some line would be too long.
    private static func plainLines(_ text: String, after used: Int) -> [String]? {
        guard isPlain(text) else { return nil }
        var lines: [String] = []
        var line = ""
        var room = lineLength - used
        for piece in pieces(of: text) {
            if line.utf8.count + piece.utf8.count > room, !line.isEmpty {
                lines.append(line)
                line = ""
                room = lineLength
            }
            guard piece.utf8.count <= room else { return nil }
            line += piece
        }
        return lines + [line]
    }

    /// Words, each with the spaces before it.
    private static func pieces(of text: String) -> [String] {
        var pieces: [String] = []
        var piece = ""
        var isInWord = false
        for character in text {
            if character == " ", isInWord {
                pieces.append(piece)
                piece = ""
            }
            isInWord = character != " "
            piece.append(character)
        }
        if !piece.isEmpty { pieces.append(piece) }
        return pieces
    }

    /// Printable ASCII that nobody takes for an encoded word and whose edges no reader trims.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x20...0x7E).contains($0) } && !text.contains("=?") && !text.hasPrefix(" ")
            && !text.hasSuffix(" ")
    }

    /// A display name in quotation marks; nil for one that has to be encoded.
    private static func quoted(_ name: String) -> String? {
        guard isPlain(name), name.utf8.count <= 50 else { return nil }
        return "\"" + name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
