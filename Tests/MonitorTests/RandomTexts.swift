import Monitor
import TestSupport

/// Texts with all that files, spreadsheets and Unicode stumble over; without U+0000.
enum RandomTexts {
    private static let pieces: [String] = [
        "\"", "\"\"", "\n", "\r", "\r\n", "\t", ",", ";", "|", " ", "  ", "'", "''", "=", "+", "-", "@", "=1+1", "-2",
        "@SUM(A1)", "+49 30", "=HYPERLINK(\"x\";\"y\")", "'=", "\u{FF1D}1", "\u{FF0B}", "\u{A0}=", "\u{200B}=",
        "\u{FEFF}", "\u{FEFF}=", "\u{301}", "\u{200F}", "\u{202E}", "\u{200D}", "\u{2028}", "\u{85}", "\u{1}", "\u{7F}",
        "אהבה", "موسيقى", "कला", "音楽、美術", "музыка", "Straße", "café", "cafe\u{301}", "ﬁlm", "ＡＲＴ", "👩‍🔬", "🇮🇳",
        "[{\"career\":\"Writer\",\"skills\":[\"a\",\"b\"]}]", "a", "art", "machine learning", "0012", "1e5", "null",
    ]

    static func text(atMost count: Int = 8, using generator: inout SeededGenerator) -> String {
        var text = ""
        for _ in 0..<Int.random(in: 0...count, using: &generator) {
            if Int.random(in: 0..<4, using: &generator) > 0 {
                text += pieces.randomElement(using: &generator) ?? ""
            } else if let scalar = Unicode.Scalar(UInt32.random(in: 1...0x10FFFF, using: &generator)) {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

/// Bytes, since Swift's texts are equal where Unicode says that they look alike.
func utf8(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }

/// What is wrong with a file, by who reads or writes it; nil where nothing is.
func problem(of body: () throws -> Void) -> MonitorFileError? {
    do {
        try body()
        return nil
    } catch {
        return error as? MonitorFileError
    }
}
