import Engine
import Store
import TestSupport
import Testing

/// A text's words in the first half of its vector, its words spelled backwards in the second: two views of all that is
/// said, whose numbers mean different things. A text with “mute” in it has no second half.
private struct PartedWords: TextVectorizer {
    private static let base = WordVectorizer()
    static let weights: [Float] = [0.4, 0.6]

    let space = TextSpace(
        id: "parted@1", modelID: "parted", weightsSHA256: "", description: "{}",
        views: [
            TextView(content: .both, name: "forwards", weight: PartedWords.weights[0], part: 0..<384),
            TextView(content: .both, name: "backwards", weight: PartedWords.weights[1], part: 384..<768),
        ], dimension: 384)

    func vectors(of texts: [String], role: TextRole) throws -> [[Float]] {
        let forwards = try Self.base.vectors(of: texts, role: role)
        let backwards = try Self.base.vectors(of: texts.map { String($0.reversed()) }, role: role)
        return texts.indices.map { position in
            let isMute = texts[position].contains("mute")
            return forwards[position] + (isMute ? [Float](repeating: 0, count: 384) : backwards[position])
        }
    }

    func cachedVectors(of texts: [String], role: TextRole) -> [[Float]]? { nil }
}

@Suite struct `A space whose views are parts of a text's vector` {
    private static func unit(_ vector: [Double]) -> [Double] {
        let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return vector.map { $0 / norm }
    }

    private static func blend(_ a: [Double], _ b: [Double], _ share: Double) -> [Double] {
        unit(zip(a, b).map { (1 - share) * $0 + share * $1 })
    }

    /// The row by the rules of docs/decisions/0008-own-space.md, a view at a time.
    private static func row(of career: Career, _ vectorizer: PartedWords) throws -> [Double] {
        let texts = CareerTexts(career)
        return try vectorizer.space.views.flatMap { view -> [Double] in
            let part = try #require(view.part)
            func vector(_ text: String) throws -> [Double] {
                try vectorizer.vectors(of: [text], role: .document)[0][part].map { Double($0) }
            }
            var work = try vector(texts.work)
            if !texts.aliases.isEmpty {
                let titles = try texts.aliases.map(vector)
                let sum = titles.reduce([Double](repeating: 0, count: 384)) { zip($0, $1).map { $0 + $1 } }
                let count = Double(titles.count)
                work = blend(work, unit(sum), 0.75 * count / (count + 2.5))
            }
            return blend(work, try vector(texts.takes), 0.3).map { $0 * Double(view.weight).squareRoot() }
        }
    }

    private static func engineRow(of career: Career, _ vectorizer: PartedWords) throws -> [Float] {
        let texts = CareerTexts(career)
        let all = texts.all(for: vectorizer.space)
        let vectors = Dictionary(
            zip(all, try vectorizer.vectors(of: all, role: .document)), uniquingKeysWith: { first, _ in first })
        return texts.row(from: vectors, in: vectorizer.space)
    }

    @Test func `a career's row has each text's part in each view`() throws {
        let vectorizer = PartedWords()
        #expect(vectorizer.space.textDimension == 768 && vectorizer.space.dimension == 384)
        for number in 0..<40 {
            var career = MadeUpCareers.make(number: number)
            career.aliases = (0..<number % 5).map { "title number \(MadeUpCareers.word($0 + number))" }
            let texts = CareerTexts(career)
            #expect(Set(texts.all(for: vectorizer.space)) == Set([texts.work, texts.takes] + texts.aliases))
            let row = try Self.engineRow(of: career, vectorizer)
            let expected = try Self.row(of: career, vectorizer)
            #expect(row.count == 768 && zip(row, expected).allSatisfy { abs(Double($0) - $1) < 1e-5 }, "\(number)")
            for (half, weight) in [(row[..<384], 0.4), (row[384...], 0.6)] {
                #expect(abs(half.reduce(0) { $0 + Double($1) * Double($1) } - weight) < 1e-5, "\(number)")
            }
        }
    }

    @Test func `vectors that are too short have no part in it`() throws {
        let vectorizer = PartedWords()
        let texts = CareerTexts(MadeUpCareers.make(number: 5))
        let whole = try vectorizer.vectors(of: texts.all(for: vectorizer.space), role: .document)
        var vectors = Dictionary(
            zip(texts.all(for: vectorizer.space), whole), uniquingKeysWith: { first, _ in first })
        let row = texts.row(from: vectors, in: vectorizer.space)
        // A title's and a description of what it takes: as though there were none.
        let title = try #require(texts.aliases.first)
        vectors[title] = [1]
        vectors[texts.takes] = Array(repeating: 0.1, count: 767)
        let less = texts.row(from: vectors, in: vectorizer.space)
        #expect(less.count == 768 && less[384...] != row[384...])
        vectors[title] = nil
        vectors[texts.takes] = nil
        #expect(Array(texts.row(from: vectors, in: vectorizer.space)[384...]) == Array(less[384...]))
        vectors[texts.work] = [1, 0, 0]
        #expect(texts.row(from: vectors, in: vectorizer.space).isEmpty)
    }

    @Test func `a text is compared part with part`() async throws {
        let vectorizer = PartedWords()
        let fixture = try await EngineFixture(vectorizer: vectorizer, careers: MadeUpCareers.make(40))
        let text = "Work about \(MadeUpCareers.word(7)) and skillful others"
        let reply = try await fixture.recommender.recommend(
            RecommendationRequest(text: text, topN: 10, diversity: false))
        #expect(reply.alpha == 1 && reply.recommendations.count == 10)
        let vector = try vectorizer.vectors(of: [text], role: .query)[0]
        for recommendation in reply.recommendations {
            let row = try Self.row(of: recommendation.career, vectorizer)
            var cosine = 0.0
            for (position, number) in vector.enumerated() {
                cosine += Double(number) * Double(PartedWords.weights[position / 384]).squareRoot() * row[position]
            }
            let similarity = try #require(recommendation.embeddingSimilarity)
            #expect(abs(Double(similarity) - (1 + cosine) / 2) < 1e-5, "\(recommendation.career.id)")
        }
    }

    /// Where views are of the same numbers one stands in for another that nothing was said of; here it would be compared
    /// with what it is not.
    @Test func `no view stands in for another`() async throws {
        let fixture = try await EngineFixture(vectorizer: PartedWords(), careers: MadeUpCareers.make(40))
        let text = "some mute words about \(MadeUpCareers.word(7))"
        await #expect(throws: RecommendationError.nothingToGoOn) {
            try await fixture.recommender.recommend(RecommendationRequest(text: text))
        }
        let abilities: [Double?] = Ability.allCases.map { $0 == .empathy ? 9 : 3 }
        let reply = try await fixture.recommender.recommend(
            RecommendationRequest(text: text, abilities: abilities, topN: 5))
        #expect(reply.alpha == 0 && reply.recommendations.allSatisfy { $0.embeddingSimilarity == nil })
        // Beside words that have both parts it counts in the view that it has.
        let heard = try await fixture.recommender.recommend(
            RecommendationRequest(
                remarks: [Remark(text, quote: nil), Remark("words about \(MadeUpCareers.word(9))", quote: nil)]))
        #expect(heard.alpha == 1 && heard.recommendations.allSatisfy { $0.embeddingSimilarity != nil })
    }
}
