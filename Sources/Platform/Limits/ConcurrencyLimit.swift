import Synchronization

/// A bound on how many do something at once. Who is one too many is told at once; nobody waits.
package final class ConcurrencyLimit: Sendable {
    package let maximum: Int
    private let inside = Atomic<Int>(0)
    private let turnedAway = Atomic<Int>(0)

    package init(maximum: Int) {
        precondition(maximum >= 1, "nobody would ever be let in")
        self.maximum = maximum
    }

    /// How many are inside.
    package var count: Int { inside.load(ordering: .relaxed) }
    /// How many were turned away since the start.
    package var refused: Int { turnedAway.load(ordering: .relaxed) }

    /// Goes in, if there is room. Who gets true calls `leave` once.
    package func enter() -> Bool {
        // Adding first is one instruction where there is room; a compare-and-exchange loop would turn on itself exactly
        // when many come at once. The price: at the very bound, one that is being turned away may cost another its place.
        guard inside.add(1, ordering: .acquiring).newValue <= maximum else {
            inside.subtract(1, ordering: .relaxed)
            turnedAway.add(1, ordering: .relaxed)
            return false
        }
        return true
    }

    package func leave() {
        let left = inside.subtract(1, ordering: .releasing).newValue
        precondition(left >= 0, "who leaves has been inside")
    }
}
