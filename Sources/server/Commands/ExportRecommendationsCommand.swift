internal import ArgumentParser
internal import Foundation
internal import Platform
internal import Store

extension ExportCommand {
    /// `pathlight export recommendations FILE`
    struct Recommendations: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The students and their recommendations as JSON Lines, one student a line.",
            discussion: """
                Each line has user_id, username, name, hometown, course, interests, recommendations, origin, last_updated \
                and recommendation_count; origin and last_updated are null where a student has no list yet. A file that is \
                made is for its owner alone. “pathlight import students” reads it back as students.
                """)

        /// Students of one page, whose lists are in memory together.
        private static let page = 500

        @Argument(help: "The file, or - for standard output.")
        var file: String

        @OptionGroup var common: CommonOptions

        func run() async throws {
            try await PrivateAccess.with(common) { data in
                let students = StudentRepository(data.database, cipher: data.cipher)
                if file == "-" {
                    _ = try await Self.write(students) { try Terminal.data($0) }
                } else {
                    var count = 0
                    try await OutputFile(file).writeForOwner { append in
                        count = try await Self.write(students, append)
                    }
                    Terminal.error("\(count) students written to \(file)")
                }
            }
        }

        /// - Returns: how many students there were.
        private static func write(
            _ students: StudentRepository, _ append: (Data) throws -> Void
        ) async throws -> Int {
            var count = 0
            var last: String?
            while true {
                let rows = try await students.page(after: last, limit: page)
                guard let end = rows.last else { return count }
                last = end.student.input.userID
                count += rows.count
                var lines = Data()
                for (student, list) in rows {
                    lines.append(Data(RecommendationLine(student, list).text.utf8))
                    lines.append(UInt8(ascii: "\n"))
                }
                try append(lines)
            }
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
