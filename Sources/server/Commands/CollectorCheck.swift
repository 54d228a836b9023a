package import Platform

/// What `pathlight doctor` looks at where traces are sent: whether the collector takes a batch, which is empty.
package enum CollectorCheck {
    /// Nothing where traces are off.
    static func findings(_ settings: ServiceSettings) async -> [DoctorFinding] {
        guard settings.tracing.isOn else { return [] }
        do throws(SettingsError) {
            let transport = try settings.makeTransport()
            defer { transport.close() }
            return [try await finding(settings.tracing, transport: transport)]
        } catch {
            return [DoctorFinding(subject: "traces", state: .broken, detail: "\(error)")]
        }
    }

    /// - Throws: `SettingsError` for what keeps the service from starting.
    package static func finding(
        _ settings: TracingSettings, transport: any OutboundTransport
    ) async throws(SettingsError) -> DoctorFinding {
        let collector = try TraceCollector(settings, transport: transport)
        let nothing = OTLPTraces.body(of: [], service: SpanSender.service, version: Pathlight.version)
        switch await collector.send(nothing, timeout: SpanSender.timeout) {
        case .taken:
            let which = settings.every == 1 ? "every request" : "one request in \(settings.every)"
            return DoctorFinding(subject: "traces", state: .good, detail: "\(collector.url) takes spans of \(which)")
        case .refused(let refusal):
            return DoctorFinding(
                subject: "traces", state: .warning,
                detail: "\(collector.url) takes none: \(refusal.detail); requests are answered all the same, and their "
                    + "spans lost")
        }
    }
}
