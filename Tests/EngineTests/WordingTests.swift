import Engine
import Foundation
import TestSupport
import Testing

/// The quick ways that explanations are put into words, held against the plain ones.
struct WordingTests {
    @Test func `two decimals are those of C`() {
        var random = SeededGenerator(seed: 21)
        var values: [Float] = [0, -0.0, 0.005, 0.015, 0.125, 0.375, -0.125, 0.995, 1, -1, 0.004_999, 12.345]
        for _ in 0..<20_000 { values.append(Float.random(in: -1.2...1.2, using: &random)) }
        // Eighths are where ties are.
        for eighth in -16...16 { values.append(Float(eighth) / 8) }
        for value in values {
            #expect(Hundredths.text(of: value) == String(format: "%.2f", value), "\(random)")
        }
    }

    /// Words as `WordSequence` defines them, by Swift's own characters.
    private static func words(_ text: String) -> [String] {
        text.lowercased().split { !($0.isLetter || $0.isNumber || $0 == "+" || $0 == "#" || $0 == ".") }
            .map { $0.hasSuffix(".") ? String($0.dropLast()) : String($0) }
    }

    @Test func `a phrase is found where its words stand in a row`() {
        var random = SeededGenerator(seed: 22)
        let pieces = [
            "java", "Java", "javascript", "C++", "c#", ".NET", "e.g.", ".", "..", "a", "A", "1", "é", "e\u{301}",
            "ÄRZTIN",
            "日本", "-", ",", "\n", "\r\n", "/", "“", "ß", "fi\u{FB01}", "\u{0130}", "٣", "a\u{301}", "🚀",
        ]
        func text(_ count: ClosedRange<Int>) -> String {
            (0..<Int.random(in: count, using: &random)).map { _ in
                pieces[Int.random(in: pieces.indices, using: &random)] + (Bool.random(using: &random) ? " " : "")
            }.joined()
        }
        var found = 0
        for _ in 0..<20_000 {
            let (whole, part) = (text(0...12), text(0...3))
            let (words, phrase) = (Self.words(whole), Self.words(part))
            let isThere =
                !phrase.isEmpty && phrase.count <= words.count
                && (0...words.count - phrase.count).contains { words[$0..<$0 + phrase.count].elementsEqual(phrase) }
            if isThere { found += 1 }
            #expect(
                WordSequence(whole).contains(WordSequence(part)) == isThere, "\(whole) | \(part) | \(random)")
            #expect(WordSequence(whole).isEmpty == words.isEmpty)
        }
        // Enough for both answers to be tried.
        #expect(found > 200)
    }
}
