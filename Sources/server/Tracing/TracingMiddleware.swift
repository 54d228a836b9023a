package import Hummingbird
internal import Logging
internal import Store

/// Records some requests as traces. There is none in the chain where traces are off.
package struct TracingMiddleware: RouterMiddleware {
    package typealias Context = RequestScope

    let recorder: TraceRecorder

    package init(_ recorder: TraceRecorder) { self.recorder = recorder }

    package func handle(
        _ request: Request, context: RequestScope, next: (Request, RequestScope) async throws -> Response
    ) async throws -> Response {
        guard let trace = recorder.begin(request.headers[.traceParent]) else { return try await next(request, context) }
        var scope = context
        scope.logger[metadataKey: "trace_id"] = .string(trace.id.text)
        let settled = scope
        do {
            let response = try await RequestTrace.$current.withValue(trace) {
                try await SQLCallWatch.$current.withValue(trace.databaseWatch) { try await next(request, settled) }
            }
            end(trace, request, settled, status: Int(response.status.code))
            return response
        } catch {
            // The connection's own failure: there is no reply and so no status.
            end(trace, request, settled, status: nil)
            throw error
        }
    }

    private func end(_ trace: RequestTrace, _ request: Request, _ scope: RequestScope, status: Int?) {
        let method = HTTPMetrics.label(for: request.method)
        var attributes: [(name: String, value: TraceSpan.Attribute)] = [
            ("http.request.method", .text(method)), ("http.route", .text(scope.route)),
        ]
        if let status { attributes.append(("http.response.status_code", .integer(status))) }
        if let id = Self.shown(scope.requestID) { attributes.append(("pathlight.request_id", .text(id))) }
        // A mistake of the client's is none of the service's.
        recorder.keep(
            trace.end(name: "\(method) \(scope.route)", hasFailed: status.map { $0 >= 500 } ?? true, attributes))
    }

    /// A request's id where it is 32 hexadecimal digits, as the service's own and UUIDs are. Clients may send any text as
    /// theirs, a name or a number by which somebody can be called.
    package static func shown(_ id: String) -> String? {
        let digits = id.utf8.filter { $0 != UInt8(ascii: "-") }
        guard digits.count == 32, id.utf8.count <= 36 else { return nil }
        let isHexadecimal = digits.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                UInt8(ascii: "A")...UInt8(ascii: "F"):
                true
            default: false
            }
        }
        return isHexadecimal ? id : nil
    }
}
