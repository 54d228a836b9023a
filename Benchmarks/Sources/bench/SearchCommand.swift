import ArgumentParser
import Foundation
import VectorIndex
import VectorMath

/// Measures one kind of search and prints one JSON document: what `make bench-search` runs.
struct SearchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Measure one kind of search; print one JSON document.")

    enum DataKind: String, ExpressibleByArgument, Codable {
        case random
        case text
    }

    @Option(help: "Rows of the index.")
    var rows = 100_000

    @Option(help: "Queries asked at once.")
    var queries = 1

    @Option(name: .customLong("k"), help: "Hits of a query.")
    var limit = 100

    @Option(help: "random (unit vectors) or text (embedded titles and tasks).")
    var data = DataKind.random

    @Option(help: "The most hits of one cluster; 0 for no cap.")
    var cap = 0

    @Flag(help: "Have hits tell their ranks without the cap, as the service does.")
    var ranks = false

    @Option(help: "Weight of the embedding in a score, 0 to 1.")
    var alpha: Float = 0.7

    @Flag(help: "Take hits that are very likely the best without proof.")
    var approximate = false

    @Option(help: "Seconds to measure, at least.")
    var seconds = 3.0

    @Option(help: "Replace so many items a second during half of the searches, which then arrive at --arrivals.")
    var upserts = 0

    @Option(help: "Searches a second beside --upserts.")
    var arrivals = 50.0

    @Option(help: "The model's folder, for text.")
    var model = "models/all-MiniLM-L6-v2"

    @Option(help: "O*NET's text files, for text.")
    var onet = "../shared/data/onet"

    @Flag(help: "Build the index, then answer lines “MODE QUERY” or “MODE FIRST COUNT”; for comparisons in turn.")
    var coProcess = false

    @Option(help: "Where a co-process writes the rows' embeddings, float32.")
    var rowsFile: String?

    @Option(help: "Where a co-process writes the queries' embeddings, float32.")
    var queriesFile: String?

    func validate() throws {
        guard rows > 0, queries > 0, limit > 0 else {
            throw ValidationError("ROWS, QUERIES and K take numbers above 0")
        }
        guard cap >= 0, alpha >= 0, alpha <= 1, seconds > 0, upserts >= 0, arrivals > 0 else {
            throw ValidationError(
                "CAP and UPSERTS take 0 and more, ALPHA 0 to 1, --seconds and --arrivals more than 0")
        }
        guard rows <= 100_000_000, queries <= 100_000, seconds <= 86_400, arrivals <= 100_000 else {
            throw ValidationError(
                "ROWS takes up to 100,000,000, QUERIES and --arrivals up to 100,000, --seconds up to 86,400")
        }
        guard upserts == 0 || queries == 1 else {
            throw ValidationError("UPSERTS measures searches one by one: leave QUERIES out")
        }
    }

    /// What is printed. Times are milliseconds for all queries of a call.
    private struct Answer: Encodable {
        var rows: Int
        var queries: Int
        var k: Int
        var cap: Int?
        var ranks: Bool
        var alpha: Float
        var data: DataKind
        var approximate: Bool
        var exact: Bool
        var medianMs: Double
        var p90Ms: Double
        var p99Ms: Double
        var maxMs: Double?
        var runs: Int
        /// Of hits that a float32 scan of every row has at the same place with the same bits; the least of all queries
        /// that were checked, and their mean.
        var recall: Double
        var meanRecall: Double
        var checkedQueries: Int
        /// Median over the queries.
        var rowsRescored: Int
        /// Besides ids and attributes: float32 rows and codes.
        var bytesPerRow: Int
        var buildSeconds: Double
        var instructionSet: String
        var threads: Int
    }

    func run() throws {
        let bench = try prepared()
        let clock = ContinuousClock()
        var index: LiveIndex?
        let build = try clock.measure { index = try bench.index() }
        guard let generation = index?.current else { return }
        Progress.say("\(rows) rows in the index after \(build)")
        if coProcess {
            try SearchCoProcess(generation: generation, limit: limit, query: bench.query)
                .run(rowsFile: rowsFile, queriesFile: queriesFile)
            return
        }
        let pool = try (0..<max(64, queries)).map { number in
            SearchRequest(
                query: try bench.query(number, alpha), limit: limit, maxPerCluster: cap == 0 ? nil : cap,
                wantsRankBeforeCap: ranks, isApproximate: approximate)
        }
        if upserts > 0, let index {
            let answer = try UpsertLoad(
                index: index, rows: rows, upsertsPerSecond: upserts, searchesPerSecond: arrivals, seconds: seconds,
                item: bench.item, requests: pool
            ).run()
            try Figures.say(answer)
            return
        }
        func search(_ turn: Int) throws -> [SearchResult] {
            if queries == 1 { return [try generation.search(pool[turn % pool.count])] }
            return try generation.search(batch: Array(pool.prefix(queries)))
        }
        _ = try search(0)
        var times: [Duration] = []
        let end = clock.now + .seconds(seconds)
        while times.count < 10 || (clock.now < end && times.count < 5_000) {
            let turn = times.count
            times.append(try clock.measure { _ = try search(turn) })
        }
        let results = queries == 1 ? try pool.indices.flatMap { try search($0) } : try search(0)
        // A naive scan of a million rows takes a second.
        let checked = min(results.count, rows > 300_000 ? 16 : 64)
        let recalls = (0..<checked).map { number in
            NaiveScan(pool[number].query, over: generation)
                .recall(of: results[number], limit: limit, maxPerCluster: cap == 0 ? nil : cap, asSet: approximate)
        }
        let time = Measurement(times)
        let answer = Answer(
            rows: rows, queries: queries, k: limit, cap: cap == 0 ? nil : cap, ranks: ranks, alpha: alpha, data: data,
            approximate: approximate, exact: results.allSatisfy(\.exact), medianMs: time.p50Ms, p90Ms: time.p90Ms,
            p99Ms: time.p99Ms, maxMs: time.maxMs, runs: time.runs, recall: recalls.min() ?? 0,
            meanRecall: recalls.reduce(0, +) / Double(max(recalls.count, 1)), checkedQueries: checked,
            rowsRescored: results.map(\.rescored).sorted()[results.count / 2],
            bytesPerRow: generation.bytesPerRow, buildSeconds: build / .seconds(1),
            instructionSet: "\(InstructionSet.detected)", threads: WorkerThreads.processorCount)
        try Figures.say(answer)
        if !approximate, answer.recall < 1 { throw ExitCode(1) }
    }

    private struct Prepared {
        let index: () throws -> LiveIndex
        let item: @Sendable (Int) -> IndexItem
        let query: (Int, Float) throws -> FusedQuery
    }

    private func prepared() throws -> Prepared {
        let layout = RowLayout.standard
        let rows = rows
        switch data {
        case .random:
            let random = RandomItems(layout: layout)
            return Prepared(
                index: { try BenchIndex.make(count: rows, layout: layout) { random.item($0) } },
                item: { random.item($0) },
                query: { try random.query($0, alpha: $1) })
        case .text:
            let texts = try TextItems(
                release: URL(fileURLWithPath: onet), model: URL(fileURLWithPath: model),
                cache: URL(fileURLWithPath: ".cache/bench"), layout: layout)
            return Prepared(
                index: { try BenchIndex.make(count: rows, layout: layout) { texts.item($0) } },
                item: { texts.item($0) },
                query: { try texts.query($0, alpha: $1) })
        }
    }
}

