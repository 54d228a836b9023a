import Foundation

/// A Markdown table: the first column of text, the others of numbers, padded so that the source reads well too.
struct Table {
    private var lines: [[String]]

    init(_ header: [String]) { lines = [header] }

    mutating func add(_ cells: [String]) {
        precondition(cells.count == lines[0].count, "a line of \(cells.count) cells under \(lines[0].count) headings")
        lines.append(cells)
    }

    var markdown: String {
        let widths = lines[0].indices.map { column in max(3, lines.map { $0[column].count }.max() ?? 0) }
        let isText = lines[0].indices.map { column in
            lines.dropFirst().contains { $0[column].contains(where: \.isLetter) }
        }
        func line(_ cells: [String]) -> String {
            let padded = cells.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - cells[column].count)
                return isText[column] ? cells[column] + padding : padding + cells[column]
            }
            return "| " + padded.joined(separator: " | ") + " |\n"
        }
        let rule = lines[0].indices.map { column in
            String(repeating: "-", count: widths[column] - 1) + (isText[column] ? "-" : ":")
        }
        return line(lines[0]) + line(rule) + lines.dropFirst().map(line).joined()
    }

    /// Four times and how many there were.
    static func cells(_ time: Measurement) -> [String] {
        [
            number(time.p50Ms), number(time.p90Ms), number(time.p99Ms), time.maxMs.map(number) ?? "–",
            whole(time.runs),
        ]
    }

    /// Three significant digits: more than a shared machine can repeat.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        if value == 0 { return "0" }
        let decimals = max(0, 2 - Int(log10(abs(value)).rounded(.down)))
        return decimals == 0 ? whole(Int(value.rounded())) : String(format: "%.\(decimals)f", value)
    }

    /// With a comma between thousands, on every system alike.
    static func whole(_ value: Int) -> String {
        let digits = String(value)
        var text = ""
        for (position, digit) in digits.enumerated() {
            if position > 0, (digits.count - position) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }
}
