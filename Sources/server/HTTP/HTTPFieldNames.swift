package import HTTPTypes

extension HTTPField.Name {
    package static let requestID = literal("X-Request-ID")
    package static let referrerPolicy = literal("Referrer-Policy")
    /// The client's name for one write, so that sending it again has no second effect
    /// (draft-ietf-httpapi-idempotency-key-header).
    package static let idempotencyKey = literal("Idempotency-Key")
    /// `true` on a reply that was given before and is sent again.
    package static let idempotencyReplayed = literal("Idempotency-Replayed")

    /// Which trace a request belongs to (W3C Trace Context).
    package static let traceParent = literal("traceparent")

    /// What a browser is to forget of this service (W3C Clear Site Data).
    package static let clearSiteData = literal("Clear-Site-Data")

    /// The session's token on a write by cookie, for scripts; forms have a field.
    package static let csrfToken = literal("X-CSRF-Token")
    /// Whether a browser's request comes from a page of this service (W3C Fetch Metadata).
    package static let secFetchSite = literal("Sec-Fetch-Site")
    package static let forwardedFor = literal("X-Forwarded-For")
    package static let forwardedHost = literal("X-Forwarded-Host")

    private static func literal(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is not a header's name") }
        return name
    }
}
