import Platform

extension SettingsReader {
    /// Which requests are recorded, and where traces go.
    func read(into tracing: inout TracingSettings) throws {
        try read(
            .tracingURL, into: &tracing.url,
            expected: "an http or https address without user and query, as `http://127.0.0.1:4318`"
        ) { text -> String?? in
            guard (try? OutboundURL(text)) != nil, !text.contains("?"), !text.contains("#") else { return nil }
            return .some(text)
        }
        try read(.tracingEvery, into: &tracing.every, in: 1...1_000_000)
        try read(.tracingTrustCaller, into: &tracing.trustsCaller)
        try read(.tracingHeaderFile, into: &tracing.headerFile)
    }
}
