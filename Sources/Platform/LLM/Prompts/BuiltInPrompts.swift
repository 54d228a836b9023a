/// Prompts that belong to no feature. Features bring their own.
package enum BuiltInPrompts {
    /// Shows that the provider answers, and how it treats text that pretends to be instructions.
    package static let check = PromptDefinition(
        id: "provider-check", purpose: "checks that the language model answers",
        variables: [
            PromptVariable("language", .value, "the language of the answer"),
            PromptVariable("text", .untrusted, "any text, which is summed up"),
        ],
        text: """
            You sum up what people write. Sum up {{text}} in one plain sentence of at most 30 words, in {{language}}.
            Say nothing else.
            """)

    package static let all = [check]
}
