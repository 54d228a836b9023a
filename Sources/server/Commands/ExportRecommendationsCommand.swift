internal import ArgumentParser
internal import Foundation
internal import Platform
internal import Store

extension ExportCommand {
    /// `pathlight export recommendations FILE`
    struct Recommendations: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The students and their recommendations as JSON Lines, one a line; or the courses' paths.",
            discussion: """
                Each line has user_id, username, name, hometown, course, interests, recommendations, origin, last_updated \
                and recommendation_count; origin and last_updated are null where a student has no list yet. A file that is \
                made is for its owner alone. “pathlight import students” reads it back as students.

                With --courses each line has course_name, career_paths, origin, last_updated and path_count.
                """)

        /// Students of one page, whose lists are in memory together.
        private static let page = 500

        @Argument(help: "The file, or - for standard output.")
        var file: String

        @Flag(help: "The courses that have career paths instead, one course a line.")
        var courses = false

        @OptionGroup var common: CommonOptions

        func run() async throws {
            if courses { return try await exportCourses() }
            try await PrivateAccess.with(common) { data in
                let students = StudentRepository(data.database, cipher: data.cipher)
                try await deliver("students") { try await Self.lines(students, after: $0) }
            }
        }

        /// Some of the lines.
        struct Lines: Sendable {
            var text = Data()
            var count = 0
            /// The key of the last of them, for the next page.
            let last: String
        }

        /// Hands lines as they come to the file, or to standard output.
        ///
        /// - Parameter page: the lines behind a key; nil where there is none any more.
        func deliver(_ noun: String, _ page: (String?) async throws -> Lines?) async throws {
            var count = 0
            func all(_ append: (Data) throws -> Void) async throws {
                var last: String?
                while let lines = try await page(last) {
                    last = lines.last
                    count += lines.count
                    try append(lines.text)
                }
            }
            if file == "-" {
                try await all { try Terminal.data($0) }
            } else {
                try await OutputFile(file).writeForOwner { append in try await all(append) }
                Terminal.error("\(count) \(noun) written to \(file)")
            }
        }

        private static func lines(_ students: StudentRepository, after last: String?) async throws -> Lines? {
            let next = try await students.page(after: last, limit: page)
            guard let end = next.last else { return nil }
            var lines = Lines(count: next.students.count, last: end)
            for id in next.unreadable {
                Terminal.error("left out: \(id): what is stored of this student is damaged")
            }
            for (student, list) in next.students {
                lines.text.append(Data(RecommendationLine(student, list).text.utf8))
                lines.text.append(UInt8(ascii: "\n"))
            }
            return lines
        }
    }
}

/// A student and their list as one line of JSON.
private struct RecommendationLine {
    let text: String

    init(_ student: StudentRecord, _ list: InterestListRecord?) {
        let input = student.input
        let before = JSONTree.members([
            "user_id": .string(input.userID), "username": .string(input.username), "name": .string(input.name),
            "hometown": .string(input.hometown), "course": .string(input.course),
            "interests": .string(input.interests),
        ]).json
        let after = JSONTree.members([
            "origin": list.map { JSONTree.string($0.origin.rawValue) } ?? JSONTree.null,
            "last_updated": list.map { JSONTree.string(SQLTime.text(of: $0.madeAt)) } ?? JSONTree.null,
            "recommendation_count": .int(list?.count ?? 0),
        ]).json
        // The list as it is stored: it is JSON already, its fields in their order, which reading would lose.
        text = "\(before.dropLast()),\"recommendations\":\(list?.document ?? "[]"),\(after.dropFirst())"
    }
}
