/// Several texts in one cell of a CSV file: separated by `;` or `|`, where a backslash makes a letter of what follows.
enum ListCell {
    private static let separators: [Unicode.Scalar] = [";", "|"]
    private static let escape: Unicode.Scalar = "\\"

    /// The entries, without white space around them and without empty ones. `isEscaped` says whether any backslash
    /// stood in the cell.
    static func entries(of cell: String) -> (texts: [String], isEscaped: Bool) {
        var texts: [String] = []
        var entry = String.UnicodeScalarView()
        // White space that may turn out to stand at an entry's end.
        var space = String.UnicodeScalarView()
        var isEscaped = false
        var isLetter = false
        func finish() {
            if !entry.isEmpty { texts.append(String(entry)) }
            entry = .init()
            space = .init()
        }
        for scalar in cell.unicodeScalars {
            if isLetter {
                isLetter = false
                entry.append(contentsOf: space)
                space = .init()
                entry.append(scalar)
            } else if scalar == escape {
                isLetter = true
                isEscaped = true
            } else if separators.contains(scalar) {
                finish()
            } else if scalar.properties.isWhitespace {
                if !entry.isEmpty { space.append(scalar) }
            } else {
                entry.append(contentsOf: space)
                space = .init()
                entry.append(scalar)
            }
        }
        // A backslash at the very end has nothing to change and stands for itself.
        if isLetter {
            entry.append(contentsOf: space)
            entry.append(escape)
        }
        finish()
        return (texts, isEscaped)
    }

    /// A cell that `entries(of:)` reads back.
    static func cell(of texts: [String]) -> String { texts.map(escaped).joined(separator: "; ") }

    /// An entry that is a word although it looks like a number, when it stands alone.
    static func escapedWord(_ text: String) -> String {
        let cell = escaped(text)
        return ImportText.double(ImportText.trimmed(cell)) == nil ? cell : "\\\(cell)"
    }

    private static func escaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if separators.contains(scalar) || scalar == escape { result.append(escape) }
            result.append(scalar)
        }
        return String(result)
    }
}
