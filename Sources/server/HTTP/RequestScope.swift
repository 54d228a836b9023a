package import Hummingbird
import Logging

/// What a handler knows about the request it answers.
package struct RequestScope: RequestContext, Sendable {
    package typealias Source = ApplicationRequestContextSource

    package var coreContext: CoreRequestContextStorage
    /// The id that comes back as `X-Request-ID` and stands on each log line of the request.
    package private(set) var requestID = ""
    /// What a body may hold.
    package internal(set) var limits = FieldLimits()
    /// When the request must be answered.
    package internal(set) var deadline = RequestDeadline.none

    package init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
    }

    package var maxUploadSize: Int { limits.bodyBytes }

    /// Hummingbird's name for the id.
    package var id: String { requestID }

    /// Takes the id on, and puts it on the logger in place of the framework's own.
    mutating func adopt(requestID: String) {
        self.requestID = requestID
        logger[metadataKey: "hb.request.id"] = nil
        logger[metadataKey: "request_id"] = .string(requestID)
    }
}
