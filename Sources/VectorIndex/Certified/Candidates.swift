internal import VectorMath

/// Rows that may enter a result by their upper bounds, while nothing is scored yet.
///
/// A row enters the result for certain only where its lower bound is among the best, so the threshold is that of the best
/// list of lower bounds: scores are no smaller, hence neither is the threshold of theirs.
struct Candidates: Sendable {
    /// The best list by lower bounds, under the limit and the cap of the search.
    var bounds: Selection
    /// With their upper bounds in the place of scores.
    private(set) var rows: [Selection.Candidate] = []
    /// Lower bounds that other workers do not know yet, where there are others.
    private(set) var news: [Selection.Candidate] = []
    private let isShared: Bool
    private var pruneCount = 4_096

    /// - Parameter isShared: whether bounds are exchanged with other workers (`SharedBounds`).
    init(bounds: Selection, isShared: Bool = false) {
        self.bounds = bounds
        self.isShared = isShared
    }

    mutating func add(_ candidate: Selection.Candidate, atLeast lower: Float) {
        rows.append(candidate)
        if lower >= bounds.threshold {
            let bound = Selection.Candidate(score: lower, cluster: candidate.cluster, slot: candidate.slot)
            bounds.add(bound)
            if isShared { news.append(bound) }
        }
        if rows.count > pruneCount { prune() }
    }

    mutating func forgetNews() { news.removeAll(keepingCapacity: true) }

    /// Drops rows that were added before the threshold rose above their bounds.
    mutating func prune() {
        bounds.cut()
        let bounds = bounds
        rows.removeAll { !bounds.mayEnter($0.score, cluster: $0.cluster) }
        pruneCount = 2 * rows.count + 4_096
    }
}

extension Generation {
    /// Scores candidates canonically, the greatest bounds first, until no bound reaches the selection any more.
    ///
    /// - Returns: how many were scored.
    func resolve(_ candidates: [Selection.Candidate], for query: FusedQuery, into selection: inout Selection) -> Int {
        let ordered = candidates.sorted { $0.score > $1.score }
        var scored = 0
        var next = 0
        // The first list is wanted whole; after it the threshold is looked at often.
        var size = max(64, selection.capacity / 2)
        while next < ordered.count, ordered[next].score >= selection.threshold {
            let end = min(next + size, ordered.count)
            let few = ordered[next..<end].filter { selection.mayEnter($0.score, cluster: $0.cluster) }
            for (candidate, score) in zip(few, scores(of: few, for: query)) {
                selection.add(.init(score: score, cluster: candidate.cluster, slot: candidate.slot))
            }
            selection.cut()
            scored += few.count
            next = end
            size = 64
        }
        return scored
    }

    /// Canonical scores of some rows, in their order.
    func scores(of rows: [Selection.Candidate], for query: FusedQuery) -> [Float] {
        var scores = [Float](repeating: 0, count: rows.count)
        for s in segments.indices {
            let own = rows.indices.filter { offsets[s] <= Int(rows[$0].slot) && Int(rows[$0].slot) < offsets[s + 1] }
            guard !own.isEmpty else { continue }
            var which = AlignedBuffer<UInt32>(zeroed: own.count)
            for (i, position) in own.enumerated() { which[i] = rows[position].slot - UInt32(offsets[s]) }
            var found = AlignedBuffer<Float>(zeroed: own.count)
            var out = found.mutableSpan
            segments[s].score(query.row.span, of: which.span, into: &out)
            for (i, position) in own.enumerated() { scores[position] = out[i] }
        }
        return scores
    }
}
