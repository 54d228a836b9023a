internal import Embedder
import NIOCore

/// Asks a connection to tell when its client has gone; sent down the pipeline as an outbound event and taken by
/// `ConnectionGuard`. It holds until the reply has been written.
package struct ClientWatch: Sendable {
    let whenGone: @Sendable () -> Void

    package init(whenGone: @escaping @Sendable () -> Void) { self.whenGone = whenGone }
}

extension RequestScope {
    /// Runs `work`, in which whatever has to wait is told once the client has gone.
    ///
    /// A client that has closed its side of the connection counts as gone, as it does for most servers: nothing tells one
    /// that has gone from one that only will not send any more. So nothing is cancelled but what still waits; a request
    /// that need not wait is answered in either case.
    package func watchingClient<Value>(
        isolation: isolated (any Actor)? = #isolation, _ work: () async throws -> Value
    ) async rethrows -> Value {
        let channel = channel
        let requester = Requester { action in
            channel.triggerUserOutboundEvent(ClientWatch(whenGone: action), promise: nil)
        }
        return try await Requester.$current.withValue(requester, operation: work)
    }
}
