internal import VectorMath

/// Rows scored at a time: their scores stay in the first-level cache.
private let blockRows = 1_024
/// Below this many rows, starting a second thread costs more than it saves (measured: about 20 µs a wake-up).
private let parallelRows = 8_192

extension Generation {
    /// The best items for one query: exact.
    ///
    /// One pass over the rows that meet the conditions, split over the processors where there are many; each worker
    /// keeps a `Selection`, and the workers' selections are merged. Rows that have codes are scored only where the
    /// codes' bounds leave a doubt, others by the canonical kernel.
    ///
    /// - Throws: `IndexError` for a request that does not fit this generation.
    /// - Complexity: O(rows · dimension) time, O(limit) memory for each worker.
    package func search(_ request: SearchRequest) throws(IndexError) -> SearchResult {
        try request.validate(in: self)
        let eligible = try eligibleRows(for: request.conditions)
        let matched = matchedCount(eligible)
        let coded = codedQueries(for: request)
        let floor = SharedFloor()
        let bounds = makeSelection(for: request.conditions)
        let first = FirstLook(self, coded: coded, eligible: eligible, capacity: bounds.capacity)
        let shared = SharedBounds(bounds)
        let early = first?.run(
            self, query: request.query, coded: coded, eligible: eligible, bounds: bounds, shared: shared, floor: floor)
        let shares = workerShares(from: first?.end ?? 0)
        let found = WorkerThreads.map(shares.count) { worker in
            var selection = makeSelection(for: request.conditions)
            var candidates = Candidates(bounds: selection, isShared: true)
            if shares[worker].isEmpty {
                return (selection: selection, candidates: candidates.rows, scored: 0, isBounded: false)
            }
            shared.exchange(with: &candidates)
            let (scored, isBounded) = scan(
                slots: shares[worker], query: request.query, coded: coded, eligible: eligible, shared: shared,
                floor: floor, candidates: &candidates, into: &selection)
            floor.lift(&candidates.bounds)
            candidates.prune()
            return (selection: selection, candidates: candidates.rows, scored: scored, isBounded: isBounded)
        }
        var best = makeSelection(for: request.conditions)
        for part in found { best.merge(part.selection) }
        best.cut()
        let rescored = resolve((early?.candidates ?? []) + found.flatMap(\.candidates), for: request.query, into: &best)
        return SearchResult(
            hits: best.hits(withRanks: request.wantsRankBeforeCap), matched: matched, scanned: matched, complete: true,
            exact: !request.conditions.isApproximate || (first == nil && found.allSatisfy { !$0.isBounded }),
            rescored: found.reduce(rescored + (early?.scored ?? 0)) { $0 + $1.scored })
    }

    /// For each segment the query as its codes take it, or nil where the rows themselves are to be scored.
    private func codedQueries(for request: SearchRequest) -> [CodedQuery?] {
        // Where much of the index is asked for, little can be ruled out.
        guard request.limit < count / 8 else { return segments.map { _ in nil } }
        var mapping = QueryMapping()
        return segments.map { segment in
            segment.codes.map {
                CodedQuery(
                    request.query, coordinates: mapping.coordinates(of: request.query, along: $0.axes), codes: $0,
                    layout: layout, greatestRowNorm: segment.greatestNorm,
                    isApproximate: request.conditions.isApproximate)
            }
        }
    }

    func makeSelection(for conditions: SearchConditions) -> Selection {
        Selection(
            generation: self, limit: conditions.limit, maxPerCluster: conditions.maxPerCluster,
            keepsCapped: conditions.wantsRankBeforeCap)
    }

    /// The slots that each worker of a pass takes, ascending; at least one share, which may be empty.
    ///
    /// - Parameters:
    ///   - workers: nil for as many as the rows are worth. No result depends on it.
    ///   - start: of the slots to be shared; a multiple of 64, or all there are.
    func workerShares(_ workers: Int? = nil, from start: Int = 0) -> [Range<Int>] {
        let rowTotal = offsets[segments.count] - start
        let workers =
            workers
            ?? (rowTotal < parallelRows ? 1 : min(WorkerThreads.processorCount, rowTotal / (parallelRows / 2)))
        // Whole blocks of 64 rows for each worker, so that every block begins on a word of the bitmaps.
        let share = ((rowTotal + workers - 1) / workers + 63) / 64 * 64
        return (0..<workers).map { start + min($0 * share, rowTotal)..<start + min(($0 + 1) * share, rowTotal) }
    }

    /// The rows of one segment among `slots`, cut where a multiple of `size` rows of the segment is reached.
    func forEachBlock(of slots: Range<Int>, size: Int, _ body: (_ segment: Int, _ rows: Range<Int>) -> Void) {
        for s in segments.indices {
            let slots = slots.clamped(to: offsets[s]..<offsets[s + 1])
            // Shares are aligned by slot, so realign to rows of the segment here.
            var start = slots.lowerBound - offsets[s]
            let end = slots.upperBound - offsets[s]
            while start < end {
                let stop = min(end, (start / size + 1) * size)
                body(s, start..<stop)
                start = stop
            }
        }
    }

