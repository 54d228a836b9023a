internal import Foundation
package import Store

/// Makes the marks by which changed students are found without opening what they said.
///
/// Order, case and spacing of interests do not count, nor which of Unicode's compatible forms somebody typed. Names are no
/// part of an input's mark: who is called otherwise has the same list.
package struct InputMarker: Sendable {
    /// What the marks are made under: a column each, so that no two kinds of mark can be equal.
    static let inputColumn = "students.input_mark"
    static let courseColumn = "students.course_mark"
    static let rowColumn = "students.row_mark"

    private let cipher: any ColumnCipher

    package init(cipher: any ColumnCipher) { self.cipher = cipher }

    package func marks(of student: StudentInput) -> StudentMarks {
        let course = Self.normalised(student.course)
        // Nothing normalised has a line feed, so that no two inputs read the same.
        let input = [course, Self.normalised(student.hometown)] + Self.interests(in: student.interests)
        return StudentMarks(
            input: cipher.index(input.joined(separator: "\n"), column: Self.inputColumn),
            course: mark(ofNormalised: course), row: rowMark(of: student))
    }

    /// `marks(of:).row` alone, which takes no normalising.
    func rowMark(of student: StudentInput) -> String {
        cipher.index(Self.exact(student), column: Self.rowColumn)
    }

    /// The mark of a course by its name, however it is spelled; nil where there is none.
    package func mark(ofCourse name: String) -> String? { mark(ofNormalised: Self.normalised(name)) }

    private func mark(ofNormalised course: String) -> String? {
        course.isEmpty ? nil : cipher.index(course, column: Self.courseColumn)
    }

    /// What `interests` lists, each normalised, sorted and without repetition.
    ///
    /// Entries end at `,`, `;`, `|` and line ends, in whatever width they are written, and at the Arabic comma and
    /// semicolon and the ideographic comma.
    package static func interests(in text: String) -> [String] {
        var found: Set<String> = []
        for piece in folded(text).unicodeScalars.split(whereSeparator: endsInterest) {
            let interest = squeezed(piece)
            if !interest.isEmpty { found.insert(interest) }
        }
        return found.sorted()
    }

    /// One line in one spelling: compatibility forms composed (NFKC), case folded, white space squeezed to single spaces.
    package static func normalised(_ text: String) -> String { squeezed(folded(text).unicodeScalars[...]) }

    /// As it was written, with white space squeezed.
    package static func line(_ text: String) -> String { squeezed(text.unicodeScalars[...]) }

    /// NFKC without differences of case.
    ///
    /// Lower case alone leaves “ß” beside “SS” and “ς” beside “Σ”; upper case alone leaves “ẞ”. One after the other they
    /// come to what Unicode's case folding does, which neither Swift nor Foundation offers.
    private static func folded(_ text: String) -> String {
        // The usual case, and a tenth of the time.
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.lowercased() }
        let folded = text.precomposedStringWithCompatibilityMapping.lowercased().uppercased().lowercased()
        // Another case may compose otherwise.
        return folded.precomposedStringWithCompatibilityMapping
    }

    /// Scalars, not characters: a mark that combines with a space would hide it.
    private static func squeezed(_ scalars: Substring.UnicodeScalarView) -> String {
        scalars.split { $0.properties.isWhitespace }.map { String($0) }.joined(separator: " ")
    }

    private static func endsInterest(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        // Folded: the wide comma and semicolon are ASCII's, and the narrow ideographic comma is the wide one, U+3001.
        case ",", ";", "|", "\u{60C}", "\u{61B}", "\u{3001}": true
        case "\n", "\u{B}", "\u{C}", "\r", "\u{85}", "\u{2028}", "\u{2029}": true
        default: false
        }
    }

    /// Everything as it is, each part with its length before it.
    private static func exact(_ student: StudentInput) -> String {
        [
            student.userID, student.username, student.name, student.hometown, student.course, student.interests,
        ].map { "\($0.utf8.count):\($0)" }.joined()
    }
}
