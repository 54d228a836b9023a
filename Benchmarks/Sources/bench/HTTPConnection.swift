import Glibc
import Synchronization

/// One connection to a service on this machine, kept alive between requests; connects when first used.
///
/// A socket and as little else as an answer's end can be found with: what a client costs is in every time it takes.
final class HTTPConnection: Sendable {
    /// What became of a request.
    private enum Outcome {
        case answered(Int)
        /// The connection ended before the first byte of an answer.
        case closed
        case failed
    }

    private struct State {
        var socket: Int32 = -1
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
    }

    /// For a request and its answer, connecting included.
    private static let limit = Duration.seconds(30)
    private static let greatestBody = 1 << 30

    private let port: UInt16
    /// Of one thread; the lock is what lets the compiler know.
    private let state = Mutex(State())

    init(port: UInt16) { self.port = port }

    deinit { state.withLock { Self.close(&$0) } }

    /// Sends a whole request and reads the whole answer; nil where there was none within 30 seconds.
    func status(of request: [UInt8]) -> Int? {
        state.withLock { state in
            let deadline = ContinuousClock.now + Self.limit
            let isReused = state.socket >= 0
            var outcome = Self.exchange(request, &state, port, until: deadline)
            // A server may close what it takes for unused just when a request is on its way.
            if isReused, case .closed = outcome {
                outcome = Self.exchange(request, &state, port, until: deadline)
            }
            guard case .answered(let status) = outcome else { return nil }
            return status
        }
    }

    private static func exchange(
        _ request: [UInt8], _ state: inout State, _ port: UInt16, until deadline: ContinuousClock.Instant
    ) -> Outcome {
        if state.socket < 0 { state.socket = connected(port, until: deadline) }
        guard state.socket >= 0 else { return .failed }
        let outcome = send(request, state.socket, until: deadline) ?? answer(&state, until: deadline)
        if case .answered = outcome { return outcome }
        close(&state)
        return outcome
    }

    private static func close(_ state: inout State) {
        if state.socket >= 0 { _ = Glibc.close(state.socket) }
        state.socket = -1
    }

    private static func connected(_ port: UInt16, until deadline: ContinuousClock.Instant) -> Int32 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { return -1 }
        var on: Int32 = 1
        // No call waits for longer, so that the deadline is looked at that often without a further call for each.
        var wait = timeval(tv_sec: 1, tv_usec: 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        // SAFETY: each call reads one value of the size given.
        unsafe setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        unsafe setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        repeat {
            let result = unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            let code = errno
            if result == 0 || code == EISCONN { return socket }
            // Asked again, Linux goes on waiting for the same connection.
            guard code == EINTR || code == EINPROGRESS || code == EALREADY else { break }
        } while ContinuousClock.now < deadline
        _ = Glibc.close(socket)
        return -1
    }

    /// Whether the call before is to be made again: it was interrupted, or had waited for its second.
    private static func isUndecided(_ code: Int32) -> Bool { code == EINTR || code == EAGAIN }

    /// - Returns: nil where all was sent.
    private static func send(
        _ bytes: [UInt8], _ socket: Int32, until deadline: ContinuousClock.Instant
    ) -> Outcome? {
        var sent = 0
        while sent < bytes.count {
            guard ContinuousClock.now < deadline else { return .failed }
            // SAFETY: reads the bytes from `sent` to the array's end.
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.send(
                    socket, $0.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, isUndecided(errno) { continue }
            guard count > 0 else { return .closed }
            sent += count
        }
        return nil
    }

    /// Reads head and body; the body ends where Content-Length says.
    private static func answer(_ state: inout State, until deadline: ContinuousClock.Instant) -> Outcome {
        let socket = state.socket
        var filled = 0
        var whole: Int?
        while filled < (whole ?? Int.max) {
            guard ContinuousClock.now < deadline else { return .failed }
            if filled == state.buffer.count { state.buffer += [UInt8](repeating: 0, count: state.buffer.count) }
            // SAFETY: writes at most to the array's end.
            let count = unsafe state.buffer.withUnsafeMutableBytes {
                unsafe recv(socket, $0.baseAddress?.advanced(by: filled), $0.count - filled, 0)
            }
            if count < 0, isUndecided(errno) { continue }
            guard count > 0 else { return filled == 0 ? .closed : .failed }
            filled += count
            if whole == nil, let head = headEnd(state.buffer, filled) {
                guard let length = contentLength(state.buffer[..<head]) else { return .failed }
                whole = head + length
            }
        }
        // “HTTP/1.1 200 OK”
        return Int(String(decoding: state.buffer[9..<12], as: UTF8.self)).map(Outcome.answered) ?? .failed
    }

    private static func headEnd(_ buffer: [UInt8], _ filled: Int) -> Int? {
        guard filled >= 16 else { return nil }
        for end in 16...filled where buffer[end - 1] == 0x0A && buffer[end - 2] == 0x0D && buffer[end - 3] == 0x0A {
            return end
        }
        return nil
    }

    private static func contentLength(_ head: ArraySlice<UInt8>) -> Int? {
        for line in String(decoding: head, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "content-length" else { continue }
            return Int(parts[1].filter { $0 != " " && $0 != "\t" })
                .flatMap { (0...greatestBody).contains($0) ? $0 : nil }
        }
        return nil
    }
}
