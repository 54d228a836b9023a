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

extension StudentRow: FileRow {
    package static let fileName = "student_interests.csv"
    package static let shape = TableShape(
        columns: [
            "user_id", "username", "name", "hometown", "course", "interests", "career_recommendations", "last_updated",
            "recommendation_count",
        ], inputColumns: 6)

    package init(cells: [String]) {
        self.init(
            input: StudentInput(
                userID: cells[0], username: cells[1], name: cells[2], hometown: cells[3], course: cells[4],
                interests: cells[5]),
            recommendations: cells[6], lastUpdated: SQLTime.date(of: cells[7]), count: Int(cells[8]))
    }

    package var cells: [String] {
        [
            input.userID, input.username, input.name, input.hometown, input.course, input.interests, recommendations,
            Self.cell(lastUpdated), Self.cell(count),
        ]
    }

    package var excess: (column: String, message: String)? { input.excess }

    /// Whether the row comes from a file that we wrote, as far as can be seen: somebody new has none of our columns.
    package var hasOurs: Bool { lastUpdated != nil || count != nil || !recommendations.isEmpty }
}

extension StudentInput {
    /// A field that is longer than is stored, and what is wrong with it.
    var excess: (column: String, message: String)? {
        tooLong.map { ($0.name, "the text has \($0.bytes) bytes of UTF-8, and \($0.maximum) are stored at most") }
    }
}

/// `student_interests.csv`: what each student said, and the recommendations made of it.
///
/// As a file of input it may have the columns of `StudentInput` alone. Our own columns are read as they are, and what
/// somebody made of them is no damage: they are written anew.
package typealias StudentFile = RowFile<StudentRow>
package typealias StudentFileReader = RowFileReader<StudentRow>
package typealias StudentFileWriter = RowFileWriter<StudentRow>
