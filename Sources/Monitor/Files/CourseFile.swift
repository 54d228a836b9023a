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

extension CourseRow: FileRow {
    package static let fileName = "course_careers.csv"
    package static let shape = TableShape(
        columns: ["course_name", "career_paths", "last_updated", "path_count"], inputColumns: 1)

    package init(cells: [String]) {
        self.init(
            course: cells[0], paths: cells[1], lastUpdated: SQLTime.date(of: cells[2]), count: Int(cells[3]))
    }

    package var cells: [String] { [course, paths, Self.cell(lastUpdated), Self.cell(count)] }
}

/// `course_careers.csv`: the career paths of each course.
package typealias CourseFile = RowFile<CourseRow>
package typealias CourseFileReader = RowFileReader<CourseRow>
package typealias CourseFileWriter = RowFileWriter<CourseRow>
