internal import Synchronization

/// What scores look like over reference queries: the scale λ of the ability cosine, and where bands begin.
///
/// The reference queries are random answer sheets with a fixed seed, held against every career, or against
/// `ReferenceQueries.itemLimit` of them where there are more. Queries of plain text have another distribution of
/// cosines, so they have reference queries of their own: single phrases of the quiz.
package struct Calibration: Sendable, Codable, Equatable {
    /// One reference query held against one career.
    package struct Pair: Sendable, Codable, Equatable {
        package let text: Float
        package let ability: Float

        package init(text: Float, ability: Float) {
            self.text = text
            self.ability = ability
        }
    }

    /// Sheets, and texts outside the quiz, that a calibration is measured over.
    package static let referenceQueries = 256
    package static let seed: UInt64 = 20_260_226

    /// Standard deviation of text cosines and of ability cosines over reference queries × careers.
    package let textSpread: Double
    package let abilitySpread: Double
    package let textMean: Double
    package let abilityMean: Double
    /// λ = min(1, textSpread / abilitySpread): makes α mean what it says.
    package let lambda: Float
    /// Cosines of answer sheets, and of texts outside the quiz beside the same abilities; sampled evenly.
    package let sheets: [Pair]
    package let texts: [Pair]

    package init(sheets: [Pair], texts: [Pair]) {
        func moments(_ values: [Float]) -> (mean: Double, spread: Double) {
            guard !values.isEmpty else { return (0, 0) }
            let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
            let variance = values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(values.count)
            return (mean, variance.squareRoot())
        }
        let text = moments(sheets.map(\.text))
        let ability = moments(sheets.map(\.ability))
        textSpread = text.spread
        abilitySpread = ability.spread
        textMean = text.mean
        abilityMean = ability.mean
        // Without texts (no model) abilities rank alone, and any λ above 0 ranks alike.
        lambda = text.spread > 0 && ability.spread > 0 ? Float(min(1, text.spread / ability.spread)) : 1
        self.sheets = Self.thinned(sheets)
        self.texts = Self.thinned(texts)
    }

    private static let sampleSize = 8_192

    private static func thinned<T>(_ values: [T]) -> [T] {
        guard values.count > sampleSize else { return values }
        return (0..<sampleSize).map { values[$0 * values.count / sampleSize] }
    }
}

/// How good a score is, in words: from where it lies among the scores of reference queries.
package enum Band: String, Sendable, CaseIterable {
    case excellent, strong, fair, weak

    /// The best band that this many answers can earn. One or two phrases point so sharply that some career is always
    /// near, which says little about the person; the reference sheets are complete.
    package static func ceiling(answers: Int) -> Band {
        answers <= 1 ? .fair : answers <= 3 ? .strong : .excellent
    }

    /// This band, or `other` where that is lower.
    package func atMost(_ other: Band) -> Band {
        percentile <= other.percentile ? self : other
    }

    /// The share of reference scores that a band's scores exceed.
    package var percentile: Double {
        switch self {
        case .excellent: 0.99
        case .strong: 0.95
        case .fair: 0.80
        case .weak: 0
        }
    }
}

/// The scores at which bands begin, for one way of weighing.
package struct BandLimits: Sendable, Equatable {
    private let limits: [(band: Band, score: Float)]

    /// - Parameter hasAnswers: whether the quiz was answered; texts outside it have other cosines.
    init(calibration: Calibration, alpha: Float, hasAnswers: Bool) {
        let pairs = hasAnswers || calibration.texts.isEmpty ? calibration.sheets : calibration.texts
        var scores = pairs.map { pair in
            (1 + alpha * pair.text + (1 - alpha) * calibration.lambda * pair.ability) / 2
        }
        scores.sort()
        limits = Band.allCases.filter { $0 != .weak }.map { band in
            guard !scores.isEmpty else { return (band, .infinity) }
            return (band, scores[min(scores.count - 1, Int(band.percentile * Double(scores.count)))])
        }
    }

    package func band(of score: Float) -> Band {
        limits.first { score >= $0.score }?.band ?? .weak
    }

    package static func == (a: BandLimits, b: BandLimits) -> Bool {
        zip(a.limits, b.limits).allSatisfy { $0 == $1 }
    }
}

/// Band limits by α, worked out once each.
final class BandTable: Sendable {
    private struct Key: Hashable {
        let alpha: Float
        let hasAnswers: Bool
    }

    private let calibration: Calibration
    private let known = Mutex<[Key: BandLimits]>([:])
    /// A client that sends a new α each time costs a sort each time, and no memory.
    private static let capacity = 256

    init(_ calibration: Calibration) { self.calibration = calibration }

    func limits(alpha: Float, hasAnswers: Bool) -> BandLimits {
        let key = Key(alpha: alpha, hasAnswers: hasAnswers)
        if let limits = known.withLock({ $0[key] }) { return limits }
        let limits = BandLimits(calibration: calibration, alpha: alpha, hasAnswers: hasAnswers)
        known.withLock { known in
            if known.count >= Self.capacity { known.removeAll(keepingCapacity: true) }
            known[key] = limits
        }
        return limits
    }
}
