import VectorIndex

/// The oracle of recall: every item scored canonically, all sorted, taken from the top.
struct NaiveScan {
    private let generation: Generation
    /// All items, best first.
    private let ranked: [(score: Float, slot: Slot)]

    /// - Parameter generation: without deleted items, so that its slots are `0..<count`.
    init(_ query: FusedQuery, over generation: Generation) {
        self.generation = generation
        ranked = (0..<generation.count)
            .map { (score: generation.innerProduct(query.row, at: Slot($0)), slot: Slot($0)) }
            .sorted { a, b in
                a.score != b.score ? a.score > b.score : generation.id(of: a.slot) < generation.id(of: b.slot)
            }
    }

    /// The share of the best list that `result` has at the same place with the same score: stricter than recall as
    /// it is usually counted, which asks for neither.
    ///
    /// - Parameter asSet: count the hits wherever they are, for a search that may miss some.
    func recall(of result: SearchResult, limit: Int, maxPerCluster: Int?, asSet: Bool = false) -> Double {
        let best = best(limit: limit, maxPerCluster: maxPerCluster)
        guard !best.isEmpty else { return result.hits.isEmpty ? 1 : 0 }
        if asSet {
            return Double(Set(best.map(\.slot)).intersection(result.hits.map(\.slot)).count) / Double(best.count)
        }
        let agreeing = zip(best, result.hits).count { $0.score == $1.score && $0.slot == $1.slot }
        return Double(agreeing) / Double(max(best.count, result.hits.count))
    }

    private func best(limit: Int, maxPerCluster: Int?) -> [(score: Float, slot: Slot)] {
        var taken: [String: Int] = [:]
        var best: [(score: Float, slot: Slot)] = []
        for candidate in ranked where best.count < limit {
            if let maxPerCluster {
                let cluster = generation.cluster(of: candidate.slot)
                if taken[cluster, default: 0] >= maxPerCluster { continue }
                taken[cluster, default: 0] += 1
            }
            best.append(candidate)
        }
        return best
    }
}
