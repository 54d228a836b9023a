/// Whether requests are recorded as traces, which of them, and where they are sent.
package struct TracingSettings: Sendable, Equatable {
    /// An OTLP/HTTP collector; nil records nothing.
    package var url: String?
    /// One request in so many is recorded, where no caller decides.
    package var every = 100
    /// Whether callers say by `traceparent` to which trace a request belongs and whether it is recorded.
    package var trustsCaller = false
    /// A file with a line `name=value`: a header that the collector wants with each batch.
    package var headerFile: String?

    package init() {}

    package var isOn: Bool { url != nil }
}
