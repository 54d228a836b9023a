/// Swift source text with comments and the insides of string literals blanked out, so that a search finds code alone.
///
/// Line breaks stay where they are: an offset's line number is that of the original. What it does not know are regex
/// literals with a bare slash; a quotation mark in one is forgotten at the end of its line.
struct SourceText {
    /// The code, with every blanked character replaced by a space.
    let code: String

    init(_ source: String) {
        var scanner = Scanner(Array(source.unicodeScalars))
        scanner.scanCode(untilClosingParenthesis: false)
        var code = String.UnicodeScalarView()
        code.append(contentsOf: scanner.output)
        self.code = String(code)
    }

    /// The lines of code, the first being line 1 of the file.
    var lines: [Substring] {
        code.split(separator: "\n", omittingEmptySubsequences: false)
    }
}

/// Walks over the text once; what is copied to `output` is code, what is blanked is not.
private struct Scanner {
    let input: [Unicode.Scalar]
    var position = 0
    var output: [Unicode.Scalar] = []

    init(_ input: [Unicode.Scalar]) {
        self.input = input
        output.reserveCapacity(input.count)
    }

    var atEnd: Bool { position >= input.count }

    func starts(with text: String, at offset: Int = 0) -> Bool {
        var index = position + offset
        for scalar in text.unicodeScalars {
            guard index < input.count, input[index] == scalar else { return false }
            index += 1
        }
        return true
    }

    mutating func copy() {
        output.append(input[position])
        position += 1
    }

    mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where !atEnd {
            output.append(input[position] == "\n" ? "\n" : " ")
            position += 1
        }
    }

    mutating func scanCode(untilClosingParenthesis: Bool) {
        var depth = 0
        while !atEnd {
            if starts(with: "//") {
                while !atEnd, input[position] != "\n" { blank() }
            } else if starts(with: "/*") {
                scanBlockComment()
            } else if input[position] == "`" {
                scanRawIdentifier()
            } else if let hashes = hashesBeforeQuote() {
                scanString(hashes: hashes)
            } else if untilClosingParenthesis, input[position] == ")", depth == 0 {
                return
            } else {
                if input[position] == "(" { depth += 1 }
                if input[position] == ")" { depth -= 1 }
                copy()
            }
        }
    }

    /// Block comments nest in Swift.
    mutating func scanBlockComment() {
        var depth = 0
        repeat {
            if starts(with: "/*") {
                depth += 1
                blank(2)
            } else if starts(with: "*/") {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && !atEnd
    }

    /// A name in backticks may be a sentence, whose words are not code; one that is a single word may be a module's.
    mutating func scanRawIdentifier() {
        copy()
        let name = input[position...].prefix { $0 != "`" && $0 != "\n" }
        let isOneWord = name.allSatisfy { $0 == "_" || $0.properties.isAlphabetic || $0.properties.numericType != nil }
        for _ in name { isOneWord ? copy() : blank() }
        if !atEnd { copy() }
    }

    /// The number of `#` before an opening quotation mark here, or nil where no string begins.
    func hashesBeforeQuote() -> Int? {
        var hashes = 0
        while starts(with: "#", at: hashes) { hashes += 1 }
        return starts(with: "\"", at: hashes) ? hashes : nil
    }

    mutating func scanString(hashes: Int) {
        let pounds = String(repeating: "#", count: hashes)
        blank(hashes)
        let isMultiline = starts(with: "\"\"\"")
        let quote = isMultiline ? "\"\"\"" : "\""
        blank(quote.count)
        while !atEnd {
            if starts(with: quote + pounds) {
                blank(quote.count + hashes)
                return
            } else if starts(with: "\\" + pounds + "(") {
                // An interpolation is code again.
                blank(2 + hashes)
                scanCode(untilClosingParenthesis: true)
                blank()
            } else if starts(with: "\\" + pounds) {
                blank(2 + hashes)
            } else if !isMultiline, input[position] == "\n" {
                return
            } else {
                blank()
            }
        }
    }
}
