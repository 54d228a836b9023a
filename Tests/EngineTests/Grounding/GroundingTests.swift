import Engine
import Foundation
import TestSupport
import Testing

/// Titles with random vectors, some of them the same, and what each goes by.
private struct RandomTitles {
    let titles: OccupationTitles
    let codes: TitleCodes

    /// - Parameter copies: titles whose vector is that of the title before.
    init(
        occupations: Int, pool: Int, dimension: Int, copies: Int = 0, _ random: inout SeededGenerator
    ) {
        var careers: [Career] = []
        for number in 0..<occupations {
            var aliases: [String] = []
            for _ in 0..<6 { aliases.append("title \(Int.random(in: 0..<pool, using: &random))") }
            careers.append(Jobs.career("id-\(number)", "name \(number)", aliases))
        }
        titles = OccupationTitles(of: careers)
        var vectors = titles.titles.map { _ in random.direction(dimension) }
        for _ in 0..<copies {
            let title = Int.random(in: 1..<vectors.count, using: &random)
            vectors[title] = vectors[title - 1]
        }
        codes = TitleCodes(dimension: dimension, rounding: vectors)
    }
}

/// Which occupations a text is about as the definition says it, in Double: every cosine, one order, a softmax.
private struct NaiveGrounding {
    let members: [[Int]]
    /// Unit vectors of the decoded codes.
    let vectors: [[Double]]
    let rule: Grounding.Rule

    init(_ titles: OccupationTitles, _ codes: TitleCodes, _ rule: Grounding.Rule) {
        members = titles.titles.map(\.occupations)
        vectors = (0..<codes.count).map { title in
            let row = codes.codes(of: title).map { Double($0) }
            let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return row.map { $0 / norm }
        }
        self.rule = rule
    }

    /// - Returns: the shares, and how far the last title that votes is from the first that does not.
    func shares(of text: [Float]) -> (shares: [Int: Double], gap: Double) {
        // A text's vector is read in steps.
        let step = (text.map { abs($0) }.max() ?? 0) / 16_320
        let steps = text.map { Double(step) * Double(($0 / step).rounded()) }
        let cosines = vectors.map { vector -> Double in
            zip(vector, steps).reduce(0) { $0 + $1.0 * $1.1 }
        }
        // Equal cosines in the order of titles.
        let order = cosines.indices.sorted {
            cosines[$0] != cosines[$1] ? cosines[$0] > cosines[$1] : $0 < $1
        }
        let voting = order.prefix(rule.neighbours)
        guard let first = voting.first, let last = voting.last else { return ([:], .infinity) }
        var sums: [Int: Double] = [:]
        for title in voting {
            let weight = exp((cosines[title] - cosines[first]) / rule.temperature)
            for occupation in members[title] { sums[occupation, default: 0] += weight / Double(members[title].count) }
        }
        let whole = sums.values.reduce(0, +)
        let gap = order.count > voting.count ? cosines[last] - cosines[order[voting.count]] : .infinity
        return (sums.mapValues { $0 / whole }, gap)
    }
}

struct GroundingTests {
    struct Size: Sendable {
        var occupations: Int
        var pool: Int
        var dimension: Int
        var copies = 0
        var rule: Grounding.Rule
    }

    static let sizes = [
        Size(occupations: 40, pool: 120, dimension: 384, rule: .init(neighbours: 64, temperature: 0.07)),
        Size(occupations: 40, pool: 120, dimension: 48, copies: 60, rule: .init(neighbours: 20, temperature: 0.05)),
        Size(occupations: 3, pool: 10, dimension: 24, copies: 8, rule: .init(neighbours: 5, temperature: 0.02)),
        // Fewer titles than vote.
        Size(occupations: 2, pool: 4, dimension: 100, rule: .init(neighbours: 64, temperature: 0.2)),
        Size(occupations: 30, pool: 50, dimension: 384, rule: .init(neighbours: 1, temperature: 0.07)),
    ]

    @Test(arguments: sizes)
    func `shares are those of the definition, alone and in a batch`(size: Size) throws {
        var random = SeededGenerator(seed: 350 + UInt64(size.dimension + size.copies))
        let made = RandomTitles(
            occupations: size.occupations, pool: size.pool, dimension: size.dimension, copies: size.copies, &random)
        let grounding = try Grounding(made.titles, codes: made.codes, rule: size.rule)
        #expect(grounding.titleCount == made.titles.titles.count && grounding.occupations == made.titles.occupations)
        let naive = NaiveGrounding(made.titles, made.codes, size.rule)
        let texts = (0..<150).map { number in
            // Random texts, and such as say just what a title says.
            number % 3 == 0
                ? made.codes.vector(of: number % made.codes.count) : random.direction(size.dimension)
        }
        let together = grounding.shares(of: texts)
        try #require(together.count == texts.count)
        var undecided = 0
        for (text, shares) in zip(texts, together) {
            #expect(grounding.shares(of: [text]) == [shares], "\(random)")
            let expected = naive.shares(of: text)
            // Nearer to each other than a step of one coordinate: either may vote. Equal vectors are equal in both.
            if expected.gap > 0, expected.gap < 1e-5 {
                undecided += 1
                continue
            }
            #expect(shares.shares.map(\.occupation) == expected.shares.keys.sorted(), "\(random)")
            for share in shares.shares {
                let difference = abs(Double(share.share) - (expected.shares[share.occupation] ?? 0))
                // A cosine is off by 1e-6 at most, and a weight by its share of the temperature.
                #expect(difference < 1e-6 + 2e-6 / size.rule.temperature, "\(random)")
            }
        }
        #expect(undecided < 15, "\(random)")
    }

