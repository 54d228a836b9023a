internal import CoreMetrics

/// What became of recorded spans.
package struct TracingMetrics: Sendable {
    package static let sent = MetricDefinition(
        "pathlight_spans_sent_total", "Spans that the trace collector has taken.")
    package static let dropped = MetricDefinition(
        "pathlight_spans_dropped_total",
        "Spans that are lost: full found no room to wait in, unsent were not taken by the collector.")

    package enum Loss: String, Sendable, CaseIterable {
        /// There was no room for them.
        case full
        /// The collector did not take them.
        case unsent
    }

    private let sent: Counter
    private let full: Counter
    private let unsent: Counter

    package init(_ registry: MetricsRegistry) {
        registry.describe([Self.sent, Self.dropped])
        func dropped(_ reason: Loss) -> Counter {
            Counter(label: Self.dropped.name, dimensions: [("reason", reason.rawValue)], factory: registry)
        }
        sent = Counter(label: Self.sent.name, dimensions: [], factory: registry)
        (full, unsent) = (dropped(.full), dropped(.unsent))
    }

    func sent(_ count: Int) { sent.increment(by: count) }

    func dropped(_ count: Int, _ reason: Loss) {
        switch reason {
        case .full: full.increment(by: count)
        case .unsent: unsent.increment(by: count)
        }
    }
}
