internal import Foundation
internal import Store

/// Writes the rows of one kind of file, guarded against spreadsheets, the header first.
struct TableWriter: Sendable {
    private let writer: MonitorFileWriter
    private let shape: TableShape

    /// - Throws: `MonitorFileError`
    init(_ file: MonitorFile, shape: TableShape) throws {
        writer = try file.begin()
        self.shape = shape
        try append([shape.columns])
    }

    /// - Parameter rows: with a cell for each column of the shape.
    func append(_ rows: some Sequence<[String]>) throws {
        var bytes: [UInt8] = []
        for cells in rows {
            precondition(cells.count == shape.columns.count, "a row has a cell for each column")
            CSVWriting.append(cells.map(SpreadsheetCell.guarded), to: &bytes)
        }
        try writer.append(bytes)
    }

    func finish() throws -> FileDigest { try writer.finish() }

    func commit() throws -> FileDigest { try writer.commit() }

    func discard() { writer.discard() }

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