    @Test func `grounded vectors are the projection's, alone and in a batch`() throws {
        var random = SeededGenerator(seed: 351)
        let made = RandomTitles(occupations: 30, pool: 60, dimension: 384, &random)
        let grounding = try Grounding(made.titles, codes: made.codes, rule: .init(neighbours: 16, temperature: 0.07))
        let texts = (0..<70).map { _ in random.direction(384) }
        let vectors = grounding.vectors(of: texts)
        #expect(vectors.count == texts.count)
        for (position, vector) in vectors.enumerated() {
            #expect(vector.count == OccupationProjection.dimension)
            #expect(grounding.vectors(of: [texts[position]]) == [vector], "\(random)")
            let shares = grounding.shares(of: [texts[position]])[0]
            #expect(grounding.projection.vector(of: shares) == vector, "\(random)")
        }
        // The same titles give the same projection again.
        let again = try Grounding(made.titles, codes: made.codes, rule: grounding.rule)
        #expect(again.projection == grounding.projection)
        // A given projection is taken as it is.
        let given = OccupationProjection(
            occupationCount: 30, directions: grounding.projection.directions.map { -$0 })
        let turned = try Grounding(made.titles, codes: made.codes, rule: grounding.rule, projection: given)
        #expect(turned.vectors(of: texts) == vectors.map { $0.map { -$0 } })
    }

    @Test func `a text without direction is about nothing, and its neighbours in a batch keep theirs`() throws {
        var random = SeededGenerator(seed: 352)
        let made = RandomTitles(occupations: 10, pool: 20, dimension: 384, &random)
        let grounding = try Grounding(made.titles, codes: made.codes, rule: .init(neighbours: 8, temperature: 0.07))
        let silence = [Float](repeating: 0, count: 384)
        let (a, b) = (random.direction(384), random.direction(384))
        let alone = grounding.shares(of: [a, b])
        // Of no direction at all, of too few numbers, and of numbers that are none.
        for nothing in [silence, [], [1], Array(repeating: Float.nan, count: 384)] {
            let shares = grounding.shares(of: [nothing, a, nothing, b, nothing])
            #expect(shares.map { $0.shares.isEmpty } == [true, false, true, false, true])
            #expect([shares[1], shares[3]] == alone, "\(random)")
            #expect(grounding.shares(of: [nothing]).map { $0.shares.isEmpty } == [true])
            #expect(grounding.vectors(of: [nothing]) == [silence])
        }
        #expect(grounding.shares(of: []).isEmpty && grounding.vectors(of: []).isEmpty)
    }

    @Test func `a title of several occupations votes for each in equal parts`() throws {
        let titles = OccupationTitles(of: [
            Jobs.career("a", "one", ["shared"]), Jobs.career("b", "two", ["shared"]), Jobs.career("c", "three"),
        ])
        // In the order of the titles: one, shared, three, two.
        let codes = TitleCodes(
            dimension: 4, rounding: [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
        let grounding = try Grounding(titles, codes: codes, rule: .init(neighbours: 1, temperature: 0.07))
        let shares = grounding.shares(of: [[0, 1, 0, 0], [0, 0, 1, 0]])
        #expect(shares[0] == OccupationShares([0: 1, 1: 1]) && shares[1] == OccupationShares([2: 1]))
        // All four equally near: two votes of a whole and one of two halves.
        let all = try Grounding(titles, codes: codes, rule: .init(neighbours: 4, temperature: 0.07))
        let even = all.shares(of: [[0.5, 0.5, 0.5, 0.5]])[0]
        #expect(even == OccupationShares([0: 1.5, 1: 1.5, 2: 1]))
    }

    @Test func `a title whose codes are zeros does not get in the way`() throws {
        let titles = OccupationTitles(of: [Jobs.career("a", "one"), Jobs.career("b", "two")])
        let codes = TitleCodes(dimension: 2, rounding: [[1, 0], [0, 0]])
        let grounding = try Grounding(titles, codes: codes, rule: .init(neighbours: 1, temperature: 0.07))
        #expect(grounding.shares(of: [[1, 0]])[0] == OccupationShares([0: 1]))
    }

    @Test func `what does not fit together is refused`() throws {
        var random = SeededGenerator(seed: 353)
        let made = RandomTitles(occupations: 5, pool: 9, dimension: 16, &random)
        let rule = Grounding.Rule(temperature: 0.07)
        #expect(rule.neighbours == 64)
        #expect(throws: GroundingError.noTitles) {
            try Grounding(OccupationTitles(of: []), codes: TitleCodes(dimension: 16, codes: []), rule: rule)
        }
        let fewer = TitleCodes(dimension: 16, codes: Array(made.codes.codes.dropLast(16)))
        let other = OccupationProjection(
            occupationCount: 4, directions: [Float](repeating: 0, count: 4 * OccupationProjection.dimension))
        #expect { try Grounding(made.titles, codes: fewer, rule: rule) } throws: { Self.isDamaged($0) }
        #expect { try Grounding(made.titles, codes: made.codes, rule: rule, projection: other) } throws: {
            Self.isDamaged($0)
        }
    }

    private static func isDamaged(_ error: any Error) -> Bool {
        if case .damaged? = error as? GroundingError { true } else { false }
    }
}
