package import Foundation
package import Store

/// One row of `student_interests.csv`.
package struct StudentRow: Sendable, Equatable {
    package var input: StudentInput
    /// The list as a JSON array; empty where the student has none.
    package var recommendations: String
    /// Nil where the student has no list, and where somebody else wrote a time that is not ours.
    package var lastUpdated: Date?
    package var count: Int?

    package init(input: StudentInput, recommendations: String = "", lastUpdated: Date? = nil, count: Int? = nil) {
        self.input = input
        self.recommendations = recommendations
        self.lastUpdated = lastUpdated
        self.count = count
    }
}

/// `student_interests.csv`: what each student said, and the recommendations made of it.
///
/// As a file of input it may have the columns of `StudentInput` alone. Our own columns are read as they are, and what
/// somebody made of them is no damage: they are written anew. Everything here blocks; callers bring a thread of their own.
package enum StudentFile {
    package static let name = "student_interests.csv"
    package static let columns = TableShape.students.columns

    /// Reads the whole file for its mistakes, so that nothing of a damaged one is taken over.
    ///
    /// - Throws: `MonitorFileError`, of code `missing` where there is none.
    package static func check(_ path: String) throws -> CheckedFile {
        var reader = try StudentFileReader(path)
        var rows = 0
        while try reader.next() != nil { rows += 1 }
        return CheckedFile(digest: reader.digest, rows: rows, hasAllColumns: reader.hasAllColumns)
    }
}

/// Reads students row by row. A value: a copy goes on from the same place, so that it may cross threads.
package struct StudentFileReader: Sendable {
    private var table: TableReader

    /// Opens the file and reads its header.
    ///
    /// - Throws: `MonitorFileError`
    package init(_ path: String) throws { try self.init(path, limits: CSVReader.Limits()) }

    package init(_ path: String, limits: CSVReader.Limits) throws {
        table = try TableReader(path, shape: .students, limits: limits)
    }

    package init(_ reader: CSVReader) throws { table = try TableReader(reader, shape: .students) }

    /// Whether the file has our columns too.
    package var hasAllColumns: Bool { table.hasAllColumns }

    /// Of what was read; of the whole file once there is no more row.
    package var digest: FileDigest { table.digest }

    /// The next row; nil at the end.
    ///
    /// - Throws: `MonitorFileError`; there is nothing to be had behind it.
    package mutating func next() throws -> StudentRow? {
        guard let cells = try table.next() else { return nil }
        return StudentRow(
            input: StudentInput(
                userID: cells[0], username: cells[1], name: cells[2], hometown: cells[3], course: cells[4],
                interests: cells[5]),
            recommendations: cells[6], lastUpdated: SQLTime.date(of: cells[7]), count: Int(cells[8]))
    }

    /// The next rows, at most `limit`; none at the end.
    package mutating func next(_ limit: Int) throws -> [StudentRow] {
        var rows: [StudentRow] = []
        while rows.count < limit, let row = try next() { rows.append(row) }
        return rows
    }
}

/// Writes students as they come, aside; the file that was there stays until `commit`.
package struct StudentFileWriter: Sendable {
    private let table: TableWriter

    /// Writes the header. Makes the folder where it is missing.
    ///
    /// - Throws: `MonitorFileError`
    package init(_ file: MonitorFile) throws { table = try TableWriter(file, shape: .students) }

    package func append(_ rows: [StudentRow]) throws {
        try table.append(
            rows.lazy.map { row in
                [
                    row.input.userID, row.input.username, row.input.name, row.input.hometown, row.input.course,
                    row.input.interests, row.recommendations, TableWriter.cell(row.lastUpdated),
                    TableWriter.cell(row.count),
                ]
            })
    }

    /// - Returns: what is about to take the place of the file that was there.
    package func finish() throws -> FileDigest { try table.finish() }

    /// - Returns: what was written, for `monitor_files`.
    package func commit() throws -> FileDigest { try table.commit() }

    /// Takes away what was written so far.
    package func discard() { table.discard() }
}
