// How a list of texts is cut into batches.

/// Lists of token ids by length, cut so that no batch has more tokens than the budget unless it is a single text.
///
/// No padding depends on it, but neighbours of one length keep the scratch memory of attention small, and the
/// longest first lets that memory be taken once.
struct TokenBatches: Sequence, IteratorProtocol {
    private let ordered: [[Int32]]
    private let budget: Int
    private var position = 0

    init(_ sequences: [[Int32]], budget: Int) {
        ordered = sequences.sorted { $0.count > $1.count }
        self.budget = budget
    }

    mutating func next() -> [[Int32]]? {
        guard position < ordered.count else { return nil }
        var end = position
        var tokens = 0
        repeat {
            tokens += ordered[end].count
            end += 1
        } while end < ordered.count && tokens + ordered[end].count <= budget
        defer { position = end }
        return Array(ordered[position..<end])
    }
}
