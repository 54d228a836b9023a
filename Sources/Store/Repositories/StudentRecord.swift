package import Foundation

/// What a source says of a student. Any of the texts but the id may be empty.
package struct StudentInput: Sendable, Equatable {
    package var userID: String
    package var username: String
    package var name: String
    package var hometown: String
    package var course: String
    package var interests: String

    package init(
        userID: String, username: String, name: String, hometown: String, course: String, interests: String
    ) {
        self.userID = userID
        self.username = username
        self.name = name
        self.hometown = hometown
        self.course = course
        self.interests = interests
    }

    /// In bytes of UTF-8, whatever the source.
    package static let maximumIDBytes = 256
    /// Of the name of a person, a town or a course.
    package static let maximumNameBytes = 1_000
    /// Of all interests together; generation reads the first 4,000 characters of them.
    package static let maximumInterestsBytes = 8_000

    /// The fields by the names that sources know them by, with how long each may be.
    private var fields: [(name: String, text: String, maximum: Int)] {
        [
            ("user_id", userID, Self.maximumIDBytes), ("username", username, Self.maximumNameBytes),
            ("name", name, Self.maximumNameBytes), ("hometown", hometown, Self.maximumNameBytes),
            ("course", course, Self.maximumNameBytes), ("interests", interests, Self.maximumInterestsBytes),
        ]
    }

    /// The first field that is longer than is stored, or nil.
    package var tooLong: (name: String, bytes: Int, maximum: Int)? {
        fields.first { $0.text.utf8.count > $0.maximum }.map { ($0.name, $0.text.utf8.count, $0.maximum) }
    }
}

/// What a student's input is known by without opening it: keyed hashes.
package struct StudentMarks: Sendable, Equatable {
    /// Students with equal ones share a list.
    package let input: String
    /// Nil where no course is named.
    package let course: String?
    /// Of everything, exactly, so that a row that says nothing new is not written.
    package let row: String

    package init(input: String, course: String?, row: String) {
        self.input = input
        self.course = course
        self.row = row
    }
}

/// Where a student's row came from last.
package enum StudentSource: String, Sendable, CaseIterable {
    case file, api, command
}

/// A student as stored, opened.
package struct StudentRecord: Sendable, Equatable {
    package let input: StudentInput
    package let marks: StudentMarks
    /// Of the input that the student's list was made for; nil where there is none yet.
    package let servedMark: String?
    /// When that list was made; nil as well where it is a fall-back, which is outdated at once.
    package let servedAt: Date?
    package let source: StudentSource
    package let createdAt: Date
    /// When the input changed last.
    package let updatedAt: Date
    /// As in `StudentStanding`.
    package let writtenMark: String?

    static let columns = """
        user_id, input, input_mark, course_mark, row_mark, served_mark, served_at, source, created_at, updated_at,
        written_mark
        """

    /// - Throws: `ColumnCipherError` where the input cannot be opened, `StoreError` of code `unexpectedValue` where what
    ///   is opened is none.
    init(_ row: SQLRow, cipher: any ColumnCipher) throws {
        let userID = try row.text("user_id")
        let text = try cipher.open(try row.text("input"), column: StudentRepository.inputColumn)
        input = try StudentDocument(text).input(of: userID)
        marks = StudentMarks(
            input: try row.text("input_mark"), course: try row.optionalText("course_mark"),
            row: try row.text("row_mark"))
        servedMark = try row.optionalText("served_mark")
        servedAt = try row.optionalTime("served_at")
        source = try StudentSource(column: "source", of: row)
        createdAt = try row.time("created_at")
        updatedAt = try row.time("updated_at")
        writtenMark = try row.optionalText("written_mark")
    }

    /// Nil where this one's input is damaged.
    ///
    /// - Throws: `ColumnCipherError` of code `missingKey`, which is no one row's matter.
    static func opened(_ row: SQLRow, _ cipher: any ColumnCipher) throws -> StudentRecord? {
        do {
            return try StudentRecord(row, cipher: cipher)
        } catch let error as ColumnCipherError where error.code == .damaged {
            return nil
        } catch let error as StoreError where error.code == .unexpectedValue {
            return nil
        }
    }
}

extension StudentRecord: CustomStringConvertible, CustomReflectable {
    /// Without what the student said: a record may end in a message.
    package var description: String { "student \(input.userID) (\(source.rawValue))" }
    package var customMirror: Mirror { Mirror(self, children: ["userID": input.userID]) }
}

/// What a list of students changed.
package struct RosterChanges: Sendable, Equatable {
    package var added: Int
    /// Their input mark is another.
    package var changed: Int
    /// Their row is another, and their input mark the same.
    package var renamed: Int
    package var unchanged: Int

    package init(added: Int = 0, changed: Int = 0, renamed: Int = 0, unchanged: Int = 0) {
        self.added = added
        self.changed = changed
        self.renamed = renamed
        self.unchanged = unchanged
    }

    /// Of two lists, one after the other.
    package static func + (first: RosterChanges, second: RosterChanges) -> RosterChanges {
        RosterChanges(
            added: first.added + second.added, changed: first.changed + second.changed,
            renamed: first.renamed + second.renamed, unchanged: first.unchanged + second.unchanged)
    }
}

/// How many students there are, and how many of them are due, each counted once.
package struct DueCounts: Sendable, Equatable {
    package let students: Int
    /// Never served.
    package let new: Int
    /// Served for another input.
    package let changed: Int
    /// Served for the same input too long ago, in the future, or with a fall-back.
    package let outdated: Int

    package init(students: Int, new: Int, changed: Int, outdated: Int) {
        self.students = students
        self.new = new
        self.changed = changed
        self.outdated = outdated
    }
}

/// Students of one mark.
package struct DueGroup: Sendable, Equatable {
    package let mark: String
    /// One of them, the least.
    package let userID: String
    /// How many of them are due.
    package let students: Int

    package init(mark: String, userID: String, students: Int) {
        self.mark = mark
        self.userID = userID
        self.students = students
    }
}

/// What the sealed column of a student holds, as JSON.
struct StudentDocument: Codable {
    private let username: String
    private let name: String
    private let hometown: String
    private let course: String
    private let interests: String

    init(_ input: StudentInput) {
        username = input.username
        name = input.name
        hometown = input.hometown
        course = input.course
        interests = input.interests
    }

    init(_ text: String) throws {
        do {
            self = try JSONDecoder().decode(StudentDocument.self, from: Data(text.utf8))
        } catch {
            // Without the decoder's words, which may quote what somebody said.
            throw StoreError(.unexpectedValue, "the input of a student is not what was stored")
        }
    }

    func input(of userID: String) -> StudentInput {
        StudentInput(
            userID: userID, username: username, name: name, hometown: hometown, course: course, interests: interests)
    }

    func text(_ encoder: JSONEncoder) throws -> String {
        String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}

extension StudentSource {
    /// - Throws: `StoreError` of code `unexpectedValue` for any other text.
    init(column: String, of row: SQLRow) throws {
        let text = try row.text(column)
        guard let source = StudentSource(rawValue: text) else {
            throw StoreError(.unexpectedValue, "the source of a student is “\(text)”, which is none")
        }
        self = source
    }
}
