/// An explanation in words, made from its numbers.
struct Sentences {
    let summary: String
    let speaksFor: [String]
    let speaksAgainst: [String]

    /// Effects below this share of the strongest are not worth a sentence.
    private static let mention = 0.15
    private static let mostFor = 4
    private static let mostAgainst = 2

    init(
        band: Band, answers: [Explanation.AnswerEffect], abilities: [Explanation.AbilityEffect],
        skills: [String], views: [Explanation.ViewCosine], isRated: Bool, readsLike: ReadsLike? = nil
    ) {
        let strongest = (answers.map(\.points) + abilities.map(\.points)).map(abs).max() ?? 0
        let threshold = max(strongest * Self.mention, 0.05)
        /// The sentences of what speaks most for (sign 1) or against (sign −1) the career.
        func said(_ sign: Double, _ count: Int) -> [(points: Double, sentence: String)] {
            Self.best(answers.map(\.points), sign: sign, threshold: threshold, count: count).map {
                (answers[$0].points, Self.sentence(for: answers[$0]))
            }
        }
        func asked(_ sign: Double, _ count: Int) -> [(points: Double, sentence: String)] {
            Self.best(abilities.map(\.points), sign: sign, threshold: threshold, count: count).map {
                (abilities[$0].points, Self.sentence(for: abilities[$0], isRated: isRated))
            }
        }

        var positive = said(1, 2)
        positive += asked(1, Self.mostFor - positive.count)
        var speaksFor = positive.sorted { $0.points > $1.points }.map(\.sentence)
        if abilities.isEmpty, let sentence = Self.sentence(for: views) { speaksFor.append(sentence) }
        if !skills.isEmpty { speaksFor.append("It uses what you named: \(skills.prefix(4).joined(separator: ", ")).") }
        if let sentence = readsLike.flatMap(Self.sentence) { speaksFor.append(sentence) }
        self.speaksFor = speaksFor

        let negative = said(-1, 1) + asked(-1, 1)
        speaksAgainst = negative.sorted { $0.points < $1.points }.prefix(Self.mostAgainst).map(\.sentence)

        let opening =
            switch band {
            case .excellent: "An excellent match"
            case .strong: "A strong match"
            case .fair: "A fair match"
            case .weak: "A weak match: nearer than most careers, and still not near"
            }
        let reasons = Self.reasons(answers: answers, abilities: abilities, threshold: threshold)
        summary = band == .weak || reasons.isEmpty ? "\(opening)." : "\(opening), above all for \(reasons)."
    }

    /// The places of the greatest effects of one sign: sentences are made of those alone.
    private static func best(_ points: [Double], sign: Double, threshold: Double, count: Int) -> [Int] {
        // Sorted by size, then by the order in which they were said: the same words for the same request.
        Array(
            points.indices.filter { points[$0] * sign >= threshold }
                .sorted { points[$0] != points[$1] ? points[$0] * sign > points[$1] * sign : $0 < $1 }
                .prefix(max(count, 0)))
    }

    private static func sentence(for effect: Explanation.AnswerEffect) -> String {
        let isFor = effect.points > 0
        switch effect.origin {
        case .answer(_, let asked, let given):
            return isFor
                ? "To “\(asked)” you answered “\(given)”, which points here."
                : "To “\(asked)” you answered “\(given)”, which points elsewhere."
        case .freeText(_, let asked):
            return isFor
                ? "What you wrote to “\(asked)” is close to this work."
                : "What you wrote to “\(asked)” is further from this work than from others."
        case .text(let quoted?):
            return isFor
                ? "“\(quoted)” is closer to this work than to most." : "“\(quoted)” is closer to other work."
        case .text(nil):
            return isFor
                ? "What you wrote is closer to this work than to most." : "What you wrote is closer to other work."
        case .skills(let skills):
            let list = skills.prefix(3).joined(separator: ", ")
            return isFor
                ? "The skills you listed (\(list)) are close to what it takes."
                : "The skills you listed (\(list)) are asked for more elsewhere."
        case .example(_, let name, let liked):
            switch (liked, isFor) {
            case (true, true): return "You like \(name), and this is related."
            case (true, false): return "You like \(name), and this is rather different."
            case (false, true): return "You do not like \(name), and this is rather different."
            case (false, false): return "You do not like \(name), and this is related."
            }
        case .history(_, let name, let kind):
            return Self.sentence(career: name, kind: kind, isFor: isFor)
        }
    }

