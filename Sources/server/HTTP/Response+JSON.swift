package import HTTPTypes
package import Hummingbird

extension Response {
    /// A JSON reply with what `write` writes, which must be exactly one value.
    package static func json(
        status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], capacity: Int = 4096,
        _ write: (inout JSONWriter) throws -> Void
    ) rethrows -> Response {
        var json = JSONWriter(capacity: capacity)
        try write(&json)
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(status: status, headers: headers, body: .init(byteBuffer: json.finish()))
    }

    /// A JSON reply with `value`.
    package static func json(
        _ value: some JSONWritable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) -> Response {
        json(status: status, headers: headers) { value.write(to: &$0) }
    }
}
