/// What a server that speaks OpenAI's protocol has been found to understand.
///
/// Servers differ in how JSON is asked for, in what the limit of tokens is called, and in whether a temperature may be
/// given. They say so with status 400 or 422; what was learnt holds for the calls after.
package struct OpenAIDialect: Sendable, Equatable {
    package enum Format: Int, Sendable, Comparable {
        /// No `response_format`: the schema stands among the instructions alone.
        case none
        case object
        case schema

        package static func < (left: Format, right: Format) -> Bool { left.rawValue < right.rawValue }
    }

    package var format = Format.schema
    /// `max_completion_tokens`; before, `max_tokens`.
    package var countsCompletionTokens: Bool
    package var takesTemperature = true

    /// - Parameter isOpenAI: whether the server is OpenAI's own, which calls the old name deprecated; others mostly know
    ///   only that.
    package init(isOpenAI: Bool) { countsCompletionTokens = isOpenAI }

    /// The dialect to try after a server refused a request in this one; nil where it was refused for something else.
    ///
    /// - Parameters:
    ///   - about: the server's words and the parameter that it names.
    ///   - asksForJSON: whether the request had a `response_format`.
    package func next(after about: String, asksForJSON: Bool) -> OpenAIDialect? {
        var dialect = self
        let words = about.lowercased()
        let name = countsCompletionTokens ? "max_completion_tokens" : "max_tokens"
        if words.contains("context_length") || words.contains("context length") { return nil }
        if words.contains("temperature"), takesTemperature {
            dialect.takesTemperature = false
        } else if words.contains(name) {
            // Only from the name that the server's kind is expected to know to the other, so that there is an end.
            dialect.countsCompletionTokens.toggle()
        } else if asksForJSON, format > .none, Self.formatWords.contains(where: words.contains) {
            dialect.format = Format(rawValue: format.rawValue - 1) ?? .none
        } else {
            return nil
        }
        return dialect
    }

    private static let formatWords = ["response_format", "json_object", "schema", "text.format"]
}
