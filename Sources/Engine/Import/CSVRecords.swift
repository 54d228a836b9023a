/// One record of a CSV file, or what is wrong with it.
struct CSVRecord: Equatable {
    /// Where it begins, from 1; quoted cells may hold lines of their own.
    let line: Int
    var cells: [String]
    /// Nil for a good record.
    var complaint: Complaint?

    struct Complaint: Equatable {
        let line: Int
        let message: String
    }

    /// A line of nothing, or of separators alone, as spreadsheets leave behind the last row.
    var isBlank: Bool { complaint == nil && cells.allSatisfy(\.isEmpty) }
}

/// Reads comma-separated values as RFC 4180 has them, record by record, strictly: with the line of every mistake.
///
/// Line ends are CRLF, LF or CR. A record with a mistake is given as a complaint and reading goes on with the next,
/// except after a quote that is never closed, behind which nobody can say what is quoted.
struct CSVRecords {
    let separator: UInt8
    private let bytes: [UInt8]
    private var position: Int
    private var line = 1

    /// The separator is the one of `,`, `;` and tab that the first line has most of outside quotes.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = ImportText.start(of: bytes)
        separator = Self.separator(of: bytes[position...])
    }

    private static func separator(of bytes: ArraySlice<UInt8>) -> UInt8 {
        var counts: [UInt8: Int] = [:]
        var isQuoted = false
        loop: for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): if !isQuoted { break loop }
            default: if !isQuoted { counts[byte, default: 0] += 1 }
            }
        }
        let candidates = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t")]
        // `max` keeps the last of equals; the comma should win, so it comes last.
        return candidates.reversed().max { counts[$0, default: 0] < counts[$1, default: 0] } ?? candidates[0]
    }

    /// The next record; nil at the end of the file.
    mutating func next() -> CSVRecord? {
        guard position < bytes.count else { return nil }
        var record = CSVRecord(line: line, cells: [], complaint: nil)
        while true {
            let cell = cell(in: &record)
            record.cells.append(cell)
            guard position < bytes.count else { return record }
            if bytes[position] == separator {
                position += 1
                // A separator at the very end of the file: one more, empty, cell.
                if position == bytes.count {
                    record.cells.append("")
                    return record
                }
            } else {
                skipLineEnd()
                return record
            }
        }
    }

    private mutating func skipLineEnd() {
        if bytes[position] == UInt8(ascii: "\r"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "\n")
        {
            position += 1
        }
        position += 1
        line += 1
    }

    private func isLineEnd(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

    private func complain(_ message: String, at line: Int, in record: inout CSVRecord) {
        if record.complaint == nil { record.complaint = .init(line: line, message: message) }
    }

    /// The cell that begins here; the position is then at a separator, a line end or the end.
    private mutating func cell(in record: inout CSVRecord) -> String {
        if position < bytes.count, bytes[position] == UInt8(ascii: "\"") { return quoted(in: &record) }
        let start = position
        while position < bytes.count, bytes[position] != separator, !isLineEnd(bytes[position]) {
            if bytes[position] == UInt8(ascii: "\"") {
                complain(
                    "a quote stands inside a cell that does not begin with one; quote the whole cell and double the "
                        + "quotes within", at: line, in: &record)
            }
            position += 1
        }
        return text(Array(bytes[start..<position]), at: line, in: &record)
    }

    private mutating func quoted(in record: inout CSVRecord) -> String {
        let opened = line
        position += 1
        var content: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") {
                guard position < bytes.count, bytes[position] == byte else {
                    skipBehindQuote(in: &record)
                    return text(content, at: opened, in: &record)
                }
                position += 1
            } else if byte == UInt8(ascii: "\n") {
                line += 1
            } else if byte == UInt8(ascii: "\r"), position >= bytes.count || bytes[position] != UInt8(ascii: "\n") {
                line += 1
            }
            content.append(byte)
        }
        complain(
            "the quote that opens here is never closed, so nothing from here on was read; close it, or double it where "
                + "it is meant as a letter", at: opened, in: &record)
        return ""
    }

    private mutating func skipBehindQuote(in record: inout CSVRecord) {
        while position < bytes.count, bytes[position] != separator, !isLineEnd(bytes[position]) {
            complain(
                "text follows a closing quote; put it inside the quotes, and double the quotes that are letters",
                at: line, in: &record)
            position += 1
        }
    }

    private func text(_ bytes: [UInt8], at line: Int, in record: inout CSVRecord) -> String {
        if let text = ImportText.string(bytes, bytes.indices) { return text }
        complain("a cell is not UTF-8; save the file as “CSV UTF-8”", at: line, in: &record)
        return ""
    }
}
