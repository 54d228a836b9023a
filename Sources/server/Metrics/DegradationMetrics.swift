internal import CoreMetrics
internal import Synchronization

/// What is degraded now, for `/metrics`.
package enum DegradationMetrics {
    static let degraded = MetricDefinition(
        "pathlight_degraded", "1 while the service is degraded for the reason in the label, 0 while it is not.")
    /// Shown before there is any trouble, so that alerts have something to ask; others from their first time on.
    private static let usual: Set<String> = [
        "no_model", "model_not_named", "model_outside", "breaker_open", "over_budget", "mail", "store",
    ]

    package static func register(
        in registry: MetricsRegistry, _ troubles: @escaping @Sendable () -> [ServiceHealth.Trouble]
    ) {
        registry.describe([degraded])
        let shown = Mutex<[String: Meter]>([:])
        registry.onRender {
            let present = Set(troubles().map(\.label))
            shown.withLock { shown in
                for reason in usual.union(present) where shown[reason] == nil {
                    shown[reason] = Meter(label: degraded.name, dimensions: [("reason", reason)], factory: registry)
                }
                for (reason, meter) in shown { meter.set(present.contains(reason) ? 1.0 : 0.0) }
            }
        }
    }
}
