package import Platform

/// The prompts of the monitor, for the library of all features.
package enum MonitorPrompts {
    /// Words a student's list, and adds to it.
    package static let student = PromptDefinition(
        id: "monitor-student", purpose: "words a student's career list and adds to it",
        variables: [
            PromptVariable("market", .value, "the labour market that the student looks at"),
            PromptVariable("additions", .value, "how many careers may be added"),
            PromptVariable("student", .untrusted, "interests, course and hometown, as JSON"),
            PromptVariable("careers", .untrusted, "the careers that were found for them, as JSON"),
        ],
        text: """
            You help students to see where their interests lead. A program has searched a catalogue of careers for a
            student; {{student}} is what the student told of themselves, and {{careers}} are the careers that were
            found, best first.

            For each of these careers write a reason of one or two plain sentences, at most 40 words, that speaks to
            the student as “you”: connect the course with the interests, and where it matters, the hometown and the
            market of {{market}}. Name each career by its career_id, exactly as given. Promise nothing, and invent
            no facts about the student.

            Then add at most {{additions}} careers that are not among them, suit the student and are to be had in
            {{market}}; add none where you are not sure. Give each the name that people commonly use, its industry,
            what it pays in a year there in the local currency, two to six skills, and a reason as above.

            Write plain text in English: no markup, no addresses, no line breaks.
            """)

    /// Words a course's paths, and adds to them.
    package static let course = PromptDefinition(
        id: "monitor-course", purpose: "words a course's career paths and adds to them",
        variables: [
            PromptVariable("market", .value, "the labour market that graduates look at"),
            PromptVariable("additions", .value, "how many careers may be added"),
            PromptVariable("course", .untrusted, "the name of the course, as JSON"),
            PromptVariable("careers", .untrusted, "the careers that were found for it, as JSON"),
        ],
        text: """
            You help students to see where a course leads. A program has searched a catalogue of careers for the
            course in {{course}}; {{careers}} are the careers that were found, best first.

            For each of these careers write a reason of one or two plain sentences, at most 40 words: what of the
            course is used there, and what it usually takes besides, in the market of {{market}}. Name each career
            by its career_id, exactly as given. Promise nothing.

            Then add at most {{additions}} careers that are not among them, that graduates of the course commonly go
            into and that are to be had in {{market}}; add none where you are not sure. Give each the name that
            people commonly use, its industry, what it pays in a year there in the local currency, two to six
            skills, and a reason as above.

            Write plain text in English: no markup, no addresses, no line breaks.
            """)

    package static let all = [student, course]

    /// Careers that a model may add to a list.
    static let maximumAdditions = 3

    /// Lengths leave room: what is a little too long is cut, and asking again costs more.
    static let schema = JSONSchema.object([
        .required(
            "careers",
            .list(
                of: .object([
                    .required("career_id", .string(maxLength: 300).meaning("the id of a career that was found")),
                    .required("reason", .string(maxLength: 1_200).meaning("one or two plain sentences")),
                ]), count: 0...20)),
        .required(
            "additions",
            .list(
                of: .object([
                    .required("career", .string(maxLength: 300).meaning("its common name")),
                    .required("industry", .string(maxLength: 300)),
                    .required("salary_range", .string(maxLength: 300).meaning("a year's pay in the local currency")),
                    .required("skills", .list(of: .string(maxLength: 300), count: 0...12)),
                    .required("reason", .string(maxLength: 1_200).meaning("one or two plain sentences")),
                ]), count: 0...maximumAdditions)),
    ])
}
