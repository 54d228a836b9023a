/// The best rows seen so far, under a limit and a cap per cluster: exact, in one pass, in memory O(limit).
///
/// The lists that a limit k and a cap m per cluster allow are the independent sets of a matroid (a truncated
/// partition matroid), so taking rows in order and skipping those the cap forbids gives the best list, and the
/// best of (best of A) ∪ B is the best of A ∪ B (Edmonds, Matroids and the greedy algorithm, 1971). Rows may
/// therefore be cut to the best list whenever the buffer is full, and workers' lists merged, without loss.
struct Selection: Sendable {
    struct Candidate: Sendable {
        let score: Float
        let cluster: UInt32
        let slot: UInt32
    }

    private let generation: Generation
    private let limit: Int
    private let maxPerCluster: Int?
    /// Whether rows that the cap alone kept out are remembered, for ranks without the cap.
    private let keepsCapped: Bool
    /// Candidates held before they are cut to the best list.
    let capacity: Int

    /// A row with a smaller score cannot enter any more.
    private(set) var threshold: Float = -.infinity
    /// For each cluster that has all the rows it may have the least of their scores: what a further one must reach.
    /// Empty without a cap, and where capped rows are remembered.
    private(set) var clusterFloors: [Float] = []
    /// Whether any cluster is full.
    private(set) var hasClusterFloors = false
    private var buffer: [Candidate] = []
    private var capped: [Candidate] = []
    private var cappedPruneCount = 1_024
    /// The first so many entries of the buffer are the best list of the last cut.
    private var known = 0

    init(generation: Generation, limit: Int, maxPerCluster: Int?, keepsCapped: Bool) {
        self.generation = generation
        self.limit = min(limit, generation.count)
        self.maxPerCluster = maxPerCluster
        self.keepsCapped = keepsCapped && maxPerCluster != nil
        capacity = self.limit + max(self.limit, 256)
        if self.limit == 0 || maxPerCluster == 0 { threshold = .infinity }
        if maxPerCluster != nil, !self.keepsCapped {
            clusterFloors = Array(repeating: -.infinity, count: generation.clusterNames.count)
        }
    }

    /// Whether a row whose score is at most `bound` may still enter.
    func mayEnter(_ bound: Float, cluster: UInt32) -> Bool {
        bound >= threshold && (!hasClusterFloors || bound >= clusterFloors[Int(cluster)])
    }

    /// Raises the threshold to what is known to be reached by a whole list elsewhere.
    mutating func raise(to floor: Float) { threshold = max(threshold, floor) }

    mutating func add(_ candidate: Candidate) {
        guard candidate.score >= threshold, threshold < .infinity else { return }
        buffer.append(candidate)
        if buffer.count >= capacity { cut() }
    }

    mutating func merge(_ other: Selection) {
        capped += other.capped
        for candidate in other.buffer { add(candidate) }
    }

    /// Cuts the buffer to the best list of what it holds, and raises the threshold.
    ///
    /// - Parameter news: fewer candidates since the last time are not worth the sorting.
    mutating func cut(atLeast news: Int = 1) {
        guard buffer.count >= known + news else { return }
        if let maxPerCluster {
            buffer.sort(by: precedes)
            var taken: [UInt32: Int] = [:]
            var kept = 0
            for i in buffer.indices {
                let candidate = buffer[i]
                if taken[candidate.cluster, default: 0] >= maxPerCluster {
                    if keepsCapped { capped.append(candidate) }
                    continue
                }
                if kept == limit { break }
                taken[candidate.cluster, default: 0] += 1
                if taken[candidate.cluster] == maxPerCluster, !clusterFloors.isEmpty {
                    clusterFloors[Int(candidate.cluster)] = candidate.score
                    hasClusterFloors = true
                }
                buffer[kept] = candidate
                kept += 1
            }
            buffer.removeSubrange(kept...)
        } else if buffer.count > limit {
            moveBestForward()
            buffer.removeSubrange(limit...)
        }
        known = buffer.count
        if known == limit, let least = buffer.lazy.map(\.score).min() { threshold = max(threshold, least) }
        if capped.count > cappedPruneCount {
            let threshold = threshold
            capped.removeAll { $0.score < threshold }
            cappedPruneCount = 2 * capped.count + 1_024
        }
    }

    /// The best list.
    mutating func best() -> [Candidate] {
        cut()
        return buffer
    }

    /// Takes the same rows with scores that are no smaller.
    mutating func rescore(_ rows: [Candidate]) {
        buffer = rows
        known = 0
        cut()
    }

    /// Puts the best `limit` of the buffer's entries before all others, in any order (Hoare, Algorithm 65: find, 1961).
    private mutating func moveBestForward() {
        var range = 0..<buffer.count
        while range.count > 1 {
            // Not the first: lists that are nearly in order would take quadratic time.
            let pivot = buffer[range.lowerBound + range.count / 2]
            var left = range.lowerBound
            var right = range.upperBound - 1
            while left <= right {
                while precedes(buffer[left], pivot) { left += 1 }
                while precedes(pivot, buffer[right]) { right -= 1 }
                if left > right { break }
                buffer.swapAt(left, right)
                left += 1
                right -= 1
            }
            if limit <= right {
                range = range.lowerBound..<right + 1
            } else if limit > left {
                range = left..<range.upperBound
            } else {
                return
            }
        }
    }

    /// The best list, in order.
    mutating func hits(withRanks: Bool) -> [SearchHit] {
        cut()
        buffer.sort(by: precedes)
        var before: [Candidate] = capped
        before.sort(by: precedes)
        var passed = 0
        return buffer.enumerated().map { position, candidate in
            while passed < before.count, precedes(before[passed], candidate) { passed += 1 }
            let slot = Slot(Int(candidate.slot))
            return SearchHit(
                id: generation.id(of: slot), slot: slot, cluster: generation.clusterNames[Int(candidate.cluster)],
                score: candidate.score, rankBeforeCap: withRanks ? position + passed + 1 : nil)
        }
    }

    private func precedes(_ a: Candidate, _ b: Candidate) -> Bool {
        // Ids are fetched on ties alone: comparing strings for every pair would dominate the sort.
        if a.score != b.score { return a.score > b.score }
        return a.slot != b.slot && generation.id(of: Slot(Int(a.slot))) < generation.id(of: Slot(Int(b.slot)))
    }
}
