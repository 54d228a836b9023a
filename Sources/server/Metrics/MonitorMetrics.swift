internal import CoreMetrics
internal import Store

/// What runs of the career monitor tell of themselves, in the process that made them.
struct MonitorMetrics: Sendable {
    static let runs = MetricDefinition(
        "pathlight_monitor_runs_total", "Runs of the career monitor, by how they ended.")

    private let factory: any MetricsFactory

    init(factory: any MetricsFactory) { self.factory = factory }

    func ended(_ state: MonitorRunRecord.State) {
        Counter(label: Self.runs.name, dimensions: [("ending", state.rawValue)], factory: factory).increment()
    }

    static func register(in registry: MetricsRegistry) {
        registry.describe([runs])
        // There from the start, at 0: a counter that begins with its first event is never seen to grow by it.
        for state in MonitorRunRecord.State.allCases where state != .running {
            _ = Counter(label: runs.name, dimensions: [("ending", state.rawValue)], factory: registry)
        }
    }
}
