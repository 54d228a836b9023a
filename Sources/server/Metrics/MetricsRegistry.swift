package import CoreMetrics
import Synchronization

/// The `MetricsFactory` behind `GET /metrics`: keeps every series in memory and renders Prometheus' text.
///
/// Series are looked up under one lock, when a metric is made; recording touches only the series itself.
package final class MetricsRegistry: MetricsFactory {
    enum Series {
        case counter(CounterSeries)
        case gauge(GaugeSeries)
        case histogram(HistogramSeries)

        var type: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    private struct State {
        var series: [SeriesKey: Series] = [:]
        /// Series by name, for the bound.
        var counts: [String: Int] = [:]
        var types: [String: String] = [:]
        var help: [String: String] = [:]
        var collectors: [@Sendable () -> Void] = []
    }

    /// Series of one name. A label that takes its values from outside would otherwise grow without end; past the
    /// bound, values go to one series whose labels all say `other`.
    package let maxSeriesPerName: Int
    private let state = Mutex(State())

    package init(maxSeriesPerName: Int = 500) {
        self.maxSeriesPerName = maxSeriesPerName
    }

    /// Gives metrics their `# HELP` lines.
    package func describe(_ definitions: [MetricDefinition]) {
        state.withLock { state in
            for definition in definitions { state.help[definition.name] = definition.help }
        }
    }

    /// Adds a step that runs before each rendering, for gauges that are cheaper to read than to keep.
    package func onRender(_ collector: @escaping @Sendable () -> Void) {
        state.withLock { $0.collectors.append(collector) }
    }

    /// The exposition, text format 0.0.4.
    package func render() -> String {
        for collector in state.withLock({ $0.collectors }) { collector() }
        let (series, help) = state.withLock { ($0.series, $0.help) }
        return PrometheusText.render(series, help: help)
    }

    /// Finds or makes a series. A name keeps the type that it was first made with; asking for it as another
    /// gives a detached series, because two types under one name cannot be rendered.
    private func series<Found>(
        _ name: String, _ dimensions: [(String, String)], make: () -> Series, extract: (Series) -> Found?
    ) -> Found? {
        state.withLock { state in
            var key = SeriesKey(name: name, dimensions: dimensions)
            if let existing = state.series[key] { return extract(existing) }
            let made = make()
            guard state.types[name, default: made.type] == made.type else { return nil }
            if state.counts[name, default: 0] >= maxSeriesPerName {
                key = SeriesKey(name: name, dimensions: dimensions.map { ($0.0, "other") })
                if let overflow = state.series[key] { return extract(overflow) }
            }
            state.types[name] = made.type
            state.counts[name, default: 0] += 1
            state.series[key] = made
            return extract(made)
        }
    }

    private func counter(_ label: String, _ dimensions: [(String, String)]) -> CounterSeries {
        let name = PrometheusText.metricName(label, suffix: "_total")
        return series(name, dimensions, make: { .counter(CounterSeries()) }) { series in
            if case .counter(let counter) = series { counter } else { nil }
        } ?? CounterSeries()
    }

    private func gauge(_ label: String, _ dimensions: [(String, String)]) -> GaugeSeries {
        let name = PrometheusText.metricName(label)
        return series(name, dimensions, make: { .gauge(GaugeSeries()) }) { series in
            if case .gauge(let gauge) = series { gauge } else { nil }
        } ?? GaugeSeries()
    }

    private func histogram(_ name: String, _ dimensions: [(String, String)], bounds: [Double]) -> HistogramSeries {
        series(name, dimensions, make: { .histogram(HistogramSeries(bounds: bounds)) }) { series in
            if case .histogram(let histogram) = series { histogram } else { nil }
        } ?? HistogramSeries(bounds: bounds)
    }

    // MARK: MetricsFactory

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        counter(label, dimensions)
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        counter(label, dimensions)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        gauge(label, dimensions)
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        guard aggregate else { return gauge(label, dimensions) }
        let name = PrometheusText.metricName(label)
        let isTime = name.hasSuffix("_seconds")
        let bounds = isTime ? HistogramSeries.secondsBounds : HistogramSeries.magnitudeBounds
        return histogram(name, dimensions, bounds: bounds)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let name = PrometheusText.metricName(label, suffix: "_seconds")
        return histogram(name, dimensions, bounds: HistogramSeries.secondsBounds)
    }

    // A series outlives the object that recorded it: a counter that vanished and came back would read as a reset.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}
}
