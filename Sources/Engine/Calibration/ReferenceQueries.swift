package import VectorIndex

/// The queries that a generation is calibrated over.
package struct ReferenceQueries: Sendable {
    /// One query as rows of an index: (layout.rowCount) each.
    package struct Query: Sendable {
        /// What a sheet says in words; all zero where there is no model.
        package let text: [Float]
        /// What it says of abilities.
        package let ability: [Float]
        /// A text outside the quiz; nil where there is no model.
        package let plain: [Float]?
    }

    /// Items that the queries are held against, at most: 1.6 million inner products and 8 MB of cosines, however many
    /// careers there are. All pairs of a million careers are 768 million and 4 GB, at every start.
    ///
    /// For items in random directions a spread over so many has a standard error of at most 1.6 %: squared cosines
    /// spread by at most √2 of their mean, where all queries point one way, and √2 / (2 · √2,048) is left of it.
    /// `Calibration` keeps 32 pairs of each query to find bands by, and 32 divides this: they are the pairs that
    /// it would keep of all items.
    package static let itemLimit = 2_048

    private let quiz: Quiz
    private let space: TextSpace?
    private let phraseVectors: [String: [Float]]
    private let centres: [[Float]]
    private let frame: AbilityFrame

    /// - Parameters:
    ///   - space: nil where there is no model; texts then say nothing.
    ///   - phraseVectors: of the quiz's phrases, by text.
    ///   - centres: for each view of the space what is taken off every phrase.
    package init(
        quiz: Quiz, space: TextSpace?, phraseVectors: [String: [Float]], centres: [[Float]], frame: AbilityFrame
    ) {
        self.quiz = quiz
        self.space = space
        self.phraseVectors = phraseVectors
        self.centres = centres
        self.frame = frame
    }

    /// Holds every reference query against every item, or against `itemLimit` of them where there are more.
    ///
    /// - Complexity: O(queries · min(items, itemLimit) · dimension) time and O(queries · min(items, itemLimit)) memory.
    package func calibrate(on index: Generation) -> Calibration {
        // Of the order of the ids, where the index was made at once. The same items give the same sample.
        let slots = index.slots(spread: Self.itemLimit)
        var sheets: [Calibration.Pair] = []
        var texts: [Calibration.Pair] = []
        sheets.reserveCapacity(Calibration.referenceQueries * slots.count)
        for query in rows(in: index.layout) {
            for slot in slots {
                let ability = index.innerProduct(query.ability, at: slot)
                sheets.append(Calibration.Pair(text: index.innerProduct(query.text, at: slot), ability: ability))
                guard let plain = query.plain else { continue }
                texts.append(Calibration.Pair(text: index.innerProduct(plain, at: slot), ability: ability))
            }
        }
        return Calibration(sheets: sheets, texts: texts)
    }

    /// The queries, the same for the same quiz, space and frame.
    package func rows(in layout: RowLayout) -> [Query] {
        var random = SplitMix64(seed: Calibration.seed)
        var queries: [Query] = []
        for _ in 0..<Calibration.referenceQueries {
            guard let sheet = try? AnswerSheet(quiz.randomAnswers(using: &random), to: quiz) else { continue }
            let reading = QuizReading(sheet)
            let abilities = frame.unitVector(frame.profile(deviations: reading.deviations))
            let text = textRow(reading.parts, centred: true)
            let plain = textRow(
                Array(reading.parts.shuffled(using: &random).prefix(Self.phrasesOfAText)), centred: false)
            queries.append(
                Query(
                    text: Self.padded(text, layout),
                    ability: Self.padded([Float](repeating: 0, count: layout.embeddingCount) + abilities, layout),
                    plain: plain.isEmpty ? nil : Self.padded(plain, layout)))
        }
        return queries
    }

    /// A few lines that somebody writes about themselves are about one thing, as one phrase is.
    private static let phrasesOfAText = 1

    private func textRow(_ parts: [QueryPart], centred: Bool) -> [Float] {
        guard let space else { return [] }
        return TextQuery(
            parts: parts, space: space, vectors: phraseVectors, examples: [:], centres: centred ? centres : nil
        ).row(in: space)
    }

    private static func padded(_ values: [Float], _ layout: RowLayout) -> [Float] {
        values + Array(repeating: 0, count: layout.rowCount - values.count)
    }
}
