/// The area under the ROC curve of scores: how often something wanted scores above something not wanted, ties half.
///
/// Sorted once, so that figures over resampled groups cost one pass each.
struct RankingQuality: Sendable {
    private struct Entry {
        let score: Double
        let group: Int
        let isPositive: Bool
        let weight: Double
    }

    /// By ascending score.
    private let entries: [Entry]

    /// - Parameter groups: for each sample the number of its group.
    init(_ samples: [AbilityWeightSample], groups: [Int], score: (AbilityWeightSample) -> Double) {
        precondition(samples.count == groups.count)
        entries = zip(samples, groups).map { sample, group in
            Entry(score: score(sample), group: group, isPositive: sample.isPositive, weight: sample.weight)
        }.sorted { ($0.score, $0.group) < ($1.score, $1.group) }
    }

    /// - Parameter times: how often each group counts.
    /// - Returns: Nil where nothing wanted or nothing unwanted counts.
    func area(_ times: [Int]) -> Double? {
        var (pairs, positives, negatives) = (0.0, 0.0, 0.0)
        var start = 0
        while start < entries.count {
            var end = start
            var (tiedPositives, tiedNegatives) = (0.0, 0.0)
            while end < entries.count, entries[end].score == entries[start].score {
                let weight = entries[end].weight * Double(times[entries[end].group])
                if entries[end].isPositive { tiedPositives += weight } else { tiedNegatives += weight }
                end += 1
            }
            pairs += tiedPositives * (negatives + tiedNegatives / 2)
            positives += tiedPositives
            negatives += tiedNegatives
            start = end
        }
        return positives > 0 && negatives > 0 ? pairs / (positives * negatives) : nil
    }
}
