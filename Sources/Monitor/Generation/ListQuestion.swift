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

    /// What the engine reads.
    var text: String { ([interests.joined(separator: ", ")] + [course]).filter { !$0.isEmpty }.joined(separator: "\n") }

    /// Whether there is a word in it at all; an encoder gives a vector for anything.
    var isReadable: Bool { text.contains(where: \.isLetter) }
}
