/// Records as RFC 4180 has them: commas, CRLF, UTF-8, quotes where something could be mistaken.
package enum CSVWriting {
    private static let quote = UInt8(ascii: "\"")

    /// Appends one record with its line end. Cells are written as they are; guarding them is the caller's.
    ///
    /// - Parameter texts: cells, from the first, that are quoted whatever is in them: spreadsheets can be told to take
    ///   what is quoted for text, so that an id keeps its zeros.
    ///
    /// U+0000 is in no text that comes from the store, and in no file that spreadsheets read whole; U+FFFD stands for it.
    package static func append(_ cells: [String], texts: Int = 0, to bytes: inout [UInt8]) {
        for (place, cell) in cells.enumerated() {
            if place > 0 { bytes.append(UInt8(ascii: ",")) }
            append(cell, isText: place < texts && !cell.isEmpty, to: &bytes)
        }
        bytes.append(UInt8(ascii: "\r"))
        bytes.append(UInt8(ascii: "\n"))
    }

    private static func append(_ cell: String, isText: Bool, to bytes: inout [UInt8]) {
        guard
            isText || cell.utf8.contains(where: isSpecial) || isPadded(cell) || cell.utf8.starts(with: byteOrderMark)
        else {
            bytes.append(contentsOf: cell.utf8)
            return
        }
        bytes += quoted(Array(cell.utf8))
    }

    /// Lists are kilobytes of JSON with a quote in every tenth byte: by single appends this would be half of writing a file.
    private static func quoted(_ cell: [UInt8]) -> [UInt8] {
        // SAFETY: no byte becomes more than three, and two quotes are around them; what is counted was written.
        unsafe [UInt8](unsafeUninitializedCapacity: 3 * cell.count + 2) { buffer, count in
            func put(_ byte: UInt8) {
                unsafe buffer[count] = byte
                count += 1
            }
            put(quote)
            for byte in cell {
                switch byte {
                case quote:
                    put(quote)
                    put(quote)
                case 0: for byte in "\u{FFFD}".utf8 { put(byte) }
                default: put(byte)
                }
            }
            put(quote)
        }
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
