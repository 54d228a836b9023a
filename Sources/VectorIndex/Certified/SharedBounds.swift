internal import VectorMath

/// The best list of lower bounds that all workers of a search have found together.
///
/// A worker's own list knows its own rows alone, and with half of the rows the hundredth best is further down. Each adds
/// what a tile gave it and goes on with the list of all.
///
/// SAFETY of `@unchecked Sendable`: `list` is only touched by who holds the lock.
final class SharedBounds: @unchecked Sendable {
    private let lock = SpinLock()
    private var list: Selection

    init(_ list: Selection) { self.list = list }

    private func withLock<Result>(_ body: (inout Selection) -> Result) -> Result {
        lock.withLock { body(&list) }
    }

    /// Adds what `candidates` has found since the last time, and gives it the list of all.
    func exchange(with candidates: inout Candidates) {
        candidates.bounds = withLock { list in
            for bound in candidates.news { list.add(bound) }
            list.cut()
            return list
        }
        candidates.forgetNews()
    }

    /// The rows of the list.
    func best() -> [Selection.Candidate] { withLock { $0.best() } }

    /// Puts canonical scores in the place of the lower bounds of `rows`, which are the list's: raises the threshold.
    ///
    /// No worker may exchange between `best` and this.
    func sharpen(_ rows: [Selection.Candidate], to scores: [Float]) {
        guard !rows.isEmpty else { return }
        withLock { list in
            list.rescore(zip(rows, scores).map { .init(score: $1, cluster: $0.cluster, slot: $0.slot) })
        }
    }
}
