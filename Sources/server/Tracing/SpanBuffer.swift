import Synchronization

/// Spans that have ended and are not sent yet. Whoever ends one never waits: what finds no room is gone.
package final class SpanBuffer: Sendable {
    private let capacity: Int
    /// Oldest first.
    private let spans = Mutex<[TraceSpan]>([])

    package init(capacity: Int = 2_048) {
        precondition(capacity > 0, "a buffer has room for something")
        self.capacity = capacity
    }

    package var count: Int { spans.withLock { $0.count } }

    /// Adds as many as there is room for, in their order.
    ///
    /// - Returns: how many found no room.
    package func add(_ added: [TraceSpan]) -> Int {
        spans.withLock { spans in
            let room = min(capacity - spans.count, added.count)
            spans.append(contentsOf: added.prefix(room))
            return added.count - room
        }
    }

    /// The oldest, at most so many; they are no longer here then.
    package func take(_ most: Int) -> [TraceSpan] {
        spans.withLock { spans in
            let taken = Array(spans.prefix(most))
            spans.removeFirst(taken.count)
            return taken
        }
    }
}
