import HTTPTypes
package import Hummingbird
import NIOCore

extension Request {
    /// Reads the body as JSON.
    ///
    /// - Throws: `HTTPProblem`: `unsupported_media_type`, `body_too_large`, `request_timeout`, `malformed_json`.
    package func readJSON(in scope: RequestScope) async throws -> JSONValue {
        try requireJSONBody()
        let buffer = try await collectBody(in: scope)
        do {
            return try JSONParser.parse(Array(buffer.readableBytesView))
        } catch {
            throw HTTPProblem(.malformedJSON, error.description)
        }
    }

    /// The whole body as it came.
    ///
    /// - Throws: `HTTPProblem`: `body_too_large`, `request_timeout`.
    func collectBody(in scope: RequestScope) async throws -> ByteBuffer {
        do {
            if let length = headers[.contentLength].flatMap({ Int($0) }), length > scope.limits.bodyBytes {
                throw NIOTooManyBytesError(maxBytes: scope.limits.bodyBytes)
            }
            return try await body.collect(upTo: scope.limits.bodyBytes)
        } catch is NIOTooManyBytesError {
            throw HTTPProblem(
                .bodyTooLarge, "The body is larger than \(scope.limits.bodyBytes) bytes.",
                headers: [.connection: "close"])
        }
    }

    /// Reads the fields of a JSON body, as `FieldReader.read` does.
    ///
    /// - Throws: what `readJSON` throws, or `HTTPProblem` (`invalid_fields`).
    package func readFields<Value>(
        in scope: RequestScope, _ build: (FieldReader) throws -> Value
    ) async throws -> Value {
        try FieldReader.read(try await readJSON(in: scope), limits: scope.limits, build)
    }

    /// A body must say that it is JSON. A missing type is refused too: a browser sends such a body across
    /// sites without asking first.
    private func requireJSONBody() throws {
        if let coding = headers[.contentEncoding], coding.lowercased() != "identity" {
            // RFC 9110, section 15.5.16: the header field tells this apart from a wrong type.
            throw HTTPProblem(
                .unsupportedMediaType, "The body must be sent as it is, not in the coding `\(excerpt(of: coding))`.",
                headers: [.acceptEncoding: "identity"])
        }
        let given = headers[.contentType]
        let parts = (given ?? "").split(separator: ";").map { $0.trimmingSpaces().lowercased() }
        let type = parts.first ?? ""
        let isJSON = type == "application/json" || (type.hasPrefix("application/") && type.hasSuffix("+json"))
        let charset = parts.dropFirst().first { $0.hasPrefix("charset=") }
        let isUTF8 = charset.map { ["charset=utf-8", "charset=\"utf-8\"", "charset=utf8"].contains($0) } ?? true
        guard isJSON, isUTF8 else {
            let found = given.map { "not `\(excerpt(of: $0))`" } ?? "but the request has no Content-Type"
            throw HTTPProblem(
                .unsupportedMediaType, "The body must be `application/json` in UTF-8, \(found).",
                headers: [.accept: "application/json"])
        }
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> Substring {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        guard let start = firstIndex(where: { !isSpace($0) }), let end = lastIndex(where: { !isSpace($0) }) else {
            return ""
        }
        return self[start...end]
    }
}
