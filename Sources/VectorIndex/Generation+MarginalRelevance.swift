internal import Synchronization
internal import VectorMath

/// Rows scored at a time: their scores stay in the first-level cache.
private let blockRows = 1_024

extension Generation {
    /// Items that are relevant and unlike each other: maximal marginal relevance, exact over all that matches.
    ///
    /// The first hit is the most relevant item. Each next one has the greatest
    /// `w·relevance − (1 − w)·(greatest similarity to a hit before it)`, ties by id, the value computed in double
    /// precision (Carbonell and Goldstein, The use of MMR, diversity-based reranking for reordering documents and
    /// producing summaries, 1998, whose candidates are the whole collection here). Relevance is the canonical score of
    /// the request's query; similarity is that of `[α·e | (1 − α)·λ·a]` of the hit. `w` = 1 gives what `search` gives.
    ///
    /// Against the cap per cluster: the cap trusts the catalogue's clusters, costs one pass and lets near-duplicates
    /// of two clusters through; this looks at the rows themselves, costs a pass for each hit, and may take several hits
    /// of one cluster where they differ. Both together: an item whose cluster is full is passed over.
    ///
    /// A hit's `score` is its relevance, and `rankBeforeCap` its rank by relevance alone; hits are in the order chosen.
    ///
    /// - Parameters:
    ///   - weight: w, 0…1.
    ///   - alpha: weight of the embedding in the similarity of two items, 0…1; the query's own, as a rule.
    ///   - lambda: scale of the ability cosine in it, 0…1.
    ///   - workers: threads of each pass; nil for as many as the rows are worth. No result depends on it.
    /// - Throws: `IndexError` for a weight outside 0…1, or a request that does not fit this generation.
    /// - Complexity: O(hits · rows · dimension) time: one pass over the matching rows for each hit but the last, so the
    ///   limit should be a page's, not the catalogue's. O(rows) memory.
    package func search(
        marginalRelevance weight: Float, _ request: SearchRequest, alpha: Float, lambda: Float, workers: Int? = nil
    ) throws(IndexError) -> SearchResult {
        for (what, value) in [("the weight of relevance", weight), ("alpha", alpha), ("lambda", lambda)] {
            guard value >= 0, value <= 1 else { throw .weightOutOfRange(what: what, value: value) }
        }
        // Similarity counts for nothing: one pass finds it all.
        if weight == 1 { return try search(request) }
        try request.validate(in: self)
        let eligible = try eligibleRows(for: request.conditions)
        let matched = matchedCount(eligible)
        let parts = workerShares(workers).map { MarginalScan(self, slots: $0, eligible: eligible, weight: weight) }
        var closed = [Bool](repeating: request.maxPerCluster == 0, count: clusterNames.count)
        var taken = [Int](repeating: 0, count: clusterNames.count)
        var chosen: [MarginalScan.Candidate] = []
        var similarTo = request.query.row
        while chosen.count < min(request.limit, matched) {
            let isFirst = chosen.isEmpty
            let compared = similarTo
            let open = closed
            let bests = WorkerThreads.map(parts.count) { part in
                isFirst
                    ? parts[part].firstBest(query: compared, closed: open)
                    : parts[part].nextBest(unlike: compared, closed: open)
            }
            guard let best = bests.compactMap({ $0 }).min(by: precedes) else { break }
            chosen.append(best)
            let (segment, row) = place(of: best.slot)
            let cluster = Int(segments[segment].clusters[row])
            taken[cluster] += 1
            if taken[cluster] == request.maxPerCluster { closed[cluster] = true }
            for part in parts { part.take(best.slot) }
            similarTo = weighted(self.row(at: best.slot), alpha: alpha, lambda: lambda)
        }
        let ranks = request.wantsRankBeforeCap ? ranks(of: chosen, in: parts) : nil
        let hits = chosen.enumerated().map { position, candidate in
            SearchHit(
                id: id(of: candidate.slot), slot: candidate.slot, cluster: cluster(of: candidate.slot),
                score: candidate.relevance, rankBeforeCap: ranks?[position])
        }
        return SearchResult(
            hits: hits, matched: matched, scanned: matched, complete: true, exact: true, rescored: matched)
    }

    /// `[α·e | (1 − α)·λ·a | 0]` of an item's row, as `FusedQuery` weighs it; all zero where nothing is left.
    private func weighted(_ row: [Float], alpha: Float, lambda: Float) -> [Float] {
        var row = row
        let abilityWeight = (1 - alpha) * lambda
        for i in 0..<layout.embeddingCount { row[i] = alpha * row[i] }
        for i in layout.embeddingCount..<layout.embeddingCount + layout.abilityCount { row[i] = abilityWeight * row[i] }
        return row
    }

    private func ranks(of chosen: [MarginalScan.Candidate], in parts: [MarginalScan]) -> [Int] {
        let counts = WorkerThreads.map(parts.count) { parts[$0].countsBefore(chosen) }
        return chosen.indices.map { position in 1 + counts.reduce(0) { $0 + $1[position] } }
    }

