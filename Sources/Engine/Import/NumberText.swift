/// Numbers as people and spreadsheets write them, where a file asks for digits and a decimal point.
enum NumberText {
    /// Whether every three digits are set apart: “20.000”, “1,234,567”, “20 000”.
    static func isGrouped(_ text: String) -> Bool {
        text.wholeMatch(of: /[+-]?\d{1,3}([.,'’\u{20}\u{A0}\u{2009}\u{202F}]\d{3})+/) != nil
    }

    /// What is wrong with a text that stands for a number, and how to write the number that it seems to mean.
    static func complaint(_ text: String, isWhole: Bool) -> String {
        let shown = "“\(ImportText.excerpt(text))”"
        if isWhole {
            guard isGrouped(text) else { return "is the text \(shown); write a whole number" }
            let digits = text.filter { $0.isASCII && ($0.isNumber || $0 == "-") }
            return "is \(shown), which could be two numbers; write whole numbers by their digits alone: \(digits)"
        }
        let separators = text.filter { ".,".contains($0) }
        if separators == ",", text.wholeMatch(of: /[+-]?\d+,\d+/) != nil {
            return "is \(shown), with a decimal comma; write a decimal point: \(text.replacing(",", with: "."))"
        }
        if text.wholeMatch(of: /[+-]?\d[\d.,'’\u{20}\u{A0}\u{2009}\u{202F}]*\d/) != nil, separators.contains(",") {
            return "is \(shown); write digits and a decimal point, and no other separators"
        }
        return "is the text \(shown); write a number"
    }
}
