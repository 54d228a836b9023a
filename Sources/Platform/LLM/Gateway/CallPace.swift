/// How long a gateway's calls take of late, what they wait for their provider left out, so that nobody waits for an answer that would come too late.
///
/// With a line in order of arrival and a deadline for each, more calls than can be answered would all grow old in the
/// line: each would begin with little time left, be paid for and come to nothing. So who sees that its turn comes too
/// late leaves at once, and those before it are answered.
package struct CallPace: Sendable, Equatable {
    /// The share of the newest call in the mean.
    private static let weight = 0.2

    /// Nil before the first call has ended.
    package private(set) var mean: Duration?

    package init() {}

    /// Takes note of a call that held its slot for so long.
    ///
    /// - Parameter isWhole: whether it ended by itself. One that was ended tells only that it would have taken longer.
    package mutating func note(_ held: Duration, isWhole: Bool) {
        guard let mean else {
            self.mean = held
            return
        }
        guard isWhole || held > mean else { return }
        self.mean = mean + (held - mean) * Self.weight
    }

    /// Whether who waits for so long has too little left for what a call takes. Who spends less than half of its time in
    /// the line has not: its call may be shorter than the others.
    package func isTooLate(after wait: Duration, of total: Duration) -> Bool {
        guard let mean else { return false }
        return wait * 2 > total && wait + mean > total
    }
}
