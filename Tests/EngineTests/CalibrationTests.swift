import Engine
import Testing
import VectorIndex

@Suite struct `Reference queries` {
    @Test(arguments: [1, 172, 1_016, ReferenceQueries.itemLimit], [true, false])
    func `are held against every item of an ordinary catalogue`(count: Int, hasModel: Bool) throws {
        let made = try MadeUpIndex(items: count, hasModel: hasModel)
        let calibration = made.queries.calibrate(on: made.index)
        #expect(calibration == made.calibration(over: made.slots), "\(MadeUpIndex.seed)")
        #expect(calibration.texts.isEmpty == !hasModel)
    }

    @Test func `are held against an even sample of a large catalogue`() throws {
        let made = try MadeUpIndex(items: 10_000)
        let sample = made.index.slots(spread: ReferenceQueries.itemLimit)
        #expect(sample.count == ReferenceQueries.itemLimit && sample.first == Slot(0))
        let step = 10_000 / ReferenceQueries.itemLimit
        let steps = zip(sample, sample.dropFirst()).map { Int($1.index) - Int($0.index) }
        #expect(steps.allSatisfy { $0 == step || $0 == step + 1 })
        // The calibration is over these and no others.
        #expect(made.queries.calibrate(on: made.index) == made.calibration(over: sample), "\(MadeUpIndex.seed)")
    }

    @Test func `say of a sample what they say of all`() throws {
        let made = try MadeUpIndex(items: 10_000)
        let sampled = made.queries.calibrate(on: made.index)
        let all = made.calibration(over: made.slots)
        // Three standard errors of the worst case (`ReferenceQueries.itemLimit`).
        #expect(abs(sampled.textSpread / all.textSpread - 1) < 0.05, "\(MadeUpIndex.seed)")
        #expect(abs(sampled.abilitySpread / all.abilitySpread - 1) < 0.05, "\(MadeUpIndex.seed)")
        // λ is their ratio, whose standard error is √2 times as large.
        #expect(all.lambda > 0 && all.lambda < 1)
        #expect(abs(sampled.lambda / all.lambda - 1) < 0.07, "\(MadeUpIndex.seed)")
        // Bands are found by the same pairs, so that a limit moves by what λ moves a score, at most: (1 − α) / 2 · Δλ.
        #expect(sampled.sheets == all.sheets && sampled.texts == all.texts)
        for band in Band.allCases {
            for alpha in [0, 0.7, 1] as [Float] {
                let difference = abs(
                    Self.limit(of: band, sampled, alpha: alpha) - Self.limit(of: band, all, alpha: alpha))
                #expect(difference <= (1 - alpha) / 2 * abs(sampled.lambda - all.lambda) + 1e-6, "\(band) \(alpha)")
            }
        }
    }

    /// The score at which a band begins.
    private static func limit(of band: Band, _ calibration: Calibration, alpha: Float) -> Float {
        let scores = calibration.sheets.map { pair -> Float in
            let ability = calibration.lambda * pair.ability
            return (1 + alpha * pair.text + (1 - alpha) * ability) / 2
        }
        return scores.sorted()[Int(band.percentile * Double(scores.count))]
    }
}

/// An index of made-up items in a space of few dimensions, and the reference queries of the built-in quiz there.
private struct MadeUpIndex {
    static let seed: UInt64 = 4_711
    private static let dimension = 32

    let index: Generation
    let queries: ReferenceQueries

    init(items count: Int, hasModel: Bool = true) throws {
        var random = SplitMix64(seed: Self.seed)
        func unitVector() -> [Float] {
            let values = (0..<Self.dimension).map { _ in Double.random(in: -1...1, using: &random) }
            let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return values.map { Float($0 / norm) }
        }
        let quiz = try BuiltIn.quiz()
        let profiles = (0..<count).map { _ in
            (0..<Ability.count).map { _ in Double.random(in: 0...10, using: &random) }
        }
        let frame = AbilityFrame(profiles: profiles, comparison: .centred)
        var items: [IndexItem] = []
        for (number, profile) in profiles.enumerated() {
            items.append(
                IndexItem(
                    id: ItemID("item-\(number)"), embedding: hasModel ? unitVector() : [],
                    abilities: frame.unitVector(profile)))
        }
        let layout = RowLayout(embeddingCount: Self.dimension, abilityCount: Ability.count)
        index = try LiveIndex(layout: layout, codesFrom: .max).replaceAll(with: items)
        var phraseVectors: [String: [Float]] = [:]
        for text in Set(quiz.phrases.work + quiz.phrases.takes).sorted() { phraseVectors[text] = unitVector() }
        let space = TextSpace(
            id: "small@1", modelID: "small", weightsSHA256: "", description: "{}",
            views: [TextView(content: .everything, name: "all of it", weight: 1)], dimension: Self.dimension)
        queries = ReferenceQueries(
            quiz: quiz, space: hasModel ? space : nil, phraseVectors: hasModel ? phraseVectors : [:],
            centres: hasModel ? [[Float](repeating: 0, count: Self.dimension)] : [], frame: frame)
    }

    /// Of every item: none was ever replaced.
    var slots: [Slot] { (0..<index.count).map { Slot($0) } }

    /// The calibration over some items, each held against each query.
    func calibration(over slots: [Slot]) -> Calibration {
        var sheets: [Calibration.Pair] = []
        var texts: [Calibration.Pair] = []
        for query in queries.rows(in: index.layout) {
            for slot in slots {
                let ability = index.innerProduct(query.ability, at: slot)
                sheets.append(Calibration.Pair(text: index.innerProduct(query.text, at: slot), ability: ability))
                if let plain = query.plain {
                    texts.append(Calibration.Pair(text: index.innerProduct(plain, at: slot), ability: ability))
                }
            }
        }
        return Calibration(sheets: sheets, texts: texts)
    }
}
