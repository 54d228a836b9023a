import Synchronization

/// Spans that have ended and are not sent yet. Whoever ends one never waits: what finds no room is counted and gone.
package final class SpanBuffer: Sendable {
    private struct State {
        var spans: [TraceSpan] = []
        var dropped = 0
    }

    private let capacity: Int
    private let state = Mutex(State())

    package init(capacity: Int = 2_048) {
        precondition(capacity > 0, "a buffer has room for something")
        self.capacity = capacity
    }

    /// How many found no room since the start.
    package var dropped: Int { state.withLock { $0.dropped } }

    package var count: Int { state.withLock { $0.spans.count } }

    package func add(_ span: TraceSpan) {
        state.withLock { state in
            if state.spans.count < capacity { state.spans.append(span) } else { state.dropped += 1 }
        }
    }

    /// The oldest, at most so many; they are no longer here then.
    package func take(_ most: Int) -> [TraceSpan] {
        state.withLock { state in
            let taken = Array(state.spans.prefix(most))
            state.spans.removeFirst(taken.count)
            return taken
        }
    }
}
