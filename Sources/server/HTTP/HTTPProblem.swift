package import HTTPTypes
package import Hummingbird

/// The error that routes throw to answer with a problem document.
package struct HTTPProblem: Error, Sendable, HTTPResponseError, CustomStringConvertible {
    package var code: ProblemCode
    /// What went wrong this time, for the person who reads the reply.
    package var detail: String
    package var errors: [FieldError]
    package var headers: HTTPFields
    /// What caused it, for the log alone: it may name files, queries or addresses.
    package var cause: (any Error)?

    package init(
        _ code: ProblemCode, _ detail: String, errors: [FieldError] = [], headers: HTTPFields = [:],
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = headers
        self.cause = cause
    }

    package var status: HTTPResponse.Status { code.status }

    package var description: String { "\(code.name): \(detail)" }

    /// The reply with the request's path and id filled in.
    package func response(from request: Request, context: some RequestContext) -> Response {
        let document = ProblemDocument(
            code: code, detail: detail, instance: request.uri.path,
            requestID: (context as? RequestScope)?.requestID, errors: errors)
        return document.response(headers: headers)
    }
}
