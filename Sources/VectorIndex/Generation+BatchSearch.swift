internal import Synchronization
internal import VectorMath

/// Queries that share a pass over the rows; more are answered in several passes.
private let groupQueries = 256
/// Rows of a tile: with their 784 floats they fill a few megabytes, which stay in the last-level cache
/// while every query of the group meets them.
private let tileRows = 2_048
/// The first tile is small: it gives every query a threshold before the large tiles come.
private let firstTileRows = 256

/// One query's state in a batch. Its lock is never contended: within a tile one worker has the query.
final class QueryScan: Sendable {
    let request: SearchRequest
    let eligible: [Bitmap?]
    let matched: Int
    let selection: Mutex<Selection>
    /// Rows of segments with codes, to be scored at the end.
    let candidates = Mutex<[Selection.Candidate]>([])
    /// The threshold that is known for the whole search.
    let floor = SharedFloor()
    /// Rows scored canonically.
    let rescored = Mutex(0)

    init(_ request: SearchRequest, in generation: Generation) throws(IndexError) {
        try request.validate(in: generation)
        self.request = request
        eligible = try generation.eligibleRows(for: request.conditions)
        matched = generation.matchedCount(eligible)
        selection = Mutex(generation.makeSelection(for: request.conditions))
    }
}

extension Generation {
    /// The best items for each of several queries: the same hits and scores as `search` gives one by one.
    ///
    /// The queries share one pass over the rows. Bounds from codes, or where there are none `sgemm`, look at a tile; a
    /// row is dropped only where its bound stays below what the query already has; the rest are scored canonically.
    ///
    /// - Parameter byProducts: whether rows in memory are taken by `sgemm` whatever the processor is quicker at; no hit or
    ///   score depends on it.
    /// - Throws: `IndexError` for the first request that does not fit this generation.
    /// - Complexity: O(queries · rows · dimension) time; memory O(queries · (limit + tile)), never queries · rows.
    package func search(
        batch requests: [SearchRequest], byProducts: Bool = false
    ) throws(IndexError) -> [SearchResult] {
        var results: [SearchResult] = []
        results.reserveCapacity(requests.count)
        var start = 0
        while start < requests.count {
            let end = min(start + groupQueries, requests.count)
            var group: [QueryScan] = []
            for request in requests[start..<end] { group.append(try QueryScan(request, in: self)) }
            // Rows in a file are not read for products: that would bring all of them into memory.
            let coded = segments.map {
                $0.codes != nil && ($0.isMapped || !byProducts && CodeBatch.isWorthwhile(queries: group.count))
            }
            scan(group, coded: coded)
            for query in group {
                let hits = query.selection.withLock { $0.hits(withRanks: query.request.wantsRankBeforeCap) }
                results.append(
                    SearchResult(
                        hits: hits, matched: query.matched, scanned: query.matched, complete: true,
                        exact: !query.request.conditions.isApproximate || !coded.contains(true),
                        rescored: query.rescored.withLock { $0 }))
            }
            start = end
        }
        return results
    }

    /// - Parameter coded: for each segment whether its codes are read.
    private func scan(_ group: [QueryScan], coded: [Bool]) {
        // Segments without codes first: they are small, and every threshold that they give spares rows of the others.
        if coded.contains(false) { multiply(group, leavingOut: coded) }
        for query in group { query.selection.withLock { query.floor.lift(&$0) } }
        for (s, segment) in segments.enumerated() where coded[s] {
            if let codes = segment.codes { scanCodes(of: s, codes, for: group) }
        }
        let workers = group.count < 8 ? 1 : min(WorkerThreads.processorCount, group.count)
        WorkerThreads.concurrently(workers) { worker in
            for q in stride(from: worker, to: group.count, by: workers) { resolve(group[q]) }
        }
    }

    private func resolve(_ query: QueryScan) {
        let candidates = query.candidates.withLock { $0 }
        let scored = query.selection.withLock { resolve(candidates, for: query.request.query, into: &$0) }
        query.rescored.withLock { $0 += scored }
    }

    private func multiply(_ group: [QueryScan], leavingOut coded: [Bool]) {
        let width = layout.rowCount
        var queries = AlignedBuffer<Float>(count: group.count * width, repeating: 0)
        var target = queries.mutableSpan
        for (q, query) in group.enumerated() {
            for i in 0..<width { target[q * width + i] = query.request.query.row[i] }
        }
        // (queries, rows of the tile)
        let products = SharedScratch<Float>(count: group.count * tileRows, repeating: 0)
        var rowsOfTile = firstTileRows
        for (s, segment) in segments.enumerated() where !coded[s] {
            var start = 0
            while start < segment.count {
                let range = start..<min(start + rowsOfTile, segment.count)
                products.write { out in
                    segment.read(rows: range) { rows in
                        RowScan.firstPassProducts(
                            queries: queries.span, queryCount: group.count, rows: rows, rowCount: range.count,
                            dimension: width, into: &out)
                    }
                }
                let workers = group.count < 8 ? 1 : min(WorkerThreads.processorCount, group.count)
                WorkerThreads.concurrently(workers) { worker in
                    var chosen = AlignedBuffer<UInt32>(count: range.count, repeating: 0)
                    for q in stride(from: worker, to: group.count, by: workers) {
                        rescore(
                            segment: s, rows: range, query: group[q], position: q, products: products, chosen: &chosen)
                    }
                }
                start = range.upperBound
                rowsOfTile = tileRows
            }
        }
    }

    /// Scores canonically those rows of the tile that may enter one query's result.
    private func rescore(
        segment s: Int, rows range: Range<Int>, query: QueryScan, position q: Int, products: SharedScratch<Float>,
        chosen: inout AlignedBuffer<UInt32>
    ) {
        let segment = segments[s]
        let eligible = query.eligible[s]
        let queryRow = query.request.query.row
        let margin = RowScan.firstPassError(
            dimension: layout.rowCount, queryNorm: query.request.query.norm, rowNorm: segment.greatestNorm)
        query.selection.withLock { selection in
            var scored = 0
            var indices = chosen.mutableSpan
            // nextDown: the subtraction itself may round up.
            let threshold = (selection.threshold - margin).nextDown
            let count = products.read { scores in
                RowScan.select(
                    scores: scores.extracting(q * range.count..<(q + 1) * range.count), atLeast: threshold,
                    into: &indices)
            }
            for i in 0..<count {
                let row = range.lowerBound + Int(indices[i])
                if let eligible, !eligible.contains(row) { continue }
                let score = segment.read(rows: row..<row + 1) {
                    RowScan.canonicalScore(query: queryRow.span, row: $0)
                }
                scored += 1
                selection.add(
                    .init(score: score, cluster: segment.clusters[row], slot: UInt32(offsets[s] + row)))
            }
            selection.cut()
            query.rescored.withLock { $0 += scored }
        }
    }
}
