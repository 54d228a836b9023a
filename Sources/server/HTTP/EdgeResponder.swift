import HTTPTypes
package import Hummingbird

/// The outermost step of every request: its id, its limits, its deadline, and what HTTP asks of any reply.
///
/// It wraps the router, and not the other way round, so that it sees requests that no route takes and can run
/// the whole of a request's work in one task that a deadline can cancel.
package struct EdgeResponder<Inner: HTTPResponder>: HTTPResponder where Inner.Context == RequestScope {
    package typealias Context = RequestScope

    let inner: Inner
    let limits: FieldLimits
    let timeout: Duration
    let deadlines: DeadlineKeeper

    package init(inner: Inner, limits: FieldLimits, timeout: Duration, deadlines: DeadlineKeeper) {
        self.inner = inner
        self.limits = limits
        self.timeout = timeout
        self.deadlines = deadlines
    }

    package func respond(to request: Request, context: RequestScope) async throws -> Response {
        var scope = context
        scope.adopt(requestID: RequestIdentifier.accepted(request.headers[.requestID]) ?? RequestIdentifier.make())
        scope.limits = limits
        scope.deadline = RequestDeadline(instant: .now + timeout)
        let settled = scope
        // Every error of a handler became a reply inside. What is thrown here is the connection's own failure,
        // which the server must see.
        var response = try await deadlines.run(before: scope.deadline) {
            try await inner.respond(to: request, context: settled)
        }
        response.headers[.requestID] = scope.requestID
        // A reply to HEAD has the header fields of GET's and no content (RFC 9110 §9.3.2).
        return request.method == .head ? response.createHeadResponse() : response
    }
}
