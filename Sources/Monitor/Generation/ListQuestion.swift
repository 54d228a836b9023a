internal import Engine
internal import Store

/// What a list is made from: equal questions have equal answers.
///
/// Everything is normalised as for the marks, so that it does not matter whose of the students with equal marks it was.
struct ListQuestion: Sendable, Hashable {
    enum Subject: Sendable, Hashable {
        case student, course
    }

    let subject: Subject
    /// In alphabetical order, each once.
    let interests: [String]
    let course: String
    /// Context for wording alone: where somebody comes from says nothing of the work that suits them.
    let hometown: String

    /// Characters of all interests; who writes more is read to here.
    private static let maximumInterests = 4_000
    private static let maximumName = 300

    init(student: StudentInput) {
        subject = .student
        var characters = 0
        interests = InputMarker.interests(in: student.interests).compactMap { interest in
            let rest = Self.maximumInterests - characters
            guard rest > 0 else { return nil }
            characters += interest.count
            return String(interest.prefix(rest))
        }
        course = Self.name(student.course)
        hometown = Self.name(student.hometown)
    }

    init(course: String) {
        subject = .course
        interests = []
        self.course = Self.name(course)
        hometown = ""
    }

    private static func name(_ text: String) -> String { String(InputMarker.normalised(text).prefix(maximumName)) }

    /// What the engine reads: each interest and the course by itself, so that its reasons can name what led to a career.
    /// The interests together weigh as much as a text, the course beside them half of it.
    ///
    /// - Returns: nothing where there is no word in it at all; an encoder gives a vector for anything.
    var remarks: [Remark] {
        let interests = interests.filter { $0.contains(where: \.isLetter) }
        let weight = 1 / Float(max(interests.count, 1))
        var remarks = interests.map { Remark($0, quote: Self.quote($0), weight: weight) }
        if course.contains(where: \.isLetter) {
            remarks.append(
                Remark(course, quote: subject == .student ? Self.quote(course) : nil, weight: Self.courseWeight))
        }
        return remarks
    }

    private static let courseWeight: Float = 0.5

    /// Nil where nothing can be shown of it.
    private static func quote(_ text: String) -> String? {
        let quote = ModelText.plain(text, maximumCharacters: 60)
        return quote.isEmpty ? nil : quote
    }
}
