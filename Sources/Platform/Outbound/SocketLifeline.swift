internal import Glibc
internal import Store

/// Ends from any thread what curl waits for on its own.
///
/// For SMTP, curl (7.88) waits inside one call for the reply to the message and to QUIT. A socket that is shut down ends
/// that wait. Sockets are closed here, under the same lock, so that a number is never shut down that has become another's.
///
/// It lives as long as a socket of it is open, whoever else holds it: curl closes sockets after the transfer too.
package final class SocketLifeline: Sendable {
    private struct State {
        var sockets: Set<Int32> = []
        var isCut = false
        /// The lifeline itself while there are sockets: a circle on purpose, which the last one to be closed opens.
        var itself: SocketLifeline?
    }

    private let state = Guarded(State())

    package init() {}

    package func opened(_ socket: Int32) {
        state.withLock { state in
            state.sockets.insert(socket)
            state.itself = self
            if state.isCut { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    package func close(_ socket: Int32) {
        // Handed out, so that it does not end while its lock is held.
        let last = state.withLock { state -> SocketLifeline? in
            state.sockets.remove(socket)
            _ = Glibc.close(socket)
            guard state.sockets.isEmpty else { return nil }
            defer { state.itself = nil }
            return state.itself
        }
        _ = last
    }

    /// Nothing more is read; what was written is still sent.
    func stopReading() {
        state.withLock { state in for socket in state.sockets { shutdown(socket, Int32(SHUT_RD)) } }
    }

    func cut() {
        state.withLock { state in
            state.isCut = true
            for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }
}
