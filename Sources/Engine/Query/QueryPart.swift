/// One thing that somebody said, with the texts it adds to the query.
package struct QueryPart: Sendable, Hashable {
    package enum Origin: Sendable, Hashable {
        /// A chosen answer of the quiz.
        case answer(question: String, asked: String, given: String)
        /// Somebody's own words in the quiz.
        case freeText(question: String, asked: String)
        /// Text outside the quiz; with what to call it where it is one of several things.
        case text(quoted: String?)
        /// A list of skills.
        case skills([String])
        /// A career named as liked or disliked.
        case example(career: String, name: String, liked: Bool)
        /// A career that the person saved, chose or dismissed before.
        case history(career: String, name: String, kind: HistoryEntry.Kind)
    }

    package let origin: Origin
    /// How much its vectors count; below 0 for what somebody dislikes.
    package let weight: Float
    /// Text for the view *what the work is*.
    package let work: String?
    /// Text for the view *what it takes*.
    package let takes: String?

    package init(origin: Origin, weight: Float, work: String?, takes: String?) {
        self.origin = origin
        self.weight = weight
        self.work = work
        self.takes = takes
    }

    /// The career whose vectors the part stands for, where it is no text.
    var exampleCareer: String? {
        switch origin {
        case .example(let career, _, _), .history(let career, _, _): career
        case .answer, .freeText, .text, .skills: nil
        }
    }

    /// Whether it is in somebody's own words.
    var isWritten: Bool {
        switch origin {
        case .text, .freeText, .skills: true
        case .answer, .example, .history: false
        }
    }

    var isHistory: Bool {
        if case .history = origin { true } else { false }
    }

    /// The texts that fill a view.
    func texts(for content: TextView.Content) -> [String] {
        switch content {
        case .work: work.map { [$0] } ?? []
        case .takes: takes.map { [$0] } ?? []
        case .everything, .both:
            [work, takes].compactMap { $0 }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        }
    }
}
