internal import VectorMath

/// Rows scored at a time: few enough to stay in the second-level cache while every example meets them.
private let blockRows = 256

extension Generation {
    /// The items most like any of several liked examples, without those more like a disliked one: exact.
    ///
    /// An item's score is its greatest canonical inner product with a liked query, so each interest counts for
    /// itself; the average of the examples would be near to none of them where they differ. An item whose greatest
    /// product with a disliked query is greater than that score is left out, and counted in `setAside`; ranks and the
    /// cap know only the rest. The examples themselves are found like every other item, unless excluded.
    ///
    /// - Parameters:
    ///   - liked: at least one.
    ///   - workers: threads of the pass; nil for as many as the rows are worth. No result depends on it.
    /// - Throws: `IndexError` where nothing is liked, or for a query or condition that does not fit this generation.
    /// - Complexity: O(rows · (liked + disliked) · dimension) time with one read of the rows, O(limit) memory for
    ///   each worker.
    package func search(
        best liked: [FusedQuery], unlike disliked: [FusedQuery] = [], _ conditions: SearchConditions,
        workers: Int? = nil
    ) throws(IndexError) -> SearchResult {
        guard !liked.isEmpty else { throw .zeroQuery }
        try conditions.validate(in: self)
        for query in liked { try query.validate(in: self) }
        for query in disliked { try query.validate(in: self) }
        let eligible = try eligibleRows(for: conditions)
        let matched = matchedCount(eligible)
        let shares = workerShares(workers)
        let parts = WorkerThreads.map(shares.count) { worker in
            var scan = ExampleScan(
                generation: self, liked: liked, disliked: disliked, selection: makeSelection(for: conditions))
            scan.run(slots: shares[worker], eligible: eligible)
            return (scan.selection, scan.setAside)
        }
        var best = makeSelection(for: conditions)
        var setAside = 0
        for part in parts {
            best.merge(part.0)
            setAside += part.1
        }
        return SearchResult(
            hits: best.hits(withRanks: conditions.wantsRankBeforeCap), matched: matched, scanned: matched,
            complete: true, exact: true, rescored: matched, setAside: setAside)
    }
}

/// One worker's pass over its share of the rows.
private struct ExampleScan: ~Copyable {
    private let generation: Generation
    private let liked: [FusedQuery]
    private let disliked: [FusedQuery]
    private(set) var selection: Selection
    private(set) var setAside = 0
    /// Of the rows of a block: the greatest product with a liked query, that with a disliked one, and those with one.
    private var nearest = AlignedBuffer<Float>(count: blockRows, repeating: 0)
    private var nearestDisliked = AlignedBuffer<Float>(count: blockRows, repeating: 0)
    private var products = AlignedBuffer<Float>(count: blockRows, repeating: 0)

    init(generation: Generation, liked: [FusedQuery], disliked: [FusedQuery], selection: Selection) {
        self.generation = generation
        self.liked = liked
        self.disliked = disliked
        self.selection = selection
    }

    mutating func run(slots: Range<Int>, eligible: [Bitmap?]) {
        let generation = generation
        generation.forEachBlock(of: slots, size: blockRows) { s, rows in
            guard let eligible = eligible[s] else {
                score(segment: s, rows: rows)
                for row in rows { offer(row, of: s, at: row - rows.lowerBound) }
                return
            }
            let few = eligible.population(in: rows)
            if few == 0 { return }
            // Where few rows of the block may be found, scoring just those reads less memory.
            if few * 4 < rows.count {
                eligible.forEach(in: rows) { row in
                    score(segment: s, rows: row..<row + 1)
                    offer(row, of: s, at: 0)
                }
            } else {
                score(segment: s, rows: rows)
                eligible.forEach(in: rows) { offer($0, of: s, at: $0 - rows.lowerBound) }
            }
        }
    }

    /// Fills `nearest` and `nearestDisliked` for at most a block of consecutive rows.
    private mutating func score(segment s: Int, rows: Range<Int>) {
        let segment = generation.segments[s]
        Self.greatest(of: liked, segment: segment, rows: rows, products: &products, into: &nearest)
        Self.greatest(of: disliked, segment: segment, rows: rows, products: &products, into: &nearestDisliked)
    }

    private static func greatest(
        of queries: [FusedQuery], segment: Segment, rows: Range<Int>, products: inout AlignedBuffer<Float>,
        into greatest: inout AlignedBuffer<Float>
    ) {
        var all = products.mutableSpan
        var products = all.part(0..<rows.count)
        var target = greatest.mutableSpan
        for i in 0..<rows.count { target[i] = -.infinity }
        for query in queries {
            segment.read(rows: rows) { RowScan.canonicalScores(query: query.row.span, rows: $0, into: &products) }
            for i in 0..<rows.count where products[i] > target[i] { target[i] = products[i] }
        }
    }

    /// Offers a row to the selection, or sets it aside.
    private mutating func offer(_ row: Int, of s: Int, at position: Int) {
        let score = nearest[position]
        guard nearestDisliked[position] <= score else {
            setAside += 1
            return
        }
        selection.add(
            .init(
                score: score, cluster: generation.segments[s].clusters[row],
                slot: UInt32(generation.offsets[s] + row)))
    }
}
