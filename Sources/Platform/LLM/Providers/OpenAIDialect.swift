/// What a server that speaks OpenAI's protocol has been found to understand.
///
/// Servers differ in how JSON is asked for, in what the limit of tokens is called, and in whether a temperature may be
/// given. They say so with status 400 or 422; what was learnt of the server holds for the calls after. What one call
/// alone was refused for, such as its schema, does not.
package struct OpenAIDialect: Sendable, Equatable {
    package enum Format: Int, Sendable, Comparable {
        /// No `response_format`: the schema stands among the instructions alone.
        case none
        case object
        case schema

        package static func < (left: Format, right: Format) -> Bool { left.rawValue < right.rawValue }
    }

    /// One thing that is said otherwise.
    package enum Change: Sendable, Equatable {
        case noTemperature
        case countsCompletionTokens(Bool)
        case format(Format)
    }

    package struct Step: Sendable, Equatable {
        package let change: Change
        /// Whether it is the server that does not understand, so that no other call needs to be refused for it.
        package let isLasting: Bool
    }

    package var format = Format.schema
    /// `max_completion_tokens`; before, `max_tokens`.
    package var countsCompletionTokens: Bool
    package var takesTemperature = true
    /// Whether it is told how many numbers a vector is to have. A model of just 768 may be refused for being told so.
    package var takesDimensions = true

    /// - Parameter isOpenAI: whether the server is OpenAI's own, which calls the old name deprecated; others mostly know
    ///   only that.
    package init(isOpenAI: Bool) { countsCompletionTokens = isOpenAI }

    package mutating func apply(_ change: Change) {
        switch change {
        case .noTemperature: takesTemperature = false
        case .countsCompletionTokens(let counts): countsCompletionTokens = counts
        case .format(let format): self.format = format
        }
    }

    /// What to say otherwise after a server refused a request in this dialect; nil where it was refused for something
    /// else.
    ///
    /// - Parameters:
    ///   - about: the server's words and the parameter that it names.
    ///   - asksForJSON: whether the request had a `response_format`.
    package func next(after about: String, asksForJSON: Bool) -> Step? {
        let words = about.lowercased()
        let isUnknown = Self.unknownWords.contains(where: words.contains)
        let name = countsCompletionTokens ? "max_completion_tokens" : "max_tokens"
        if words.contains("context_length") || words.contains("context length") { return nil }
        if words.contains("temperature"), takesTemperature { return Step(change: .noTemperature, isLasting: isUnknown) }
        if words.contains(name) {
            return Step(change: .countsCompletionTokens(!countsCompletionTokens), isLasting: isUnknown)
        }
        guard asksForJSON, format > .none, Self.formatWords.contains(where: words.contains) else { return nil }
        // “Invalid schema for response_format” is about this call's schema: others may be fine.
        let isAboutSchema = words.replacing("json_schema", with: "").contains("schema")
        return Step(
            change: .format(Format(rawValue: format.rawValue - 1) ?? .none),
            isLasting: isUnknown && words.contains("format") && !isAboutSchema)
    }

    /// The dialect to try after a server refused to embed texts in this one; nil where it was refused for something else.
    package func nextForEmbeddings(after about: String) -> OpenAIDialect? {
        let words = about.lowercased()
        guard takesDimensions, words.contains("dimensions") || words.contains("matryoshka") else { return nil }
        var dialect = self
        dialect.takesDimensions = false
        return dialect
    }

    /// How servers say that they do not know a parameter or a value of it, whatever the call.
    private static let unknownWords = [
        "unsupported", "not support", "unavailable", "unknown", "unrecognized", "unexpected", "extra", "not permitted",
        "not allowed", "supported values", "must be", "should be",
    ]
    private static let formatWords = ["response_format", "json_object", "schema", "text.format"]
}
