/// What a sheet of answers says: of abilities, and in words (docs/quiz.md has the map).
package struct QuizReading: Sendable {
    /// What the answers say of each ability: deviation from the average career; 0 where they say nothing.
    package let deviations: [Double]
    /// Whether anything was said of an ability.
    package let isSpokenOf: [Bool]
    /// The texts that the answers add, in the order of the questions.
    package let parts: [QueryPart]

    /// A person's own words count this many times a chosen phrase: they say more about that person than words
    /// that everybody shares.
    package static let freeTextWeight: Float = 3

    package init(_ sheet: AnswerSheet) {
        var sums = [Double](repeating: 0, count: Ability.count)
        var counts = [Int](repeating: 0, count: Ability.count)
        var parts: [QueryPart] = []
        func add(_ abilities: [String: Double]?, times factor: Double) {
            for (name, deviation) in abilities ?? [:] {
                guard let k = Ability(rawValue: name)?.position else { continue }
                sums[k] += deviation * factor
                counts[k] += 1
            }
        }
        for (question, given) in sheet.answers {
            switch given {
            case .choice(let choice):
                add(choice.abilities, times: 1)
                parts.append(
                    QueryPart(
                        origin: .answer(question: question.id, asked: question.text, given: choice.text), weight: 1,
                        work: choice.work, takes: choice.takes))
            case .step(let step):
                guard let scale = question.scale else { continue }
                let middle = Double(scale.min + scale.max) / 2
                let z = (Double(step) - middle) / (Double(scale.max) - middle)
                if z == 0 { continue }
                add(question.abilities, times: z)
                let phrases = z > 0 ? question.high : question.low
                parts.append(
                    QueryPart(
                        origin: .answer(
                            question: question.id, asked: question.text, given: scale.labels[step - scale.min]),
                        weight: Float(abs(z)), work: phrases?.work, takes: phrases?.takes))
            case .text(let text):
                let pieces = TextPieces.readable(text)
                for piece in pieces {
                    parts.append(
                        QueryPart(
                            origin: .freeText(question: question.id, asked: question.text),
                            weight: Self.freeTextWeight / Float(pieces.count),
                            work: question.view == "takes" ? nil : piece, takes: question.view == "work" ? nil : piece))
                }
            }
        }
        isSpokenOf = counts.map { $0 > 0 }
        // The root is the middle way between a sum, in which an ability that many questions touch outweighs the
        // rest, and a mean, in which five answers that agree count no more than one.
        deviations = zip(sums, counts).map { $1 > 0 ? $0 / Double($1).squareRoot() : 0 }
        self.parts = parts.filter { $0.work != nil || $0.takes != nil }
    }
}
