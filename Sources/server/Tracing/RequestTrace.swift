package import Foundation
import Synchronization

/// One request that is recorded: its own span and those of the work below it, until it is answered.
package final class RequestTrace: Sendable {
    /// The trace of the request that the present task answers; nil where it is not recorded, as most are not.
    ///
    /// Bound to the task, so that what lies many layers below finds it without being handed it.
    @TaskLocal package static var current: RequestTrace?

    /// Of one request. One that asks the database a thousand times is understood from the first of them.
    package static let maximumSpans = 64

    private struct State {
        var spans: [TraceSpan] = []
        var omitted = 0
        var hasEnded = false
    }

    package let id: TraceParent.TraceID
    /// The id of the request's own span.
    package let span: UInt64
    /// The caller's span; nil where the trace begins here.
    private let parent: UInt64?
    private let start: ContinuousClock.Instant
    /// What `start` is in nanoseconds since 1970. All times of a trace follow from it by a clock that never goes back, so
    /// that no piece of work seems to lie outside its request.
    private let startTime: UInt64
    private let state = Mutex(State())

    /// - Parameter parent: the caller's span; nil begins a trace.
    package init(
        id: TraceParent.TraceID, parent: UInt64?, start: ContinuousClock.Instant = .now, date: Date = .now
    ) {
        self.id = id
        self.parent = parent
        self.start = start
        span = Self.makeSpanID()
        // A clock before 1970 is wrong anyway.
        startTime = UInt64(max(0, date.timeIntervalSince1970) * 1e9)
    }

    /// Adds a piece of work that has ended. One that ends after its request, as what goes on behind it may, is left out.
    ///
    /// - Parameter attributes: numbers and words of a bounded set.
    package func add(
        _ name: String, kind: TraceSpan.Kind = .inside, from begin: ContinuousClock.Instant,
        to end: ContinuousClock.Instant = .now, hasFailed: Bool = false,
        _ attributes: [(name: String, value: TraceSpan.Attribute)] = []
    ) {
        let added = TraceSpan(
            trace: id, id: Self.makeSpanID(), parent: span, name: name, kind: kind, start: time(of: begin),
            end: time(of: end), hasFailed: hasFailed, attributes: attributes)
        state.withLock { state in
            if state.hasEnded { return }
            // One of them is the request's own.
            if state.spans.count < Self.maximumSpans - 1 { state.spans.append(added) } else { state.omitted += 1 }
        }
    }

    /// The request is answered.
    ///
    /// - Returns: its span and then those below it; nothing at a second time.
    package func end(
        name: String, hasFailed: Bool, at end: ContinuousClock.Instant = .now,
        _ attributes: [(name: String, value: TraceSpan.Attribute)]
    ) -> [TraceSpan] {
        let ended = state.withLock { state -> State? in
            if state.hasEnded { return nil }
            defer {
                state.hasEnded = true
                state.spans = []
            }
            return state
        }
        guard let ended else { return [] }
        let omitted: [(name: String, value: TraceSpan.Attribute)] =
            ended.omitted > 0 ? [("pathlight.omitted_spans", .integer(ended.omitted))] : []
        let request = TraceSpan(
            trace: id, id: span, parent: parent, name: name, kind: .server, start: startTime, end: time(of: end),
            hasFailed: hasFailed, attributes: attributes + omitted)
        return [request] + ended.spans
    }

    /// Nanoseconds since 1970.
    private func time(of instant: ContinuousClock.Instant) -> UInt64 {
        let (seconds, attoseconds) = start.duration(to: instant).components
        let offset = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        return offset < 0 ? startTime : startTime + UInt64(offset)
    }

    /// Zero is no id.
    private static func makeSpanID() -> UInt64 { .random(in: 1 ... .max) }
}
