package import HTTPTypes

extension HTTPField.Name {
    package static let requestID = literal("X-Request-ID")
    package static let referrerPolicy = literal("Referrer-Policy")

    private static func literal(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is not a header's name") }
        return name
    }
}
