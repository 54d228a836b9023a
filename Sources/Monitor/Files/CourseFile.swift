package import Foundation
internal import Store

/// One row of `course_careers.csv`.
package struct CourseRow: Sendable, Equatable {
    /// As it was written first.
    package var course: String
    /// The career paths as a JSON array; empty where there are none yet.
    package var paths: String
    /// Nil where there are no paths, and where somebody else wrote a time that is not ours.
    package var lastUpdated: Date?
    package var count: Int?

    package init(course: String, paths: String = "", lastUpdated: Date? = nil, count: Int? = nil) {
        self.course = course
        self.paths = paths
        self.lastUpdated = lastUpdated
        self.count = count
    }
}

/// `course_careers.csv`: the career paths of each course. Everything here blocks; callers bring a thread of their own.
package enum CourseFile {
    package static let name = "course_careers.csv"
    package static let columns = TableShape.courses.columns

    /// Reads the whole file for its mistakes.
    ///
    /// - Throws: `MonitorFileError`, of code `missing` where there is none.
    package static func check(_ path: String) throws -> CheckedFile {
        var reader = try CourseFileReader(path)
        var rows = 0
        while try reader.next() != nil { rows += 1 }
        return CheckedFile(digest: reader.digest, rows: rows, hasAllColumns: reader.hasAllColumns)
    }
}

/// Reads courses row by row. A value: a copy goes on from the same place.
package struct CourseFileReader: Sendable {
    private var table: TableReader

    /// Opens the file and reads its header.
    ///
    /// - Throws: `MonitorFileError`
    package init(_ path: String) throws { table = try TableReader(path, shape: .courses) }

    package init(_ reader: CSVReader) throws { table = try TableReader(reader, shape: .courses) }

    /// Whether the file has our columns too.
    package var hasAllColumns: Bool { table.hasAllColumns }

    /// Of what was read; of the whole file once there is no more row.
    package var digest: FileDigest { table.digest }

    /// The next row; nil at the end.
    ///
    /// - Throws: `MonitorFileError`; there is nothing to be had behind it.
    package mutating func next() throws -> CourseRow? {
        guard let cells = try table.next() else { return nil }
        return CourseRow(
            course: cells[0], paths: cells[1], lastUpdated: SQLTime.date(of: cells[2]), count: Int(cells[3]))
    }
}

/// Writes courses as they come, aside; the file that was there stays until `commit`.
package struct CourseFileWriter: Sendable {
    private let table: TableWriter

    /// Writes the header. Makes the folder where it is missing.
    ///
    /// - Throws: `MonitorFileError`
    package init(_ file: MonitorFile) throws { table = try TableWriter(file, shape: .courses) }

    package func append(_ rows: [CourseRow]) throws {
        try table.append(
            rows.lazy.map { row in
                [row.course, row.paths, TableWriter.cell(row.lastUpdated), TableWriter.cell(row.count)]
            })
    }

    /// - Returns: what is about to take the place of the file that was there.
    package func finish() throws -> FileDigest { try table.finish() }

    /// - Returns: what was written, for `monitor_files`.
    package func commit() throws -> FileDigest { try table.commit() }

    /// Takes away what was written so far.
    package func discard() { table.discard() }
}
