internal import Foundation
internal import Store

/// A row of one of the monitor's files, as its cells and back.
package protocol FileRow: Sendable, Equatable {
    /// The file's name in its folder.
    static var fileName: String { get }
    /// The columns, and where rows have their cells.
    static var shape: TableShape { get }

    /// - Parameter cells: one for each column; what somebody else wrote in ours may be anything.
    init(cells: [String])

    /// One for each column.
    var cells: [String] { get }

    /// A cell that is longer than is stored: its column, and what is wrong with it. Nil where none is.
    var excess: (column: String, message: String)? { get }
}

extension FileRow {
    package var excess: (column: String, message: String)? { nil }

    /// ISO 8601 in UTC; nothing where there was no time.
    static func cell(_ time: Date?) -> String {
        guard let time else { return "" }
        return SQLTime.text(of: time)
    }

    static func cell(_ number: Int?) -> String {
        guard let number else { return "" }
        return String(number)
    }
}

/// One kind of file. Everything here, and of its readers and writers, blocks; callers bring a thread of their own.
package enum RowFile<Row: FileRow> {
    package static var name: String { Row.fileName }
    package static var columns: [String] { Row.shape.columns }

    /// Reads the whole file for its mistakes, so that nothing of a damaged one is taken over.
    ///
    /// - Throws: `MonitorFileError`, of code `missing` where there is none.
    package static func check(_ path: String) throws -> CheckedFile {
        var reader = try RowFileReader<Row>(path)
        var rows = 0
        while try reader.next() != nil { rows += 1 }
        return CheckedFile(digest: reader.digest, rows: rows, hasAllColumns: reader.hasAllColumns)
    }
}

/// Reads a file row by row. A value: a copy goes on from the same place, so that it may cross threads.
package struct RowFileReader<Row: FileRow>: Sendable {
    private var table: TableReader

    /// Opens the file and reads its header.
    ///
    /// - Parameter unwanted: columns whose cells are given as empty, and not looked at.
    /// - Throws: `MonitorFileError`
    package init(
        _ path: String, without unwanted: Set<String> = [], limits: CSVReader.Limits = CSVReader.Limits()
    ) throws {
        table = try TableReader(path, shape: Row.shape, without: unwanted, limits: limits)
    }

    package init(_ reader: CSVReader) throws { table = try TableReader(reader, shape: Row.shape) }

    /// Whether the file has our columns too.
    package var hasAllColumns: Bool { table.hasAllColumns }

    /// Of what was read; of the whole file once there is no more row.
    package var digest: FileDigest { table.digest }

    /// Where the row begins that was given last, from 1.
    package var line: Int { table.line }

    /// The next row; nil at the end.
    ///
    /// - Throws: `MonitorFileError`; there is nothing to be had behind it.
    package mutating func next() throws -> Row? {
        guard let cells = try table.next() else { return nil }
        let row = Row(cells: cells)
        if let excess = row.excess {
            throw MonitorFileError(
                .tooLong, file: table.file, line: table.line, column: excess.column, excess.message)
        }
        return row
    }
}

/// Writes rows as they come, aside; the file that was there stays until `commit`.
package struct RowFileWriter<Row: FileRow>: Sendable {
    private let table: TableWriter

    /// Writes the header. Makes the folder where it is missing.
    ///
    /// - Throws: `MonitorFileError`
    package init(_ file: MonitorFile) throws { table = try TableWriter(file, shape: Row.shape) }

    package func append(_ rows: [Row]) throws { try table.append(rows.lazy.map(\.cells)) }

    /// - Returns: what is about to take the place of the file that was there.
    package func finish() throws -> FileDigest { try table.finish() }

    /// - Returns: what was written, for `monitor_files`.
    package func commit() throws -> FileDigest { try table.commit() }

    /// As `commit`, and keeps what was there (`MonitorFileWriter.exchange`).
    package func exchange() throws -> MonitorFile? { try table.exchange() }

    /// Takes away what was written so far.
    package func discard() { table.discard() }
}
