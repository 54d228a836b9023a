package import HTTPTypes
package import Hummingbird

/// One field that a request got wrong.
package struct FieldError: Sendable, Equatable {
    /// Where it is, names and list positions joined by dots: `answers.19`, `skills.3`; empty for the whole body.
    package let path: String
    package let message: String

    package init(path: String, message: String) {
        self.path = path
        self.message = message
    }
}

/// An RFC 9457 problem document, with the members `code`, `request_id` and `errors` beside the standard ones.
package struct ProblemDocument: Sendable, Equatable, JSONWritable {
    package static let contentType = "application/problem+json"

    package var code: ProblemCode
    /// What went wrong this time, for a person.
    package var detail: String
    /// The path that was asked for, without its query.
    package var instance: String?
    package var requestID: String?
    package var errors: [FieldError]

    package init(
        code: ProblemCode, detail: String, instance: String? = nil, requestID: String? = nil, errors: [FieldError] = []
    ) {
        self.code = code
        self.detail = detail
        self.instance = instance
        self.requestID = requestID
        self.errors = errors
    }

    package func write(to json: inout JSONWriter) {
        json.object { json in
            // A URN names the kind without promising a page behind it; `code` is what clients test.
            json.field("type", "urn:pathlight:problem:\(code.name)")
            json.field("title", code.title)
            json.field("status", code.status.code)
            json.field("code", code.name)
            json.field("detail", detail)
            if let instance { json.field("instance", instance) }
            if let requestID { json.field("request_id", requestID) }
            guard !errors.isEmpty else { return }
            json.field("errors", arrayOf: errors) { json, error in
                json.object { json in
                    json.field("path", error.path)
                    json.field("message", error.message)
                }
            }
        }
    }

    /// The document as a reply.
    package func response(headers: HTTPFields = [:]) -> Response {
        var json = JSONWriter(capacity: 512)
        write(to: &json)
        var headers = headers
        headers[.contentType] = Self.contentType
        headers[.cacheControl] = "no-store"
        return Response(status: code.status, headers: headers, body: .init(byteBuffer: json.finish()))
    }
}
