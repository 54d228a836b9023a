import Engine
import Foundation
import Testing

@Suite struct `Variety` {
    @Test(
        arguments: [
            ([3, 3, 3, 3], 0.0), ([0, 0, 0, 8], 0.75), ([8], 0), ([], 0), ([0, 0], 0), ([1, 3], 0.25), ([3, 1], 0.25),
            ([1, 2, 3, 4], 0.25),
        ] as [([Int], Double)])
    func `Gini's coefficient is that worked out by hand`(counts: [Int], expected: Double) {
        #expect(abs(Gini.coefficient(of: counts) - expected) < 1e-12)
    }

    /// The coefficient's other definition: half the mean absolute difference, relative to the mean.
    @Test func `Gini's coefficient is half the relative mean difference`() {
        var random = SplitMix64(seed: 11)
        for _ in 0..<100 {
            let counts = (0..<Int.random(in: 1...60, using: &random)).map { _ in Int.random(in: 0...20, using: &random)
            }
            let n = Double(counts.count)
            let mean = Double(counts.reduce(0, +)) / n
            let difference = counts.reduce(0.0) { sum, a in sum + counts.reduce(0) { $0 + Double(abs(a - $1)) } }
            let expected = mean > 0 ? difference / (2 * n * n * mean) : 0
            #expect(abs(Gini.coefficient(of: counts) - expected) < 1e-9)
        }
    }

    @Test func `lists are held against random ones, and the same seed gives the same report`() async throws {
        let fixture = try await EngineFixture()
        func measure() async throws -> VarietyReport {
            try await VarietyReport.measure(fixture.recommender, quiz: fixture.quiz, sheets: 200, seed: 3, alphas: [1])
        }
        let report = try await measure()
        #expect(try await measure() == report)
        // Chance leaves some unevenness in 200 lists; choosing by answers leaves more.
        #expect(0 < report.randomGini && report.randomGini < report.gini && report.gini < 1)
        let texts = try (#require(report.intraListText), #require(report.randomListText))
        let abilities = try (#require(report.intraListAbilities), #require(report.randomListAbilities))
        // What one person is recommended is more alike than what nobody chose.
        #expect(texts.0 > texts.1 && texts.0 < 1)
        #expect(abilities.0 > abilities.1 && abilities.0 < 1)
        // Centred vectors of random careers point everywhere.
        #expect(abs(abilities.1) < 0.1)
    }

    @Test func `without a model there are no cosines of texts`() async throws {
        let fixture = try await EngineFixture(vectorizer: nil)
        let report = try await VarietyReport.measure(fixture.recommender, quiz: fixture.quiz, sheets: 20, alphas: [])
        #expect(report.intraListText == nil && report.randomListText == nil && report.intraListAbilities != nil)
        let data = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(VarietyReport.self, from: data) == report)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        for key in ["gini", "random_list_gini", "intra_list_abilities", "random_list_abilities", "coverage"] {
            #expect(object[key] is Double, "\(key)")
        }
    }
}