    private static func sentence(career: String, kind: HistoryEntry.Kind, isFor: Bool) -> String {
        switch (kind, isFor) {
        case (.saved, true): "Because you saved \(career): this is related."
        case (.chosen, true): "Because you chose \(career): this is related."
        case (.saved, false): "You saved \(career), and this is rather different."
        case (.chosen, false): "You chose \(career), and this is rather different."
        case (.dismissed, true): "Because you dismissed \(career): this is rather different."
        case (.dismissed, false): "You dismissed \(career), and this is related."
        }
    }

    /// - Parameter isRated: whether the person gave the number, instead of answers that point to it.
    private static func sentence(for effect: Explanation.AbilityEffect, isRated: Bool) -> String {
        let name = effect.ability.words
        let career = number(effect.career)
        let average = number(effect.average)
        let you = effect.you.map(number) ?? average
        let source = isRated ? "your own number" : "your answers"
        let asksMore = effect.career >= effect.average
        switch (effect.points > 0, asksMore) {
        case (true, true):
            let isFarBelow = effect.career - (effect.you ?? effect.average) >= farBelow
            let agreement =
                isRated
                ? "you gave yourself \(you)"
                : "your answers point \(isFarBelow ? "that way" : "to it") (\(you))"
            return "It asks for \(name) (\(career) of 10, the average career \(average)), and \(agreement)."
        case (true, false):
            return
                "It asks for less \(name) than most careers (\(career) of 10, the average \(average)), which suits "
                + "\(source) (\(you))."
        case (false, true):
            return isRated
                ? "It asks for more \(name) (\(career) of 10) than you gave yourself (\(you))."
                : "It asks for more \(name) (\(career) of 10) than your answers point to (\(you))."
        case (false, false):
            return "It makes less use of your \(name) (\(career) of 10, \(source) \(you)) than other careers."
        }
    }

    /// Beyond this difference two numbers are not called equal.
    private static let farBelow = 3.0

    /// Cosines below this are not called near: unrelated texts reach it too.
    private static let leastNearness: Float = 0.25

    /// Where only texts were compared: how near they are in each view, beside an average career.
    private static func sentence(for views: [Explanation.ViewCosine]) -> String? {
        let near = views.filter { $0.cosine > $0.average && $0.cosine >= leastNearness }
        guard !near.isEmpty else { return nil }
        let parts = near.map { view in
            "\(view.name) (\(Hundredths.text(of: view.cosine)), an average career \(Hundredths.text(of: view.average)))"
        }
        return "Your words are near \(parts.joined(separator: " and "))."
    }

    /// Below this share a text is about something else, too.
    private static let leastShare: Float = 0.1

    /// Where what was written is about this very occupation.
    private static func sentence(for readsLike: ReadsLike) -> String? {
        guard readsLike.share >= leastShare else { return nil }
        return "What you wrote reads like \(readsLike.name) (\(Int((readsLike.share * 100).rounded())) %)."
    }

    private static func reasons(
        answers: [Explanation.AnswerEffect], abilities: [Explanation.AbilityEffect], threshold: Double
    ) -> String {
        var reasons: [String] = []
        if let best = answers.max(by: { $0.points < $1.points }), best.points >= threshold {
            switch best.origin {
            case .answer(_, _, let given): reasons.append("“\(given)”")
            case .text(let quoted?): reasons.append("“\(quoted)”")
            case .freeText, .text(nil): reasons.append("what you wrote")
            case .skills: reasons.append("the skills you listed")
            case .example(_, let name, _): reasons.append("its closeness to \(name)")
            case .history(_, let name, let kind):
                reasons.append(kind == .dismissed ? "its distance from \(name)" : "its closeness to \(name)")
            }
        }
        let strengths = abilities.filter { $0.points >= threshold && $0.career >= $0.average }
        if let best = strengths.max(by: { $0.points < $1.points }) { reasons.append("your \(best.ability.words)") }
        return reasons.joined(separator: " and ")
    }

    private static func number(_ value: Double) -> String {
        let rounded = Percent.rounded(value)
        return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
    }
}
