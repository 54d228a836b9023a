internal import Store

/// What keeps the service from following its catalogue: news once, shown as long as it lasts.
package struct StandingProblems: Sendable {
    package enum Step: Int, Sendable {
        /// Serving what the store has.
        case following
        /// Giving vectors to careers that have none that fits.
        case embedding
        /// Asking a model outside.
        case asking
    }

    private var problems: [Step: String] = [:]

    package init() {}

    /// Remembers what keeps a step from being done.
    ///
    /// - Returns: whether it is news.
    package mutating func note(_ problem: String, in step: Step) -> Bool {
        problems.updateValue(problem, forKey: step) != problem
    }

    /// Forgets what kept a step from being done.
    ///
    /// - Returns: what it was; nil where there was nothing.
    package mutating func mended(_ step: Step) -> String? { problems.removeValue(forKey: step) }

    /// An error as everybody may read it: where the data lies and what the driver says is for the log.
    ///
    /// - Parameter location: of the database, which errors of what is stored name.
    package static func words(for error: any Error, of location: String) -> String {
        let words = (error as? StoreError)?.message ?? "\(error)"
        return words.replacing(location, with: "the database")
    }

    /// All of them in words; nil where there are none.
    package var summary: String? {
        let lines = problems.sorted { $0.key.rawValue < $1.key.rawValue }.map(\.value)
        return lines.isEmpty ? nil : lines.joined(separator: "; ")
    }
}