/// Makes an index of items that are given by their numbers.
enum BenchIndex {
    /// Put in by shares of two thirds of what is left: each segment is then twice as large as all after it, so none is
    /// ever merged, and beside the index memory is needed for the items of the first share alone.
    static func make(
        count: Int, layout: RowLayout, item: @Sendable (Int) -> IndexItem
    ) throws -> LiveIndex {
        let index = LiveIndex(layout: layout)
        try fill(index, count: count, item: item)
        return index
    }

    static func fill(_ index: LiveIndex, count: Int, item: @Sendable (Int) -> IndexItem) throws {
        var start = 0
        while start < count {
            let left = count - start
            let share = left < 20_000 ? left : (left * 2 + 2) / 3
            try index.apply(upserting: items(start..<start + share, item))
            start += share
        }
    }

    /// The items of `numbers`, in order.
    private static func items(_ numbers: Range<Int>, _ item: @Sendable (Int) -> IndexItem) -> [IndexItem] {
        let workers = WorkerThreads.processorCount
        let share = (numbers.count + workers - 1) / workers
        let parts = WorkerThreads.map(workers) { worker in
            let start = min(numbers.lowerBound + worker * share, numbers.upperBound)
            return (start..<min(start + share, numbers.upperBound)).map(item)
        }
        return parts.flatMap { $0 }
    }
}
