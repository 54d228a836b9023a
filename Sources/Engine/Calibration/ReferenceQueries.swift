internal import VectorIndex

/// The queries that a generation is calibrated over.
struct ReferenceQueries {
    let quiz: Quiz
    let space: TextSpace?
    let phraseVectors: [String: [Float]]
    let centres: [[Float]]
    let frame: AbilityFrame

    /// Holds every reference query against every item.
    ///
    /// - Complexity: O(queries · items · dimension).
    func calibrate(on index: Generation) -> Calibration {
        let layout = index.layout
        let slots = index.ids.compactMap { index.slot(of: $0) }
        var random = SplitMix64(seed: Calibration.seed)
        var pairs: [Calibration.Pair] = []
        var texts: [Calibration.Pair] = []
        for _ in 0..<Calibration.referenceQueries {
            guard let sheet = try? AnswerSheet(quiz.randomAnswers(using: &random), to: quiz) else { continue }
            let reading = QuizReading(sheet)
            let abilities = frame.unitVector(frame.profile(deviations: reading.deviations))
            let text = textRow(reading.parts, centred: true)
            let plain = textRow(
                Array(reading.parts.shuffled(using: &random).prefix(Self.phrasesOfAText)), centred: false)
            let abilityQuery = Self.padded([Float](repeating: 0, count: layout.embeddingCount) + abilities, layout)
            let textQuery = Self.padded(text, layout)
            let plainQuery = Self.padded(plain, layout)
            for slot in slots {
                let ability = index.innerProduct(abilityQuery, at: slot)
                pairs.append(Calibration.Pair(text: index.innerProduct(textQuery, at: slot), ability: ability))
                if plain.isEmpty { continue }
                texts.append(Calibration.Pair(text: index.innerProduct(plainQuery, at: slot), ability: ability))
            }
        }
        return Calibration(sheets: pairs, texts: texts)
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
