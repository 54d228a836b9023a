package import Hummingbird
import Logging
import NIOCore
package import Platform
import VectorMath

/// What a handler knows about the request it answers.
package struct RequestScope: RequestContext, Sendable {
    package typealias Source = ApplicationRequestContextSource

    package var coreContext: CoreRequestContextStorage
    /// The connection that the request came by.
    let channel: any Channel
    /// The id that comes back as `X-Request-ID` and stands on each log line of the request.
    package private(set) var requestID = ""
    /// What a body may hold.
    package internal(set) var limits = FieldLimits()
    /// When the request must be answered.
    package internal(set) var deadline = RequestDeadline.none
    /// The id under which the effect of this request is kept where the client sent an idempotency key: the same at
    /// every attempt with that key.
    package internal(set) var effectID: String?
    /// Who sends the request; nobody known where the service has no accounts.
    package internal(set) var principal = Principal.anonymous
    /// Who may call the route; nil for a request that no route takes.
    package internal(set) var rule: RouteRule?

    package init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    package var maxUploadSize: Int { limits.bodyBytes }

    /// Hummingbird's name for the id.
    package var id: String { requestID }

    /// A stable id for one thing that this request makes, 32 hexadecimal digits, or nil where the request has no
    /// idempotency key and the thing gets a random one.
    ///
    /// - Parameter purpose: tells the things of one request apart: `session`, `recommendation`, …
    package func effectID(for purpose: String) -> String? {
        effectID.map { String(SHA256.hash(Array("\($0):\(purpose)".utf8)).prefix(32)) }
    }

    /// Takes the id on, and puts it on the logger in place of the framework's own.
    mutating func adopt(requestID: String) {
        self.requestID = requestID
        logger[metadataKey: "hb.request.id"] = nil
        logger[metadataKey: "request_id"] = .string(requestID)
    }
}
