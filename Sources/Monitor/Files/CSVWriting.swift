/// Records as RFC 4180 has them: commas, CRLF, UTF-8, quotes where something could be mistaken.
package enum CSVWriting {
    private static let quote = UInt8(ascii: "\"")

    /// Appends one record with its line end. Cells are written as they are; guarding them is the caller's.
    ///
    /// U+0000 is in no text that comes from the store, and in no file that spreadsheets read whole; U+FFFD stands for it.
    package static func append(_ cells: [String], to bytes: inout [UInt8]) {
        for (place, cell) in cells.enumerated() {
            if place > 0 { bytes.append(UInt8(ascii: ",")) }
            append(cell, to: &bytes)
        }
        bytes.append(UInt8(ascii: "\r"))
        bytes.append(UInt8(ascii: "\n"))
    }

    private static func append(_ cell: String, to bytes: inout [UInt8]) {
        guard cell.utf8.contains(where: isSpecial) || isPadded(cell) || cell.utf8.starts(with: byteOrderMark) else {
            bytes.append(contentsOf: cell.utf8)
            return
        }
        bytes.append(quote)
        for byte in cell.utf8 {
            switch byte {
            case quote:
                bytes.append(quote)
                bytes.append(quote)
            case 0: bytes.append(contentsOf: "\u{FFFD}".utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(quote)
    }

    /// The semicolon and the tab for readers that take them for separators.
    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case quote, 0, UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"):
            true
        default: false
        }
    }

    /// Spaces at an end are part of a cell, and some readers take them away where there are no quotes.
    private static func isPadded(_ cell: String) -> Bool {
        cell.utf8.first == UInt8(ascii: " ") || cell.utf8.last == UInt8(ascii: " ")
    }

    /// At the beginning of a file it would be taken for the file's.
    static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
}
