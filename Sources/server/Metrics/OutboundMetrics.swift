internal import CoreMetrics
internal import Platform

/// What goes out: transfers by libcurl, and mail.
enum OutboundMetrics {
    static let transfers = MetricDefinition(
        "pathlight_outbound_transfers", "Transfers outwards by what became of them, since the start.")
    static let sentBytes = MetricDefinition("pathlight_outbound_sent_bytes", "Bytes sent outwards since the start.")
    static let receivedBytes = MetricDefinition(
        "pathlight_outbound_received_bytes", "Bytes received from outside since the start.")
    static let underWay = MetricDefinition("pathlight_outbound_under_way", "Transfers under way now.")
    static let waiting = MetricDefinition("pathlight_outbound_waiting", "Transfers that wait for their turn now.")
    static let mail = MetricDefinition("pathlight_mail", "Messages by what became of them, since the start.")
    static let mailDegraded = MetricDefinition(
        "pathlight_mail_degraded", "1 where the last message could not go because the mail server is down.")

    static func register(
        in registry: MetricsRegistry, outbound: @escaping @Sendable () -> OutboundStatistics,
        mail statistics: @escaping @Sendable () -> MailStatistics
    ) {
        registry.describe([transfers, sentBytes, receivedBytes, underWay, waiting, mail, mailDegraded])
        func meter(_ definition: MetricDefinition, _ labels: [(String, String)] = []) -> Meter {
            Meter(label: definition.name, dimensions: labels, factory: registry)
        }
        let (sent, received) = (meter(sentBytes), meter(receivedBytes))
        let (active, queued, degraded) = (meter(underWay), meter(waiting), meter(mailDegraded))
        registry.onRender {
            let outbound = outbound()
            for (outcome, count) in outbound.transfers {
                Meter(label: transfers.name, dimensions: [("outcome", outcome)], factory: registry).set(Double(count))
            }
            sent.set(Double(outbound.sentBytes))
            received.set(Double(outbound.receivedBytes))
            active.set(Double(outbound.underWay))
            queued.set(Double(outbound.waiting))
            let statistics = statistics()
            for (outcome, count) in [
                ("sent", statistics.sent), ("deferred", statistics.deferred), ("refused", statistics.refused),
                ("suppressed", statistics.suppressed), ("repeated", statistics.repeated),
            ] {
                Meter(label: mail.name, dimensions: [("outcome", outcome)], factory: registry).set(Double(count))
            }
            degraded.set(statistics.degradation == nil ? 0.0 : 1.0)
        }
    }
}
