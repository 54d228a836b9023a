/// The ways of comparing abilities, each over the same careers asked for.
struct AbilityRuns {
    let centred: RetrievalRun
    let plain: RetrievalRun
    /// Nil where nothing was learned.
    let learned: RetrievalRun?

    init(_ places: [Int], of related: RelatedCareers, weights: AbilityWeights?) {
        func run(_ comparison: AbilityComparison, _ weights: [Double]?) -> RetrievalRun {
            let frame = AbilityFrame(profiles: related.profiles, comparison: comparison, weights: weights)
            return AbilityRanking(related.careers, frame: frame).run(places, related)
        }
        centred = run(.centred, nil)
        plain = run(.plain, nil)
        learned = weights.map { run(.centred, $0.values) }
    }

    /// Runs over different careers as one; learned only where all of them are.
    init(joining parts: [AbilityRuns]) {
        func joined(_ runs: [RetrievalRun]) -> RetrievalRun {
            RetrievalRun(
                results: runs.flatMap(\.results), unjudged: runs.reduce(0) { $0 + $1.unjudged },
                documents: runs.first?.documents ?? 0)
        }
        centred = joined(parts.map(\.centred))
        plain = joined(parts.map(\.plain))
        let known = parts.compactMap(\.learned)
        learned = known.count == parts.count ? joined(known) : nil
    }
}
