internal import Foundation

/// One text file of an O*NET release, read row by row: tab-separated, the first line names the columns.
///
/// Rows stay byte ranges until a field is asked for: a release has 25 MB, most of which nobody needs as text.
struct OnetTable {
    let file: String
    private let bytes: [UInt8]
    private var position: Int
    /// Of the row that `next` found, from 1.
    private(set) var line = 1
    private var fields: [Range<Int>] = []
    private let columns: [String: Int]
    private let width: Int

    /// Reads the header.
    ///
    /// - Throws: `ImportError` where the file cannot be read, has no header or lacks a column.
    init(_ file: String, in directory: URL, columns needed: [String]) throws(ImportError) {
        let data: Data
        do {
            data = try Data(contentsOf: directory.appendingPathComponent(file))
        } catch {
            throw .unreadable(
                file: file,
                reason: "\((error as NSError).localizedDescription) A release is the folder of its text files.")
        }
        try self.init(file: file, bytes: Array(data), columns: needed)
    }

    init(file: String, bytes: [UInt8], columns needed: [String]) throws(ImportError) {
        self.file = file
        self.bytes = bytes
        position = ImportText.start(of: bytes)
        fields = []
        var columns: [String: Int] = [:]
        let (header, next, _) = Self.row(of: bytes, at: position, width: 16)
        for (k, range) in header.enumerated() {
            columns[ImportText.trimmed(ImportText.string(bytes, range) ?? "")] = k
        }
        self.columns = columns
        width = header.count
        position = next
        for name in needed where columns[name] == nil {
            throw .malformed(
                ImportProblem(
                    file: file, line: 1,
                    message: "the column “\(name)” is missing; is this O*NET's tab-separated text?"))
        }
    }

    /// Where a column is; nil where this release has none of that name.
    func column(_ name: String) -> Int? { columns[name] }

    /// The fields of the line at an offset, the offset of the next line, and whether every byte is ASCII.
    private static func row(
        of bytes: [UInt8], at start: Int, width: Int
    ) -> (fields: [Range<Int>], next: Int, isASCII: Bool) {
        var fields: [Range<Int>] = []
        fields.reserveCapacity(width)
        let span = bytes.span
        var position = start
        var field = start
        var seen: UInt8 = 0
        while position < span.count {
            let byte = span[position]
            if byte == UInt8(ascii: "\n") { break }
            if byte == UInt8(ascii: "\t") {
                fields.append(field..<position)
                field = position + 1
            }
            seen |= byte
            position += 1
        }
        let next = min(position + 1, span.count)
        if position > field, span[position - 1] == UInt8(ascii: "\r") { position -= 1 }
        fields.append(field..<position)
        return (fields, next, seen < 0x80)
    }

    /// Moves to the next good row; bad ones go to the problems. False at the end of the file.
    mutating func next(_ problems: inout ImportProblems) -> Bool {
        while position < bytes.count {
            let start = position
            line += 1
            let row = Self.row(of: bytes, at: start, width: width)
            position = row.next
            if row.fields.count == 1, row.fields[0].isEmpty { continue }
            if row.fields.count != width {
                problems.add(
                    "the row has \(row.fields.count) fields, the header \(width); is a tab missing or one too many?",
                    in: file, line: line)
                continue
            }
            if !row.isASCII, ImportText.string(bytes, start..<row.next) == nil {
                problems.add("the row is not UTF-8; take the file from the release anew", in: file, line: line)
                continue
            }
            fields = row.fields
            return true
        }
        return false
    }

    /// The bytes of a field of the current row.
    func range(_ column: Int) -> Range<Int> { fields[column] }

    func isEqual(_ left: Range<Int>, _ right: Range<Int>) -> Bool { bytes[left].elementsEqual(bytes[right]) }

    /// The field's text without white space around it; empty for a column that this release lacks.
    func text(_ column: Int?) -> String {
        guard let column else { return "" }
        let text = String(decoding: bytes[fields[column]], as: UTF8.self)
        guard let first = text.utf8.first, let last = text.utf8.last, first <= 0x20 || last <= 0x20 else { return text }
        return ImportText.trimmed(text)
    }
}
