package import HTTPTypes

extension HTTPField.Name {
    package static let requestID = literal("X-Request-ID")
    package static let referrerPolicy = literal("Referrer-Policy")
    /// The client's name for one write, so that sending it again has no second effect
    /// (draft-ietf-httpapi-idempotency-key-header).
    package static let idempotencyKey = literal("Idempotency-Key")
    /// `true` on a reply that was given before and is sent again.
    package static let idempotencyReplayed = literal("Idempotency-Replayed")

    private static func literal(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is not a header's name") }
        return name
    }
}