    /// For each segment the rows that may be found, or nil where all may.
    func eligibleRows(for conditions: SearchConditions) throws(IndexError) -> [Bitmap?] {
        var eligible: [Bitmap?] = []
        eligible.reserveCapacity(segments.count)
        for (segment, dead) in zip(segments, dead) {
            var bitmap: Bitmap? = nil
            if let filter = conditions.filter {
                bitmap = try filter.rows(in: segment.columns, dead: dead)
            }
            if !dead.isEmpty {
                var live = bitmap ?? Bitmap(count: segment.count, filled: true)
                live.subtract(dead)
                bitmap = live
            }
            for id in conditions.excluded {
                guard let row = segment.row(of: id) else { continue }
                var rest = bitmap ?? Bitmap(count: segment.count, filled: true)
                rest.remove(row)
                bitmap = rest
            }
            eligible.append(bitmap)
        }
        return eligible
    }

    func matchedCount(_ eligible: [Bitmap?]) -> Int {
        zip(segments, eligible).reduce(0) { $0 + ($1.1?.population ?? $1.0.count) }
    }

    /// Finds the eligible rows among `slots` that may enter: candidates where there are codes, the others go to the
    /// selection with their canonical scores.
    ///
    /// - Returns: how many rows were scored, and whether bounds ruled on any others.
    private func scan(
        slots: Range<Int>, query: FusedQuery, coded: [CodedQuery?], eligible: [Bitmap?], shared: SharedBounds,
        floor: SharedFloor, candidates: inout Candidates, into selection: inout Selection
    ) -> (scored: Int, isBounded: Bool) {
        var scores = AlignedBuffer<Float>(count: blockRows, repeating: 0)
        var chosen = AlignedBuffer<UInt32>(count: blockRows, repeating: 0)
        // Its memory is written before it is used, which costs a search of few rows more than its rows.
        let codedRows = coded.allSatisfy { $0 == nil } ? 0 : min(CodedScan.tileRows, slots.count)
        var bounds = CodedScan(rows: codedRows)
        var scored = 0
        var isBounded = false
        forEachBlock(of: slots, size: CodedScan.tileRows) { s, rows in
            let few = eligible[s].map { $0.population(in: rows) * 4 < rows.count } ?? false
            if let coded = coded[s], let codes = segments[s].codes, !few {
                let tile = CodedScan.Tile(
                    segment: segments[s], codes: codes, rows: rows, offset: offsets[s], coded: coded,
                    eligible: eligible[s], floor: floor)
                isBounded = true
                bounds.scan(tile, into: &candidates)
                shared.exchange(with: &candidates)
                return
            }
            scored += eligible[s].map { $0.population(in: rows) } ?? rows.count
            for start in stride(from: rows.lowerBound, to: rows.upperBound, by: blockRows) {
                scan(
                    segment: s, rows: start..<min(start + blockRows, rows.upperBound), query: query,
                    eligible: eligible[s], scores: &scores, chosen: &chosen, into: &selection)
            }
            floor.lift(&selection)
        }
        return (scored, isBounded)
    }

    private func scan(
        segment s: Int, rows range: Range<Int>, query: FusedQuery, eligible: Bitmap?,
        scores: inout AlignedBuffer<Float>, chosen: inout AlignedBuffer<UInt32>, into selection: inout Selection
    ) {
        let segment = segments[s]
        let offset = offsets[s]
        if let eligible {
            let few = eligible.population(in: range)
            if few == 0 { return }
            // Where few rows of the block may be found, scoring just those reads less memory.
            if few * 4 < range.count {
                eligible.forEach(in: range) { row in
                    let score = segment.read(rows: row..<row + 1) {
                        RowScan.canonicalScore(query: query.row.span, row: $0)
                    }
                    selection.add(
                        .init(score: score, cluster: segment.clusters[row], slot: UInt32(offset + row)))
                }
                return
            }
        }
        var all = scores.mutableSpan
        var out = all._mutatingExtracting(0..<range.count)
        segment.read(rows: range) { RowScan.canonicalScores(query: query.row.span, rows: $0, into: &out) }
        var indices = chosen.mutableSpan
        let count = RowScan.select(scores: out.span, atLeast: selection.threshold, into: &indices)
        for i in 0..<count {
            let row = range.lowerBound + Int(indices[i])
            if let eligible, !eligible.contains(row) { continue }
            selection.add(
                .init(score: out[Int(indices[i])], cluster: segment.clusters[row], slot: UInt32(offset + row)))
        }
    }
}
