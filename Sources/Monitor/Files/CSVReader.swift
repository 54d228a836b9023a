internal import Crypto
internal import Foundation

/// One record of a CSV file.
package struct CSVRow: Sendable, Equatable {
    /// Where it begins, from 1.
    package let line: Int
    package var cells: [String]

    /// A line of nothing, or of separators alone, as spreadsheets leave behind the last row.
    package var isBlank: Bool { cells.allSatisfy(\.isEmpty) }
}

/// Reads comma-separated values as RFC 4180 has them, strictly, holding one chunk of the file and one record.
///
/// A reader of its own and not Engine's `CSVRecords` over pieces of the file: that one guesses the separator anew, counts
/// lines from 1 and takes off a byte order mark wherever it begins, and goes on behind a mistake, where this file must be
/// refused. Line ends are CRLF, LF or CR. The separator is the first of `,`, `;` and tab outside quotes in the first record
/// that is not empty: names of columns hold none of them, and a spreadsheet that was told so saves with semicolons.
///
/// A value: a copy goes on from the same place of the file. The hash of what was read comes for free.
package struct CSVReader: Sendable {
    package struct Limits: Sendable, Equatable {
        package var chunkBytes = 1 << 16
        /// A quote that is never closed would otherwise have the rest of the file read as one cell.
        package var recordBytes = 4 << 20
        package var cells = 64

        package init() {}
    }

    /// Bytes from an offset on, at most so many; none at the end.
    package typealias Source = @Sendable (_ offset: Int, _ count: Int) throws -> [UInt8]

    let file: String
    /// Names for messages, in the order of the file.
    var columns: [String] = []
    /// Cells, by their places, that nobody wants: they are passed over, and given as empty.
    var passedOver: Set<Int> = []

    private let source: Source
    private let limits: Limits
    private var chunk: [UInt8] = []
    private var place = 0
    /// Of the file, read so far.
    private var offset = 0
    private var isAtEnd = false
    private var hash = SHA256()

    private var separator: UInt8?
    private var line = 1
    private var isFirst = true
    /// Of the record at hand.
    private var recordBytes = 0
    private var recordLine = 1
    private var cell: [UInt8] = []
    private var isWanted = true
    /// Whether the byte before was a carriage return within quotes.
    private var wasReturn = false

    /// - Parameter file: the path, for messages.
    package init(file: String, limits: Limits = Limits(), source: @escaping Source) {
        self.file = file
        self.limits = limits
        self.source = source
    }

    /// The digest of what was read; of the whole file once `next` gave nil.
    package var digest: FileDigest { FileDigest(hash, bytes: Int64(offset)) }

    /// The next record; nil at the end of the file.
    ///
    /// - Throws: `MonitorFileError`; there is nothing to be had behind it.
    package mutating func next() throws -> CSVRow? {
        if isFirst { try skipByteOrderMark() }
        guard try peek() != nil else { return nil }
        recordBytes = 0
        recordLine = line
        var row = CSVRow(line: line, cells: [])
        let decided = separator
        while true {
            guard row.cells.count < limits.cells else {
                throw MonitorFileError(
                    .cells, file: file, line: recordLine, "the row has more than \(limits.cells) cells")
            }
            let (start, index) = (line, row.cells.count)
            isWanted = passedOver.isEmpty || !passedOver.contains(index)
            try readCell(at: index)
            row.cells.append(isWanted ? try text(startingAt: start, at: index) : "")
            guard let byte = try peek() else { break }
            place += 1
            if Self.isLineEnd(byte) {
                if byte == Self.carriageReturn, try peek() == Self.lineFeed { place += 1 }
                line += 1
                break
            }
        }
        // The first record with something in it alone decides; readers pass over empty ones before it.
        if row.isBlank { separator = decided } else if separator == nil { separator = UInt8(ascii: ",") }
        return row
    }

    // MARK: Cells

    /// Collects the cell that begins here; what follows is then a separator, a line end or the end.
    private mutating func readCell(at index: Int) throws {
        cell.removeAll(keepingCapacity: true)
        if try peek() == Self.quote { return try readQuoted(at: index) }
        while let byte = try peek() {
            if isSeparator(byte) || Self.isLineEnd(byte) { return }
            guard byte != Self.quote else {
                throw MonitorFileError(
                    .quoting, file: file, line: line, column: name(of: index),
                    "a quote stands inside a cell that does not begin with one; quote the whole cell and double the "
                        + "quotes within")
            }
            var end = place + 1
            while end < chunk.count, !endsPlain(chunk[end]) { end += 1 }
            try take(upTo: end)
        }
    }

    private mutating func readQuoted(at index: Int) throws {
        let opened = line
        wasReturn = false
        place += 1
        while try peek() != nil {
            try take(upTo: endOfQuoted())
            guard place < chunk.count else { continue }
            place += 1
            guard let following = try peek() else { return }
            if following == Self.quote {
                wasReturn = false
                try take(upTo: place + 1)
                continue
            }
            if isSeparator(following) || Self.isLineEnd(following) { return }
            throw MonitorFileError(
                .quoting, file: file, line: line, column: name(of: index),
                "text follows a closing quote; put it inside the quotes, and double the quotes that are letters")
        }
        throw MonitorFileError(
            .quoting, file: file, line: opened, column: name(of: index),
            "the quote that opens here is never closed; close it, or double it where it is meant as a letter")
    }

    /// The next quote of the chunk, from the place on; of a cell that nobody wants the next one that is not doubled.
    private mutating func endOfQuoted() -> Int {
        var end = place
        while end < chunk.count {
            if chunk[end] == Self.quote {
                guard !isWanted, end + 1 < chunk.count, chunk[end + 1] == Self.quote else { break }
                wasReturn = false
                end += 2
            } else {
                countLine(chunk[end])
                end += 1
            }
        }
        return end
    }

    private mutating func countLine(_ byte: UInt8) {
        // The two of a CRLF are one line end.
        if byte == Self.carriageReturn || (byte == Self.lineFeed && !wasReturn) { line += 1 }
        wasReturn = byte == Self.carriageReturn
    }

    private mutating func take(upTo end: Int) throws {
        recordBytes += end - place
        guard recordBytes <= limits.recordBytes else {
            throw MonitorFileError(
                .tooLong, file: file, line: recordLine,
                "the row that begins here has more than \(limits.recordBytes) bytes; is a quote not closed?")
        }
        if isWanted { cell.append(contentsOf: chunk[place..<end]) }
        place = end
    }

    private func text(startingAt line: Int, at index: Int) throws -> String {
        guard let text = String(validating: cell, as: UTF8.self), !cell.contains(0) else {
            throw MonitorFileError(
                .notText, file: file, line: line, column: name(of: index),
                "a cell is not UTF-8, or holds U+0000; save the file as “CSV UTF-8”")
        }
        return text
    }

    private func name(of index: Int) -> String { index < columns.count ? columns[index] : String(index + 1) }

    // MARK: Bytes

    private static let quote = UInt8(ascii: "\"")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    private static func isLineEnd(_ byte: UInt8) -> Bool { byte == lineFeed || byte == carriageReturn }

    private func endsPlain(_ byte: UInt8) -> Bool {
        // All of them: one that is no separator is looked at again, and is then a letter.
        switch byte {
        case Self.quote, Self.lineFeed, Self.carriageReturn, UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t"):
            true
        default: false
        }
    }

    private mutating func isSeparator(_ byte: UInt8) -> Bool {
        if let separator { return byte == separator }
        guard byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "\t") else { return false }
        separator = byte
        return true
    }

    /// The byte at hand; nil at the end of the file.
    private mutating func peek() throws -> UInt8? {
        if place < chunk.count { return chunk[place] }
        guard !isAtEnd else { return nil }
        try fill()
        return place < chunk.count ? chunk[place] : nil
    }

    /// Reads one piece more, behind what is left of the chunk.
    private mutating func fill() throws {
        let piece = try source(offset, limits.chunkBytes)
        offset += piece.count
        isAtEnd = piece.isEmpty
        hash.update(data: piece)
        if place == chunk.count {
            chunk = piece
            place = 0
        } else {
            chunk += piece
        }
    }

    private mutating func skipByteOrderMark() throws {
        isFirst = false
        let mark = CSVWriting.byteOrderMark
        // A source may give less than it is asked for.
        while chunk.count < mark.count, !isAtEnd { try fill() }
        if chunk.starts(with: mark) { place = mark.count }
    }
}
