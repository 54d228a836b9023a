import Monitor
import TestSupport
import Testing

struct SpreadsheetCellTests {
    @Test(arguments: [
        "=1+1", "+49", "-2", "@SUM(A1)", "\t=1", "\tx", "\rx", "\n", " =1", "\u{A0}=1", "\u{FEFF}=1", "\u{200F}-1",
        "\u{FF1D}1", "\u{FF0B}", "\u{FF0D}", "\u{FF20}", "=\u{338}", "'", "'tis", "''", "'=1", "'\u{301}",
    ])
    func `what a spreadsheet would run gets an apostrophe, and loses it again`(text: String) {
        let cell = SpreadsheetCell.guarded(text)
        #expect(Array(cell.utf8) == Array("'".utf8) + Array(text.utf8))
        #expect(Array(SpreadsheetCell.unguarded(cell).utf8) == Array(text.utf8))
    }

    @Test(arguments: ["", "a", "1", "a=b", "[{}]", "\u{301}=", "אהבה", " a", "2026-11-22T01:00:35.125Z", "\"=\"", "≠"])
    func `what is no formula stays as it is`(text: String) {
        #expect(Array(SpreadsheetCell.guarded(text).utf8) == Array(text.utf8))
        #expect(Array(SpreadsheetCell.unguarded(text).utf8) == Array(text.utf8))
    }

    @Test(arguments: ["'n' roll", "'tis", "'"])
    func `an apostrophe of somebody else's file that guards nothing stays`(cell: String) {
        #expect(SpreadsheetCell.unguarded(cell) == cell)
    }

    @Test func `every text comes back as it was, and none that is guarded begins like a formula`() {
        var generator = SeededGenerator()
        let signs: [Unicode.Scalar] = ["=", "+", "-", "@", "\t", "\r"]
        for _ in 0..<5_000 {
            let text = RandomTexts.text(using: &generator)
            let cell = SpreadsheetCell.guarded(text)
            #expect(Array(SpreadsheetCell.unguarded(cell).utf8) == Array(text.utf8), "\(generator)")
            #expect(cell.unicodeScalars.first.map(signs.contains) != true, "\(generator)")
        }
    }
}
