import HTTPTypes

/// Why the service stopped reading a request.
package enum RequestReadError: Error, Sendable, Equatable {
    /// The body was not complete within this many seconds.
    case bodyTimeout(seconds: Double)
    /// The body has more bytes than this.
    case bodyTooLarge(limit: Int)

    /// The connection cannot be used again: the rest of the body may still be on its way.
    var problem: HTTPProblem {
        let close: HTTPFields = [.connection: "close"]
        switch self {
        case .bodyTimeout(let seconds):
            return HTTPProblem(
                .requestTimeout, "The body was not complete after \(seconds.formattedSeconds).", headers: close)
        case .bodyTooLarge(let limit):
            return HTTPProblem(.bodyTooLarge, "The body is larger than \(limit) bytes.", headers: close)
        }
    }
}

extension Double {
    /// `1 second`, `30 seconds` or `0.5 seconds`.
    package var formattedSeconds: String {
        let number = Int(exactly: self).map(String.init) ?? description
        return self == 1 ? "1 second" : "\(number) seconds"
    }
}
