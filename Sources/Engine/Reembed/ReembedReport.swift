/// What re-embedding did.
package struct ReembedReport: Codable, Sendable, Equatable {
    package var space: String
    package var model: String
    /// The stored generation that is in use afterwards; nil where there is none.
    package var generation: Int64?
    package var careers = 0
    /// Rows taken from the generation in use, or from the one before it, because text and space are the same.
    package var reused = 0
    /// Rows taken from a run that was interrupted.
    package var resumed = 0
    /// Among those that were taken, rows of earlier texts, kept as they were.
    package var stale = 0
    /// Careers that were embedded.
    package var embedded = 0
    /// Careers that were not, because a model outside refuses a text of theirs; nil where there are none.
    package var refused: RefusedCareers?
    /// Texts that went through the model for them.
    package var texts = 0
    /// Stored rows and blocks that were set aside.
    package var damaged: [String] = []
    /// Rows computed a second time and compared before the switch, and the greatest difference of a number.
    package var sampled = 0
    package var greatestDifference = 0.0
    /// False where a limit stopped it: the generation in use is still the old one, and the next run goes on.
    package var isComplete = false
    /// Whether another generation came into use.
    package var isSwitched = false
    package var seconds = 0.0

    enum CodingKeys: String, CodingKey {
        case space, model, generation, careers, reused, resumed, stale, embedded, refused, texts, damaged, sampled
        case seconds
        case greatestDifference = "greatest_difference"
        case isComplete = "complete"
        case isSwitched = "switched"
    }

    init(space: TextSpace) {
        self.space = space.id
        model = space.modelID
    }
}

/// Careers that a model outside gives no vectors for: those that had one keep it, the others are left out.
package struct RefusedCareers: Error, Codable, Sendable, Equatable, CustomStringConvertible {
    /// Careers that are named; of others there is the number.
    private static let named = 3

    /// Ids, in ascending order.
    package let careers: [String]
    /// Why, for one of them, with the beginning of the text.
    package let reason: String

    package var description: String {
        let named = careers.prefix(Self.named).map { "“\($0)”" }.joined(separator: ", ")
        let more = careers.count > Self.named ? " and \(careers.count - Self.named) more" : ""
        return "no vector of the present texts of \(named)\(more): \(reason)"
    }
}

/// How far re-embedding is.
package struct ReembedProgress: Sendable, Equatable {
    package let done: Int
    package let total: Int
}

/// Why re-embedding stopped; the generation in use is as it was.
package enum ReembedError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Another process holds the lock.
    case busy
    /// What was written is not what it should be.
    case checkFailed([String])
    case noPrevious
    /// Another model has come into use since this run's was loaded.
    case otherModel(String)
    /// A rollback holds vectors of one space, and this run, which nobody asked for, would make those of another.
    case held(space: String, made: String)

    package var description: String {
        switch self {
        case .busy:
            "another process re-embeds these careers; wait until it is done"
        case .checkFailed(let problems):
            "the new vectors failed their checks and were thrown away, the old ones stay in use: "
                + problems.joined(separator: "; ")
        case .noPrevious: "there is no previous generation to go back to"
        case .otherModel(let model): "the careers have been embedded with the model \(model) meanwhile"
        case .held(let space, let made):
            "a rollback holds vectors of the space \(space), and those that can be made here are of \(made); "
                + "“pathlight reembed” makes all of them anew and ends the rollback"
        }
    }
}
