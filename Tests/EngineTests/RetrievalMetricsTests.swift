import Engine
import Foundation
import TestSupport
import Testing

@Suite struct `Retrieval metrics` {
    /// Relevant at ranks 1, 3 and 6, one relevant document missing: worked out by hand.
    @Test func `are those worked out by hand`() throws {
        let metrics = try #require(
            RetrievalMetrics(
                ranking: ["a", "x", "b", "y", "z", "c", "w"], grades: ["a": 1, "b": 3, "c": 2, "d": 1, "z": 0]))
        #expect(close(metrics[.averagePrecision], (1.0 + 2.0 / 3 + 3.0 / 6) / 4))
        #expect(metrics[.reciprocalRank] == 1)
        #expect(metrics[.success1] == 1 && metrics[.success10] == 1)
        #expect(metrics[.recall1] == 0.25 && metrics[.recall5] == 0.5 && metrics[.recall10] == 0.75)
        // DCG: 1/log2(2) + 3/log2(4) + 2/log2(7); ideal: 3 + 2/log2(3) + 1/log2(4) + 1/log2(5).
        let ideal = 3 + 2 / log2(3.0) + 0.5 + 1 / log2(5.0)
        #expect(close(metrics[.gain10], (1 + 1.5 + 2 / log2(7.0)) / ideal))
    }

    @Test func `a perfect ranking has 1 of everything that it can`() throws {
        let grades = Dictionary(uniqueKeysWithValues: (0..<12).map { ("d\($0)", 12 - $0) })
        let metrics = try #require(RetrievalMetrics(ranking: (0..<30).map { "d\($0)" }, grades: grades))
        for measure in [
            RetrievalMeasure.averagePrecision, .reciprocalRank, .success1, .success5, .success10, .gain10,
        ] { #expect(close(metrics[measure], 1), "\(measure)") }
        #expect(close(metrics[.recall10], 10.0 / 12))
    }

    @Test(arguments: [[], ["x", "y", "z"]])
    func `a ranking without anything relevant has 0 of everything`(ranking: [String]) throws {
        let metrics = try #require(RetrievalMetrics(ranking: ranking, grades: ["a": 2]))
        #expect(RetrievalMeasure.allCases.allSatisfy { metrics[$0] == 0 })
    }

    @Test func `a query without a relevant document has none`() {
        #expect(RetrievalMetrics(ranking: ["a"], grades: [:]) == nil)
        #expect(RetrievalMetrics(ranking: ["a"], grades: ["a": 0]) == nil)
    }

    @Test func `a document named again counts once and takes no place`() throws {
        let once = RetrievalMetrics(ranking: ["x", "a", "b"], grades: ["a": 1, "b": 2])
        let again = RetrievalMetrics(ranking: ["x", "x", "a", "a", "x", "b"], grades: ["a": 1, "b": 2])
        #expect(once == again)
    }

    /// Every measure anew from its definition, over all ranks, without any of the shortcuts.
    @Test func `agree with their definitions on random rankings`() throws {
        var random = SeededGenerator(seed: 20)
        for _ in 0..<500 {
            let count = Int.random(in: 1...40, using: &random)
            let documents = (0..<count).map { "d\($0)" }
            var grades: [String: Int] = [:]
            for id in documents where Int.random(in: 0..<3, using: &random) == 0 {
                grades[id] = Int.random(in: 0...3, using: &random)
            }
            if Bool.random(using: &random) { grades["not in the ranking"] = 2 }
            let ranking = Array(documents.shuffled(using: &random).prefix(Int.random(in: 0...count, using: &random)))
            let relevant = grades.filter { $0.value > 0 }.count
            guard let metrics = RetrievalMetrics(ranking: ranking, grades: grades) else {
                #expect(relevant == 0, "\(random)")
                continue
            }
            let gains = ranking.map { grades[$0] ?? 0 }
            func precision(_ k: Int) -> Double { Double(gains.prefix(k).filter { $0 > 0 }.count) / Double(k) }
            func recall(_ k: Int) -> Double { Double(gains.prefix(k).filter { $0 > 0 }.count) / Double(relevant) }
            func gain(_ gains: [Int]) -> Double {
                (0..<10).reduce(0) { $0 + (gains.indices.contains($1) ? Double(gains[$1]) / log2(Double($1) + 2) : 0) }
            }
            let average = (1...max(gains.count, 1)).reduce(0.0) { sum, k in
                gains.indices.contains(k - 1) && gains[k - 1] > 0 ? sum + precision(k) : sum
            }
            let expected: [RetrievalMeasure: Double] = [
                .averagePrecision: average / Double(relevant),
                .reciprocalRank: gains.firstIndex { $0 > 0 }.map { 1 / Double($0 + 1) } ?? 0,
                .success1: recall(1) > 0 ? 1 : 0, .success5: recall(5) > 0 ? 1 : 0, .success10: recall(10) > 0 ? 1 : 0,
                .recall1: recall(1), .recall5: recall(5), .recall10: recall(10),
                .gain10: gain(gains) / gain(grades.values.sorted(by: >)),
            ]
            for (measure, value) in expected { #expect(close(metrics[measure], value), "\(measure) \(random)") }
        }
    }

    private func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 1e-12 }
}

@Suite struct `A retrieval run` {
    private static let collection = RetrievalCollection(
        queries: (0..<5).map { RetrievalText(id: "q\($0)", text: "text \($0)") },
        documents: (0..<4).map { RetrievalText(id: "d\($0)", text: "text \($0)") })

