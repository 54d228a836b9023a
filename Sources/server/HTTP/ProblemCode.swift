package import HTTPTypes

/// A kind of failure: a stable name that clients may test, its HTTP status and its title.
///
/// Codes never change once published; routes add their own beside these.
package struct ProblemCode: Sendable, Hashable {
    /// Lower-case words joined by underscores; also the last part of the document's `type`.
    package let name: String
    package let status: HTTPResponse.Status
    /// A short summary that is the same for every occurrence.
    package let title: String

    package init(_ name: String, _ status: HTTPResponse.Status, _ title: String) {
        self.name = name
        self.status = status
        self.title = title
    }
}

extension ProblemCode {
    package static let badRequest = ProblemCode("bad_request", .badRequest, "The request cannot be understood")
    package static let malformedJSON = ProblemCode(
        "malformed_json", .badRequest, "The body is not the JSON that the service accepts")
    package static let invalidFields = ProblemCode(
        "invalid_fields", .unprocessableContent, "Some fields of the request are not acceptable")
    package static let unauthorised = ProblemCode("unauthorised", .unauthorized, "Credentials are needed")
    package static let forbidden = ProblemCode("forbidden", .forbidden, "Not allowed")
    package static let notFound = ProblemCode("not_found", .notFound, "There is nothing here")
    package static let methodNotAllowed = ProblemCode(
        "method_not_allowed", .methodNotAllowed, "The path does not take this method")
    package static let requestTimeout = ProblemCode(
        "request_timeout", .requestTimeout, "The request did not arrive in time")
    package static let conflict = ProblemCode("conflict", .conflict, "The request conflicts with what is stored")
    package static let bodyTooLarge = ProblemCode("body_too_large", .contentTooLarge, "The body is too large")
    package static let uriTooLong = ProblemCode("uri_too_long", .uriTooLong, "The path is too long")
    package static let headerFieldsTooLarge = ProblemCode(
        "header_fields_too_large", .requestHeaderFieldsTooLarge, "The header fields are too large")
    package static let unsupportedMediaType = ProblemCode(
        "unsupported_media_type", .unsupportedMediaType, "The body has a type that the path does not take")
    package static let tooManyRequests = ProblemCode("too_many_requests", .tooManyRequests, "Too many requests")
    package static let internalError = ProblemCode(
        "internal_error", .internalServerError, "The service made a mistake")
    package static let notImplemented = ProblemCode("not_implemented", .notImplemented, "Not available here")
    package static let unavailable = ProblemCode("unavailable", .serviceUnavailable, "Not available at the moment")
    package static let deadlineExceeded = ProblemCode(
        "deadline_exceeded", .serviceUnavailable, "The request took longer than it may")
    package static let cancelled = ProblemCode("cancelled", .serviceUnavailable, "The request was abandoned")
    package static let idempotencyKeyInvalid = ProblemCode(
        "idempotency_key_invalid", .badRequest, "The idempotency key is not one")
    package static let idempotencyKeyReused = ProblemCode(
        "idempotency_key_reused", .unprocessableContent, "The idempotency key was used for another request")
    package static let idempotencyInProgress = ProblemCode(
        "idempotency_in_progress", .conflict, "A request with this idempotency key is under way")

    /// The code for a status that came without one.
    package static func general(for status: HTTPResponse.Status) -> ProblemCode {
        let known: [ProblemCode] = [
            badRequest, unauthorised, forbidden, notFound, methodNotAllowed, requestTimeout, conflict, bodyTooLarge,
            unsupportedMediaType, tooManyRequests, internalError, notImplemented, unavailable,
        ]
        if let code = known.first(where: { $0.status == status }) { return code }
        if status.kind == .clientError { return ProblemCode("http_\(status.code)", status, status.reasonPhrase) }
        return status.kind == .serverError
            ? ProblemCode("http_\(status.code)", status, status.reasonPhrase) : internalError
    }
}
