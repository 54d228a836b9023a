/// Decides which requests are recorded, and keeps what was until it is sent.
package final class TraceRecorder: Sendable {
    /// Spans that are sent together, at most.
    package static let batch = 512

    /// Ended spans that wait to be sent.
    package let buffer: SpanBuffer
    /// Tells that it is time to send; for one reader.
    package let wakes: AsyncStream<Void>
    let metrics: TracingMetrics
    private let waker: AsyncStream<Void>.Continuation
    private let every: UInt64
    private let trustsCaller: Bool
    private let random: @Sendable () -> UInt64

    package init(
        _ settings: TracingSettings, metrics: TracingMetrics, buffer: SpanBuffer = SpanBuffer(),
        random: @escaping @Sendable () -> UInt64 = { .random(in: .min ... .max) }
    ) {
        precondition(settings.every > 0, "one request in so many is recorded")
        self.buffer = buffer
        self.metrics = metrics
        self.random = random
        every = UInt64(settings.every)
        trustsCaller = settings.trustsCaller
        (wakes, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// A trace for a request that begins, or nil where it is not recorded.
    ///
    /// - Parameter header: the request's `traceparent`. Without trust it is not looked at: a stranger could otherwise
    ///   choose ids by which each request is recorded, and write into the traces of others.
    package func begin(_ header: String?) -> RequestTrace? {
        if trustsCaller, let caller = header.flatMap(TraceParent.init) {
            return caller.isSampled ? RequestTrace(id: caller.trace, parent: caller.span) : nil
        }
        let low = random()
        guard Self.isRecorded(low, every: every) else { return nil }
        // All zeros is no id.
        return RequestTrace(id: TraceParent.TraceID(high: max(1, random()), low: low), parent: nil)
    }

    /// - Parameter low: the lower half of a trace's id: what decides is in the id, and every replica decides alike.
    package static func isRecorded(_ low: UInt64, every: UInt64) -> Bool { low.isMultiple(of: every) }

    /// Takes the spans of a request that is answered.
    package func keep(_ spans: [TraceSpan]) {
        let lost = buffer.add(spans)
        if lost > 0 { metrics.dropped(lost, .full) }
        if buffer.count >= Self.batch { wake() }
    }

    /// It is time to send what there is.
    package func wake() { waker.yield() }

    /// There will be no more time to send; what is recorded from now on waits for nobody.
    package func endWakes() { waker.finish() }
}
