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
    static let abandoned = MetricDefinition(
        "pathlight_task_abandoned_total",
        "Attempts that went on after they were told to stop, and were left to themselves, by kind.")
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
        registry.describe([Self.duration, Self.tasks, Self.oldest, Self.abandoned, Self.storeFailures])
        failures = Counter(label: Self.storeFailures.name, dimensions: [], factory: registry)
        age = Meter(label: Self.oldest.name, dimensions: [], factory: registry)
    }

    /// Shows what alerts ask of these kinds before there is any of it: a counter that begins with its first event is
    /// never seen to grow by it.
    package func expect(_ kinds: [String]) {
        for kind in kinds {
            _ = Counter(label: Self.abandoned.name, dimensions: [("kind", kind)], factory: registry)
            let series = Series(kind: kind, state: TaskState.dead.rawValue)
            shown.withLock { $0[series] = meter(of: series) }
        }
    }

    package func note(_ event: TaskEvent) {
        switch event {
        case .storeFailed: failures.increment()
        case .abandoned(let attempt):
            Counter(label: Self.abandoned.name, dimensions: [("kind", attempt.kind)], factory: registry).increment()
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
                shown[series] = meter(of: series)
            }
            for (series, meter) in shown { meter.set(counts[series] ?? 0) }
        }
    }

    private func meter(of series: Series) -> Meter {
        Meter(
            label: Self.tasks.name, dimensions: [("kind", series.kind), ("state", series.state)], factory: registry)
    }
}
