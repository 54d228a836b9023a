/// Writes the rows of one kind of file, guarded against spreadsheets, the header first.
struct TableWriter: Sendable {
    private let writer: MonitorFileWriter
    private let shape: TableShape

    /// - Throws: `MonitorFileError`
    init(_ file: MonitorFile, shape: TableShape) throws {
        writer = try file.begin()
        self.shape = shape
        var bytes: [UInt8] = []
        CSVWriting.append(shape.columns, to: &bytes)
        try writer.append(bytes)
    }

    /// - Parameter rows: with a cell for each column of the shape.
    func append(_ rows: some Sequence<[String]>) throws {
        var bytes: [UInt8] = []
        for cells in rows {
            precondition(cells.count == shape.columns.count, "a row has a cell for each column")
            CSVWriting.append(cells.map(SpreadsheetCell.guarded), texts: shape.inputColumns, to: &bytes)
        }
        try writer.append(bytes)
    }

    func finish() throws -> FileDigest { try writer.finish() }

    func commit() throws -> FileDigest { try writer.commit() }

    func exchange() throws -> MonitorFile? { try writer.exchange() }

    func discard() { writer.discard() }
}
