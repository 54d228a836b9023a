/// How much a model of Gemini thinks before it answers, and what that takes of the limit of tokens.
///
/// Thoughts count against `maxOutputTokens`, and most models think unless they are told not to: with a limit that is meant
/// for the answer alone, the answer would often be empty. Families differ in what they can be told
/// (https://ai.google.dev/gemini-api/docs/thinking); what a model is told is a wish, and only the limit binds.
struct GeminiThinking: Sendable, Equatable {
    /// `thinkingConfig`; nil where nothing is known of the model.
    let configuration: JSONTree?
    /// Tokens for thoughts that the limit has on top of the answer's.
    let headroom: Int

    private static let budget = 1024
    /// More than is asked for, since models pass what they were told.
    private static let room = 4096

    /// - Parameter name: of the model, without `models/`.
    init(model name: String) {
        let others = ["image", "tts", "live", "audio"]
        if others.contains(where: name.contains) {
            self.init(configuration: nil, headroom: 0)
        } else if name.hasPrefix("gemini-2.5-flash") {
            // Flash-Lite too.
            self.init(configuration: .members(["thinkingBudget": .int(0)]), headroom: 0)
        } else if name.hasPrefix("gemini-2.5-pro") {
            // It cannot be kept from thinking.
            self.init(configuration: .members(["thinkingBudget": .int(Self.budget)]), headroom: Self.room)
        } else if name.hasPrefix("gemini-3") {
            self.init(configuration: .members(["thinkingLevel": .string("low")]), headroom: Self.room)
        } else {
            self.init(configuration: nil, headroom: 0)
        }
    }

    private init(configuration: JSONTree?, headroom: Int) {
        self.configuration = configuration
        self.headroom = headroom
    }
}
