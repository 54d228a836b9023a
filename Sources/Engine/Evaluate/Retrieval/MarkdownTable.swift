internal import Foundation

/// A table in Markdown.
package struct MarkdownTable: Sendable {
    package let header: [String]
    package let rows: [[String]]

    package init(header: [String], rows: [[String]]) {
        self.header = header
        self.rows = rows
    }

    package var text: String {
        ([Self.line(header), "|" + header.map { _ in "---|" }.joined()] + rows.map(Self.line)).joined(separator: "\n")
    }

    private static func line(_ cells: [String]) -> String {
        // A name is the operator's own; a bar or line end in it must not move the columns.
        "|" + cells.map { " \($0.map { $0.isNewline ? " " : $0 == "|" ? "\\|" : String($0) }.joined()) |" }.joined()
    }

    /// Three decimals; a dash for what is not known.
    static func cell(_ value: Double?, signed: Bool = false) -> String {
        value.map { String(format: signed ? "%+.3f" : "%.3f", $0) } ?? "–"
    }

    /// “0.379 (0.366–0.392)”.
    static func cell(_ estimate: Bootstrap.Estimate?, signed: Bool = false) -> String {
        guard let estimate else { return "–" }
        let (low, high) = (cell(estimate.low, signed: signed), cell(estimate.high, signed: signed))
        return "\(cell(estimate.value, signed: signed)) (\(low)\(signed ? " to " : "–")\(high))"
    }
}
