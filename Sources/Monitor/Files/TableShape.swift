/// The columns of one kind of file.
package struct TableShape: Sendable, Equatable {
    /// In the order in which they are written.
    package let columns: [String]
    /// How many of them, from the first, make a file that has nothing of ours in it.
    let inputColumns: Int
    /// The column that each row has, and no two alike.
    var key: String { columns[0] }

    /// For each column its place in the file, nil where the file does not have it.
    ///
    /// Accepted are all columns, or those of the input alone, in any order.
    /// - Throws: `MonitorFileError` of code `header`, which says what is missing or too much.
    func places(in header: CSVRow, file: String) throws -> [Int?] {
        var places: [String: Int] = [:]
        for (place, cell) in header.cells.enumerated() {
            let name = Self.trimmed(cell)
            guard columns.contains(name) else {
                throw MonitorFileError(
                    .header, file: file, line: header.line, column: String(place + 1),
                    "this is no column of the file; its columns are \(columns.joined(separator: ","))")
            }
            guard places[name] == nil else {
                throw MonitorFileError(
                    .header, file: file, line: header.line, column: name, "the column is there twice; remove one")
            }
            places[name] = place
        }
        // Ours are there all or not at all: half of them would be neither a file of ours nor one of input.
        let hasOurs = columns[inputColumns...].contains { places[$0] != nil }
        let expected = hasOurs ? columns : Array(columns[..<inputColumns])
        let missing = expected.filter { places[$0] == nil }
        guard missing.isEmpty else {
            throw MonitorFileError(
                .header, file: file, line: header.line, column: missing[0],
                "these columns are missing: \(missing.joined(separator: ", "))")
        }
        return columns.map { places[$0] }
    }

    static func isEmpty(_ text: String) -> Bool { text.unicodeScalars.allSatisfy(\.properties.isWhitespace) }

    private static func trimmed(_ text: String) -> String {
        text.unicodeScalars.split { $0.properties.isWhitespace }.map { String($0) }.joined(separator: " ")
    }
}
