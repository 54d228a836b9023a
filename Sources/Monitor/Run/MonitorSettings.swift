package import Foundation

/// How recommendations are kept fresh.
package struct MonitorSettings: Sendable, Equatable {
    /// Where the two files lie.
    package var folder: String
    /// A file of students that somebody else writes, read where it changed; nil for none.
    package var studentsFile: String?
    /// After so many days a student's list is outdated.
    package var studentDays: Int
    /// After so many days a course's paths are outdated.
    package var courseDays: Int
    /// Calls of a language model that a run may make.
    package var modelCalls: Int
    /// What salaries and employers are thought of; one line.
    package var market: String

    package init(
        folder: String, studentsFile: String? = nil, studentDays: Int = 7, courseDays: Int = 30, modelCalls: Int = 100,
        market: String = ModelWording.standardMarket
    ) {
        self.folder = folder
        self.studentsFile = studentsFile
        self.studentDays = studentDays
        self.courseDays = courseDays
        self.modelCalls = modelCalls
        self.market = market
    }

    /// Lists that were made before are outdated.
    package func studentsOutdatedBefore(_ now: Date) -> Date { now.addingTimeInterval(-86_400 * Double(studentDays)) }
    /// Paths that were found before are outdated.
    package func coursesOutdatedBefore(_ now: Date) -> Date { now.addingTimeInterval(-86_400 * Double(courseDays)) }
}
