/// Stored rows that a run may take instead of embedding.
struct RowSources: Sendable {
    /// Of the generations that are kept: the one in use first, then the one before it.
    var kept: [CareerRows] = []
    /// Of a run that was interrupted, and whose plan has changed since.
    var interrupted = CareerRows.empty

    func keptRow(of entry: ReembedPlan.Entry) -> [Float]? {
        for rows in kept {
            if let row = rows.row(of: entry.id, hash: entry.hash) { return row }
        }
        return nil
    }
}

/// The careers of the next block: their rows where a source has them, and which are left to embed.
struct BlockDraft {
    /// Careers of a stored block: what a killed run loses at most, about two seconds of work.
    static let careers = 64

    private(set) var entries: [ReembedPlan.Entry] = []
    private(set) var rows: [String: [Float]] = [:]
    private(set) var missing: [ReembedPlan.Entry] = []
    private(set) var reused = 0
    private(set) var resumed = 0
    /// Whether the next career would be one more to embed than the budget allows.
    private(set) var isOverBudget = false

    /// Takes entries off the beginning of `pending`, and from `budget` those that are to be embedded.
    init(from pending: inout ArraySlice<ReembedPlan.Entry>, sources: RowSources, budget: inout Int) {
        while entries.count < Self.careers, let entry = pending.first {
            if let row = sources.keptRow(of: entry) {
                rows[entry.id] = row
                reused += 1
            } else if let row = sources.interrupted.row(of: entry.id, hash: entry.hash) {
                rows[entry.id] = row
                resumed += 1
            } else {
                isOverBudget = budget == 0
                if isOverBudget { break }
                budget -= 1
                missing.append(entry)
            }
            entries.append(entry)
            pending = pending.dropFirst()
        }
    }
}
