/// Keeps a spreadsheet from running a cell as a formula: an apostrophe before it, which reading takes off again.
///
/// A text that itself begins with an apostrophe gets one more, so that every text comes back as it was. Only an apostrophe
/// that guards something is taken off: what somebody else's file says of ’tis and 'n' stays.
package enum SpreadsheetCell {
    private static let apostrophe: Unicode.Scalar = "'"
    private static let formulaSigns: [Unicode.Scalar] = [
        "=", "+", "-", "@", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}",
    ]

    package static func guarded(_ text: String) -> String {
        isRisky(text.unicodeScalars[...]) ? String(apostrophe) + text : text
    }

    /// Undoes `guarded`.
    package static func unguarded(_ cell: String) -> String {
        // Scalars, not characters: a combining mark after the apostrophe would make one character of both.
        guard cell.unicodeScalars.first == apostrophe else { return cell }
        let rest = cell.unicodeScalars.dropFirst()
        return isRisky(rest) ? String(rest) : cell
    }

    /// Whether a text needs an apostrophe: it has one, begins with white space that breaks cells, or begins a formula, in
    /// either width of the sign, also behind blanks or signs that are not seen, which some programs drop first.
    private static func isRisky(_ text: Substring.UnicodeScalarView) -> Bool {
        guard let first = text.first else { return false }
        if first == apostrophe || first == "\t" || first == "\r" || first == "\n" { return true }
        guard let sign = text.first(where: { !isBlank($0) }) else { return false }
        return formulaSigns.contains(sign)
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        // Most texts begin with a letter or a figure of ASCII; the tables are slow.
        if scalar.value > 0x20, scalar.value < 0x7F { return false }
        if scalar.properties.isWhitespace { return true }
        return scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
    }
}
