internal import ArgumentParser
internal import Foundation
internal import Platform
internal import Store

/// `pathlight export recommendations --courses FILE`
extension ExportCommand.Recommendations {
    /// Courses of one page, whose paths are in memory together.
    private static let coursesOfPage = 500

    /// Nothing of a course is sealed: no key is asked for.
    func exportCourses() async throws {
        try await PrivateAccess.withDatabase(common, makes: false) { _, database, _ in
            let courses = CourseRepository(database)
            try await deliver("courses") { try await Self.lines(courses, after: $0) }
        }
    }

    private static func lines(_ courses: CourseRepository, after last: String?) async throws -> Lines? {
        let page = try await courses.page(after: last, limit: coursesOfPage)
        guard let end = page.last else { return nil }
        return Lines(text: Data(page.map { line($0) + "\n" }.joined().utf8), count: page.count, last: end.mark)
    }

    private static func line(_ paths: CoursePathsRecord) -> String {
        let name = JSONTree.members(["course_name": .string(paths.course)]).json
        let rest = JSONTree.members([
            "origin": .string(paths.origin.rawValue), "last_updated": .string(SQLTime.text(of: paths.madeAt)),
            "path_count": .int(paths.count),
        ]).json
        // The paths as they are stored, as those of students are.
        return "\(name.dropLast()),\"career_paths\":\(paths.document),\(rest.dropFirst())"
    }
}