    fileprivate func precedes(_ a: MarginalScan.Candidate, _ b: MarginalScan.Candidate) -> Bool {
        // Ids are fetched on ties alone.
        if a.value != b.value { return a.value > b.value }
        return a.slot != b.slot && id(of: a.slot) < id(of: b.slot)
    }
}

/// One worker's share of the rows, kept from step to step. Its lock is never contended: a step gives it to one worker.
private final class MarginalScan: Sendable {
    struct Candidate: Sendable {
        let slot: Slot
        let relevance: Float
        /// What the step maximises.
        let value: Double
    }

    private struct State: ~Copyable {
        /// (slots of the share)
        var relevance: AlignedBuffer<Float>
        /// The greatest similarity to a chosen item, (slots of the share).
        var similarity: AlignedBuffer<Float>
        var scores = AlignedBuffer<Float>(count: blockRows, repeating: 0)
        /// For each segment the rows that may still be chosen.
        var open: [Bitmap]
    }

    private let generation: Generation
    private let slots: Range<Int>
    /// For each segment the rows that met the conditions.
    private let eligible: [Bitmap]
    private let weight: Double
    private let state: Mutex<State>

    init(_ generation: Generation, slots: Range<Int>, eligible: [Bitmap?], weight: Float) {
        self.generation = generation
        self.slots = slots
        self.weight = Double(weight)
        let rows = zip(generation.segments, eligible).map { $1 ?? Bitmap(count: $0.count, filled: true) }
        self.eligible = rows
        state = Mutex(
            State(
                relevance: AlignedBuffer(count: slots.count, repeating: 0),
                similarity: AlignedBuffer(count: slots.count, repeating: -.infinity), open: rows))
    }

    /// Scores every eligible row for the query and returns the most relevant one whose cluster is not closed.
    func firstBest(query: [Float], closed: [Bool]) -> Candidate? {
        best(query, closed: closed) { state, position, score in
            state.relevance[position] = score
            return Double(score)
        }
    }

    /// Raises each open row's similarity by its score for `row`, and returns the row with the greatest value.
    func nextBest(unlike row: [Float], closed: [Bool]) -> Candidate? {
        let weight = weight
        return best(row, closed: closed) { state, position, score in
            let similarity = max(state.similarity[position], score)
            state.similarity[position] = similarity
            return weight * Double(state.relevance[position]) - (1 - weight) * Double(similarity)
        }
    }

    /// Takes a row out of the choice; nothing happens where it is another share's.
    func take(_ slot: Slot) {
        guard slots.contains(Int(slot.index)) else { return }
        let (segment, row) = generation.place(of: slot)
        state.withLock { $0.open[segment].remove(row) }
    }

    /// For each candidate how many eligible rows of the share come before it by relevance.
    func countsBefore(_ candidates: [Candidate]) -> [Int] {
        state.withLock { state in
            var counts = [Int](repeating: 0, count: candidates.count)
            generation.forEachBlock(of: slots, size: blockRows) { s, rows in
                let offset = generation.offsets[s]
                eligible[s].forEach(in: rows) { row in
                    let relevance = state.relevance[offset + row - slots.lowerBound]
                    for (i, candidate) in candidates.enumerated() where relevance >= candidate.relevance {
                        let slot = Slot(offset + row)
                        // The id decides among equals, and is fetched for those alone.
                        if relevance > candidate.relevance
                            || (slot != candidate.slot && generation.id(of: slot) < generation.id(of: candidate.slot))
                        {
                            counts[i] += 1
                        }
                    }
                }
            }
            return counts
        }
    }

    /// One pass: the open row with the greatest value that `judge` gives for its score and position in the share.
    private func best(
        _ query: [Float], closed: [Bool], _ judge: (inout State, _ position: Int, _ score: Float) -> Double
    ) -> Candidate? {
        state.withLock { state in
            var best: Candidate?
            let generation = generation
            generation.forEachBlock(of: slots, size: blockRows) { s, rows in
                let few = state.open[s].population(in: rows)
                if few == 0 { return }
                let segment = generation.segments[s]
                // Where few rows of the block are left, scoring just those reads less memory.
                let isSparse = few * 4 < rows.count
                if !isSparse { Self.score(query, segment: segment, rows: rows, into: &state.scores) }
                let open = state.open[s]
                open.forEach(in: rows) { row in
                    if isSparse { Self.score(query, segment: segment, rows: row..<row + 1, into: &state.scores) }
                    let score = state.scores[isSparse ? 0 : row - rows.lowerBound]
                    let slot = Slot(generation.offsets[s] + row)
                    let position = Int(slot.index) - slots.lowerBound
                    let value = judge(&state, position, score)
                    guard !closed[Int(segment.clusters[row])] else { return }
                    if let best, value < best.value { return }
                    let candidate = Candidate(slot: slot, relevance: state.relevance[position], value: value)
                    if best.map({ generation.precedes(candidate, $0) }) ?? true { best = candidate }
                }
            }
            return best
        }
    }

    private static func score(
        _ query: [Float], segment: Segment, rows: Range<Int>, into scores: inout AlignedBuffer<Float>
    ) {
        var all = scores.mutableSpan
        var out = all.part(0..<rows.count)
        segment.read(rows: rows) { RowScan.canonicalScores(query: query.span, rows: $0, into: &out) }
    }
}
