import VectorIndex
import VectorMath

/// Searches of one index: one query and a batch, with and without a cap per cluster.
struct SearchBench {
    static let limit = 100
    static let batch = 256
    /// Queries whose results are held against the naive scan.
    static let checked = 3
    /// Rows of a tile of the plain product, as many as the batch search takes.
    static let tileRows = 2_048

    let seconds: Double
    private let generation: Generation
    private let plain: PlainRows
    private let queries: [FusedQuery]
    private let queryMatrix: [Float]
    private let oracles: [NaiveScan]
    private var bytes: Double { Double(generation.count * generation.layout.rowCount * MemoryLayout<Float>.stride) }

    init(rows: Int, seconds: Double) throws {
        Progress.say("search: making \(rows) rows")
        self.seconds = seconds
        let random = RandomItems(layout: .standard)
        let generation = try random.index(count: rows).current
        self.generation = generation
        plain = PlainRows(count: rows, width: generation.layout.rowCount)
        queries = try (0..<Self.batch).map { try random.query($0) }
        queryMatrix = queries.flatMap(\.row)
        oracles = queries.prefix(Self.checked).map { NaiveScan($0, over: generation) }
    }

    /// Why so many rows cannot be measured here, or nil.
    ///
    /// An index with its codes and as much plain memory as its rows are held, and while the index is made the items of its first two thirds.
    static func lackOfMemory(rows: Int) -> String? {
        let needed = Double(rows * RowLayout.standard.rowCount * MemoryLayout<Float>.stride) * 2.5 + 3e8
        guard let available = Machine.availableBytes, Double(available) < needed else { return nil }
        return "\(Table.whole(rows)) rows were not measured: they need \(Table.number(needed / 1e9)) GB of memory, and "
            + "\(Table.number(Double(available) / 1e9)) GB are available"
    }

    func run(into figures: inout Figures) throws {
        for cap in [nil, 1] {
            figures.search.append(try single(cap: cap))
        }
        for cap in [nil, 1] {
            figures.search.append(try batched(cap: cap))
        }
    }

    private func single(cap: Int?) throws -> SearchRow {
        Progress.say("search: \(generation.count) rows, one query, \(describe(cap))")
        let requests = requests(cap: cap)
        // As many threads as the search takes: it leaves a small index to one.
        let workers = generation.count < 8_192 ? 1 : WorkerThreads.processorCount
        let times = try Comparison(
            seconds: seconds, leastTurns: 20,
            subject: { _ = try generation.search(requests[$0 % requests.count]) },
            references: [{ _ in plain.read(workers: workers) }])
        let results = try requests.prefix(Self.checked).map { request in try generation.search(request) }
        return row(queries: 1, cap: cap, times: times, results: results)
    }

    private func batched(cap: Int?) throws -> SearchRow {
        Progress.say("search: \(generation.count) rows, \(Self.batch) queries, \(describe(cap))")
        let requests = requests(cap: cap)
        var products = AlignedBuffer<Float>(count: Self.batch * Self.tileRows, repeating: 0)
        let times = try Comparison(
            seconds: seconds, leastTurns: 5,
            subject: { _ in _ = try generation.search(batch: requests) },
            references: [
                { _ in plain.read(workers: WorkerThreads.processorCount) },
                { _ in
                    plain.multiply(queries: queryMatrix.span, queryCount: Self.batch, products: &products)
                },
            ])
        let results = try generation.search(batch: requests).prefix(Self.checked)
        var row = row(queries: Self.batch, cap: cap, times: times, results: Array(results))
        row.plainProduct = times.references[1]
        row.timesPlainProduct = times.ratios[1]
        return row
    }

    private func requests(cap: Int?) -> [SearchRequest] {
        queries.map { SearchRequest(query: $0, limit: Self.limit, maxPerCluster: cap) }
    }

    /// - Parameters:
    ///   - times: beside those of a plain read.
    ///   - results: of the first queries.
    private func row(queries: Int, cap: Int?, times: Comparison, results: [SearchResult]) -> SearchRow {
        let time = times.subject.p50Ms / 1_000
        // The least of them: an average would round a lost hit away.
        let recall = zip(oracles, results)
            .map { $0.recall(of: $1, limit: Self.limit, maxPerCluster: cap) }.min()
        return SearchRow(
            rows: generation.count, queries: queries, limit: Self.limit, maxPerCluster: cap, time: times.subject,
            rowsPerSecond: Double(generation.count * queries) / time, gigabytesPerSecond: bytes / time / 1e9,
            plainRead: times.references[0], timesPlainRead: times.ratios[0], recall: recall ?? 0)
    }

    private func describe(_ cap: Int?) -> String { cap.map { "at most \($0) of a cluster" } ?? "no cap" }
}
