internal import CoreMetrics
package import Platform
internal import Store
internal import Synchronization

/// What the queue measures: attempts as they end, and counts that are read from the store now and then.
package final class TaskMetrics: Sendable {
    static let duration = MetricDefinition(
        "pathlight_task_duration_seconds", "Time that an attempt at a task took, by kind and how it ended.")
    static let tasks = MetricDefinition("pathlight_tasks", "Tasks that are stored, by kind and state.")
    static let oldest = MetricDefinition(
        "pathlight_tasks_oldest_due_seconds",
        "Time for which the task that is due the longest has been waiting; 0 where none is due.")
    static let storeFailures = MetricDefinition(
        "pathlight_task_store_failures_total", "Times that a worker could not reach the queue.")

    private let registry: MetricsRegistry
    private let failures: Counter
    private let age: Meter
    /// The kinds and states that were shown: what is no longer there is shown as 0.
    private let shown = Mutex<[Series: Meter]>([:])

    private struct Series: Hashable {
        let kind: String
        let state: String
    }

    package init(_ registry: MetricsRegistry) {
        self.registry = registry
        registry.describe([Self.duration, Self.tasks, Self.oldest, Self.storeFailures])
        failures = Counter(label: Self.storeFailures.name, dimensions: [], factory: registry)
        age = Meter(label: Self.oldest.name, dimensions: [], factory: registry)
    }

    package func note(_ event: TaskEvent) {
        switch event {
        case .storeFailed: failures.increment()
        case .ended(let attempt, let ending):
            CoreMetrics.Timer(
                label: Self.duration.name, dimensions: [("kind", attempt.kind), ("ending", ending.name)],
                factory: registry
            ).recordNanoseconds(Int64(attempt.duration / .nanoseconds(1)))
        }
    }

    package func show(_ statistics: TaskStatistics) {
        age.set(statistics.oldestDueSeconds)
        let counts = Dictionary(
            statistics.counts.map { (Series(kind: $0.kind, state: $0.state.rawValue), $0.count) },
            uniquingKeysWith: { $0 + $1 })
        shown.withLock { shown in
            for series in counts.keys where shown[series] == nil {
                shown[series] = Meter(
                    label: Self.tasks.name, dimensions: [("kind", series.kind), ("state", series.state)],
                    factory: registry)
            }
            for (series, meter) in shown { meter.set(counts[series] ?? 0) }
        }
    }
}