    @Test func `asks for judged queries in batches and counts the others`() async throws {
        let judgements = RetrievalJudgements([
            "q0": ["d1": 1], "q1": ["d1": 0], "q2": ["d3": 2, "d2": 1], "q4": ["d0": 1],
        ])
        var asked: [[String]] = []
        let run = try await RetrievalRun.measure(Self.collection, judgements, batch: 2) { queries in
            asked.append(queries.map(\.id))
            return queries.map { _ in ["d0", "d1", "d2", "d3"] }
        }
        #expect(asked == [["q0", "q2"], ["q4"]])
        #expect(run.results.map(\.query) == ["q0", "q2", "q4"] && run.unjudged == 2 && run.documents == 4)
        #expect(run.results.map { $0.metrics[.reciprocalRank] } == [0.5, 1.0 / 3, 1])
    }

    @Test func `leaves out the document that is the query itself, unless it is an answer`() async throws {
        let judgements = RetrievalJudgements(["q0": ["d1": 1], "q1": ["d1": 1], "q2": ["d2": 0, "d3": 1]])
        let own = Self.collection.ownDocuments(judgements)
        #expect(own == ["q0": ["d0"], "q2": ["d2"], "q3": ["d3"]])
        let run = try await RetrievalRun.measure(Self.collection, judgements, leavingOut: own) { queries in
            queries.map { _ in ["d0", "d1", "d2", "d3"] }
        }
        #expect(run.results.map { $0.metrics[.reciprocalRank] } == [1, 0.5, 1.0 / 3])
    }

    @Test func `without anything judged is refused`() async {
        await #expect(throws: RetrievalError.nothingJudged) {
            try await RetrievalRun.measure(Self.collection, RetrievalJudgements([:])) { _ in [] }
        }
    }

    @Test func `ranks equal scores by id`() {
        #expect(
            RetrievalRun.ranking(of: [("b", 0.5), ("a", 0.5), ("é", 0.5), ("z", 0.9), ("c", 0.1)])
                == ["z", "a", "b", "é", "c"])
    }
}

@Suite struct `Retrieval reports` {
    private static func run(_ values: [Double?]) -> RetrievalRun {
        RetrievalRun(
            results: values.enumerated().compactMap { i, value in
                // A single relevant document at rank 1, at rank 3 or nowhere.
                let ranking = value == 1 ? ["a"] : value == 0 ? [] : ["x", "y", "a"]
                return RetrievalMetrics(ranking: ranking, grades: ["a": 1]).map { .init(query: "q\(i)", metrics: $0) }
            }, unjudged: 3, documents: 10)
    }

    private static func random(_ seed: UInt64, share: Double) -> RetrievalRun {
        var random = SplitMix64(seed: seed)
        return run((0..<400).map { _ in Double.random(in: 0..<1, using: &random) < share ? 1 : 0 })
    }

    @Test func `have intervals that hold the mean and are about as wide as theory says`() throws {
        let report = try RetrievalReport(Self.random(1, share: 0.3), name: "first", space: "words@1")
        for (measure, estimate) in report.measures {
            #expect(estimate.low <= estimate.value && estimate.value <= estimate.high, "\(measure)")
        }
        let success = try #require(report.measures[.success1])
        let deviation = (success.value * (1 - success.value) / 400).squareRoot()
        #expect(abs((success.high - success.low) / (2 * 1.96 * deviation) - 1) < 0.1)
        #expect(report.queries == 400 && report.queriesWithoutRelevant == 3)
        #expect(report == (try RetrievalReport(Self.random(1, share: 0.3), name: "first", space: "words@1")))
    }

    @Test func `of one value have no width`() throws {
        let report = try RetrievalReport(Self.run([1, 1, 1]), name: "perfect", space: "s")
        #expect(report.measures.values.allSatisfy { $0 == .init(value: 1, low: 1, high: 1) })
        #expect(throws: RetrievalError.nothingJudged) { try RetrievalReport(Self.run([]), name: "", space: "") }
    }

    @Test func `survive JSON in snake_case`() throws {
        let report = try RetrievalReport(Self.random(2, share: 0.5), name: "engine | views", space: "words@1")
        let data = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(RetrievalReport.self, from: data) == report)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let measures = try #require(object["measures"] as? [String: [String: Double]])
        #expect(Set(measures.keys) == Set(RetrievalMeasure.allCases.map(\.rawValue)))
        #expect(measures["ndcg_at_10"]?.keys.sorted() == ["high", "low", "value"])
        #expect(object["queries_without_relevant"] as? Int == 3)
        let lines = report.markdown.split(separator: "\n")
        #expect(lines[0] == "| measure | engine \\| views |" && lines.count == 5 + RetrievalMeasure.allCases.count)
    }

    @Test func `compare runs query by query`() throws {
        let first = Self.random(3, share: 0.5)
        // The same queries, each tenth answered where it was not: far inside either run's own interval.
        let better = RetrievalRun(
            results: first.results.enumerated().map { i, result in
                i % 10 == 0
                    ? RetrievalRun.QueryResult(
                        query: result.query,
                        metrics: RetrievalMetrics(ranking: ["a"], grades: ["a": 1]) ?? result.metrics) : result
            }, unjudged: 0, documents: 10)
        let comparison = try RetrievalComparison(of: better, named: "b", over: first, named: "a")
        let difference = try #require(comparison.differences[.success1])
        #expect(difference.low > 0 && difference.value > 0.02 && difference.value < 0.1 && difference.high < 0.12)
        let same = try RetrievalComparison(of: first, named: "a", over: first, named: "a")
        #expect(same.differences.values.allSatisfy { $0 == .init(value: 0, low: 0, high: 0) })
        let data = try JSONEncoder().encode(comparison)
        #expect(try JSONDecoder().decode(RetrievalComparison.self, from: data) == comparison)
        #expect(throws: RetrievalError.nothingInCommon) {
            try RetrievalComparison(of: first, named: "a", over: Self.run([]), named: "b")
        }
    }
}
