import Engine
import TestSupport
import Testing

@Suite struct `A retrieval task` {
    private static let collection = RetrievalCollection(
        queries: [
            RetrievalText(id: "q1", text: "Pastry Baker"), RetrievalText(id: "q2", text: "lorry  DRIVER"),
            RetrievalText(id: "q3", text: "night nurse"),
        ],
        documents: [
            RetrievalText(id: "d1", text: "pastry baker"), RetrievalText(id: "d2", text: "Pastry Baker"),
            RetrievalText(id: "d3", text: "bread baker"), RetrievalText(id: "d4", text: "Lorry driver"),
            RetrievalText(id: "d5", text: "theatre nurse"),
        ])

    private static let judgements = RetrievalJudgements([
        "q1": ["d1": 1, "d3": 2], "q2": ["d4": 1], "q3": ["d5": 1, "d3": 0],
    ])

    private static let encoder = EncodingQueue(WordVectorizer())

    private static func run(_ task: RetrievalTask) async throws -> RetrievalRun {
        try await task.run(RetrievalSearch.plain(collection.documents, encoder: encoder))
    }

    @Test func `documents that say the same are found whatever their case and grade`() {
        let equal = Self.collection.equalDocuments()
        #expect(equal == ["q1": ["d1", "d2"], "q2": ["d4"]])
        // Those that a collection leaves out by itself say it to the letter, and are no answers.
        #expect(Self.collection.ownDocuments(Self.judgements) == ["q1": ["d2"]])
        #expect(RetrievalCollection(queries: Self.collection.queries, documents: []).equalDocuments().isEmpty)
    }

    @Test func `judgements without some documents are as though they had never been made`() {
        let left = Self.judgements.leavingOut(["q1": ["d1", "d9"], "q2": ["d4"], "q9": ["d5"]])
        #expect(left.grades(of: "q1") == ["d3": 2] && left.grades(of: "q2").isEmpty)
        #expect(left.grades(of: "q3") == ["d5": 1, "d3": 0] && left.count == 3)
        #expect(Self.judgements.leavingOut([:]) == Self.judgements)
    }

    @Test func `leaves the query's own row out of what is ranked, where it is no answer`() async throws {
        let task = RetrievalTask(Self.collection, Self.judgements)
        #expect(task.judgements == Self.judgements)
        let run = try await Self.run(task)
        #expect(run.results.map(\.query) == ["q1", "q2", "q3"] && run.unjudged == 0)
        // “pastry baker” stays: in another case it is a relevant document.
        #expect(run.results[0].first.prefix(2) == ["d1", "d3"])
        #expect(run.results.map { $0.metrics[.reciprocalRank] } == [1, 1, 1])
        #expect(run.results[0].metrics[.averagePrecision] == 1)
    }

    @Test func `leaves out all that says the same, of rankings and of judgements`() async throws {
        let task = RetrievalTask(Self.collection, Self.judgements, excludesSelf: true)
        #expect(task.judgements.grades(of: "q1") == ["d3": 2] && task.judgements.grades(of: "q2").isEmpty)
        let run = try await Self.run(task)
        // Of the second query nothing is left to find.
        #expect(run.results.map(\.query) == ["q1", "q3"] && run.unjudged == 1)
        #expect(run.results[0].first.first == "d3" && Set(run.results[0].first) == ["d3", "d4", "d5"])
    }

    @Test func `without anything left to find is refused`() async throws {
        let task = RetrievalTask(Self.collection, RetrievalJudgements(["q2": ["d4": 1]]), excludesSelf: true)
        await #expect(throws: RetrievalError.nothingJudged) { try await Self.run(task) }
    }

    @Test func `shows what was answered worst, with what it found and should have`() async throws {
        let judgements = RetrievalJudgements([
            "q1": ["d5": 1, "d4": 1, "d3": 0], "q2": ["d4": 1], "q3": ["d3": 1],
        ])
        let task = RetrievalTask(Self.collection, judgements)
        let run = try await Self.run(task)
        let failures = task.failures(of: run, count: 2)
        #expect(failures.count == 2 && !failures.contains { $0.query == "q2" })
        #expect(failures[0].averagePrecision <= failures[1].averagePrecision)
        let first = try #require(failures.first { $0.query == "q1" })
        #expect(first.text == "Pastry Baker" && first.wanted == ["Lorry driver", "theatre nurse"])
        // Relevant to nobody, “Pastry Baker” itself is left out; the same in another case is not.
        #expect(first.found.count == 3 && first.found.prefix(2) == ["pastry baker", "bread baker"])
        #expect(task.failures(of: run, count: 0).isEmpty && task.failures(of: run, count: 9).count == 3)
        let table = RetrievalFailure.markdown(failures).split(separator: "\n")
        #expect(table.count == 4 && table[0].contains("average precision"))
    }

    /// Random runs against a sort of their own.
    @Test func `the worst come first, equal ones by id`() throws {
        var random = SeededGenerator(seed: 380)
        for _ in 0..<100 {
            var results: [RetrievalRun.QueryResult] = []
            for number in 0..<Int.random(in: 0...20, using: &random) {
                let ranking = ["a", "b", "c", "d", "e"].shuffled(using: &random)
                let metrics = try #require(RetrievalMetrics(ranking: ranking, grades: ["a": 1, "b": 2]))
                results.append(RetrievalRun.QueryResult(query: "q\(number)", metrics: metrics))
            }
            let run = RetrievalRun(results: results.shuffled(using: &random), unjudged: 0, documents: 5)
            for measure in RetrievalMeasure.allCases {
                let worst = run.worst(7, by: measure)
                #expect(worst.count == min(7, results.count), "\(random)")
                for (a, b) in zip(worst, worst.dropFirst()) {
                    let (x, y) = (a.metrics[measure], b.metrics[measure])
                    #expect(x < y || (x == y && a.query < b.query), "\(measure) \(random)")
                }
                let greatest = worst.last?.metrics[measure] ?? 0
                let others = results.filter { result in !worst.contains(result) }
                #expect(others.allSatisfy { $0.metrics[measure] >= greatest }, "\(measure) \(random)")
            }
        }
    }
}
