internal import Glibc
internal import Store

/// Ends from any thread what curl waits for on its own.
///
/// For SMTP, curl (7.88) waits inside one call for the reply to the message and to QUIT. A socket that is shut down ends
/// that wait. Sockets are closed here, under the same lock, so that a number is never shut down that has become another's.
final class SocketLifeline: Sendable {
    private struct State {
        var sockets: Set<Int32> = []
        var isCut = false
    }

    private let state = Guarded(State())

    func opened(_ socket: Int32) {
        state.withLock { state in
            state.sockets.insert(socket)
            if state.isCut { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    func close(_ socket: Int32) {
        state.withLock { state in
            state.sockets.remove(socket)
            _ = Glibc.close(socket)
        }
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
