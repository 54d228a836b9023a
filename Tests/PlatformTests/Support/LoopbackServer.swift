import Foundation
import Glibc
import Store

/// A server on this machine that does what a script says, good or bad, on threads of its own, and keeps what it got.
///
/// Pauses are waits for the client to go, with a bound: they end as soon as there is nobody to wait for.
final class LoopbackServer: Sendable {
    indirect enum Step: Sendable {
        /// Up to the empty line, and then as much as Content-Length says.
        case readRequest
        case readLine
        /// Up to a line with a dot alone.
        case readMessage
        case send([UInt8])
        /// A byte at a time, each after a pause.
        case drip([UInt8], milliseconds: Int32)
        /// Until the client goes.
        case stall
        /// Carries bytes both ways between the client and another port of this machine until one of them goes.
        case relay(port: Int)
        /// Ends the connection with a reset instead of an orderly end.
        case reset
        /// Reads requests until the client goes and does for each what the closure says.
        case answerRequests(@Sendable (String) -> [Step])
        case answerLines(@Sendable (String) -> [Step])

        static func send(_ text: String) -> Step { .send(Array(text.utf8)) }
    }

    enum Event: Sendable, Equatable {
        case request(connection: Int)
        case closed(connection: Int)
    }

    struct Connection: Sendable {
        var received: [UInt8] = []
        var requests: [String] = []
        let accepted = ContinuousClock.now
        /// When the client was seen to be gone, or the script was over.
        var ended: ContinuousClock.Instant?

        var text: String { String(decoding: received, as: UTF8.self) }
        var duration: Duration? { ended.map { accepted.duration(to: $0) } }
    }

    private struct State {
        var connections: [Connection] = []
        var sockets: [Int: Int32] = [:]
        var isStopped = false
    }

    let port: Int
    let events: AsyncStream<Event>
    private let listener: Int32
    private let state = Guarded(State())
    private let report: AsyncStream<Event>.Continuation
    private let script: @Sendable (Int) -> [Step]

    /// - Parameter script: what to do on a connection, by its number from 0.
    init(_ script: @escaping @Sendable (Int) -> [Step]) throws {
        (events, report) = AsyncStream.makeStream()
        self.script = script
        listener = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        // All of 127.0.0.0/8 and nothing beyond the machine would be best; there is no such address, so 0.0.0.0.
        address.sin_addr.s_addr = INADDR_ANY
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isReady = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) == 0 && listen(listener, 256) == 0
                    && getsockname(listener, pointer, &length) == 0
            }
        }
        guard isReady else { throw POSIXError(.EADDRNOTAVAIL) }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [weak self] in Self.accept(listener) { self?.serve($0) ?? false } }
    }

    /// Answers every request on every connection.
    static func http(_ answer: @escaping @Sendable (String) -> [Step]) throws -> LoopbackServer {
        try LoopbackServer { _ in [.answerRequests(answer)] }
    }

    /// A response in full, with its length.
    static func response(_ body: String, status: String = "200 OK", headers: [String] = []) -> Step {
        .send(
            (["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"] + headers + ["", body]).joined(
                separator: "\r\n"))
    }

    deinit { stop() }

    var url: String { "http://127.0.0.1:\(port)" }
    var connections: [Connection] { state.withLock { $0.connections } }
    var requests: [String] { connections.flatMap(\.requests) }

    /// Ends every connection. Threads go by themselves.
    func stop() {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            for socket in state.sockets.values { shutdown(socket, Int32(SHUT_RDWR)) }
            shutdown(listener, Int32(SHUT_RDWR))
        }
        report.finish()
    }

    /// Waits until something of that kind has happened.
    func wait(for event: Event) async {
        for await seen in events where seen == event { return }
    }

    private static func accept(_ listener: Int32, _ serve: (Int32) -> Bool) {
        while true {
            let socket = Glibc.accept(listener, nil, nil)
            if socket < 0 || !serve(socket) { break }
        }
        close(listener)
    }

    private func serve(_ socket: Int32) -> Bool {
        var isOn: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
        let number = state.withLock { state -> Int? in
            guard !state.isStopped else { return nil }
            state.connections.append(Connection())
            state.sockets[state.connections.count - 1] = socket
            return state.connections.count - 1
        }
        guard let number else {
            close(socket)
            return false
        }
        Thread.detachNewThread { [self] in
            let peer = LoopbackPeer(socket: socket) { bytes in
                self.state.withLock { $0.connections[number].received += bytes }
            }
            run(script(number), peer, number)
            state.withLock { state in
                state.connections[number].ended = .now
                state.sockets[number] = nil
                close(socket)
            }
            report.yield(.closed(connection: number))
        }
        return true
    }

    /// - Returns: whether the connection is still of use.
    @discardableResult
    private func run(_ steps: [Step], _ peer: LoopbackPeer, _ number: Int) -> Bool {
        for step in steps {
            let goesOn: Bool
            switch step {
            case .readRequest: goesOn = readRequest(peer, number) != nil
            case .readLine: goesOn = peer.readLine() != nil
            case .readMessage: goesOn = peer.readMessage()
            case .send(let bytes): goesOn = peer.send(bytes)
            case .drip(let bytes, let milliseconds):
                goesOn = bytes.allSatisfy { !peer.isGone(within: milliseconds) && peer.send([$0]) }
            case .stall: goesOn = !peer.isGone(within: 20_000)
            case .relay(let port):
                peer.relay(to: port)
                goesOn = false
            case .reset:
                peer.reset()
                goesOn = false
            case .answerRequests(let answer):
                while let request = readRequest(peer, number) {
                    if !run(answer(request), peer, number) { return false }
                }
                goesOn = false
            case .answerLines(let answer):
                while let line = peer.readLine() {
                    if !run(answer(line), peer, number) { return false }
                }
                goesOn = false
            }
            if !goesOn { return false }
        }
        return true
    }

    private func readRequest(_ peer: LoopbackPeer, _ number: Int) -> String? {
        guard let request = peer.readRequest() else { return nil }
        state.withLock { $0.connections[number].requests.append(request) }
        report.yield(.request(connection: number))
        return request
    }
}

/// One connection of the server, as a stream of bytes.
private final class LoopbackPeer {
    private let socket: Int32
    private let keep: ([UInt8]) -> Void
    private var buffer: [UInt8] = []

    init(socket: Int32, keep: @escaping ([UInt8]) -> Void) {
        self.socket = socket
        self.keep = keep
    }

    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    func readLine() -> String? {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) { return take(end + 1) }
            guard fill() else { return nil }
        }
    }

    func readMessage() -> Bool {
        while let line = readLine() { if line == ".\r\n" { return true } }
        return false
    }

    func readRequest() -> String? {
        var head = ""
        while !head.hasSuffix("\r\n\r\n") {
            guard let line = readLine() else { return nil }
            head += line
        }
        let length =
            head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
            .flatMap { Int($0.drop { $0 != ":" }.dropFirst().trimmingCharacters(in: .whitespaces)) } ?? 0
        while buffer.count < length { guard fill() else { return nil } }
        return head + take(length)
    }

    /// Whether the client ends its side within that time; what it sends meanwhile is kept.
    func isGone(within milliseconds: Int32) -> Bool {
        let deadline = ContinuousClock.now + .milliseconds(Int(milliseconds))
        while true {
            let rest = ContinuousClock.now.duration(to: deadline)
            guard rest > .zero else { return false }
            var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            let wait = Int32(rest / .milliseconds(1)) + 1
            if poll(&descriptor, 1, wait) > 0, !fill() { return true }
        }
    }

    func relay(to port: Int) {
        let other = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(other) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                connect(other, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { return }
        let there = LoopbackPeer(socket: other) { _ in }
        while true {
            var descriptors = [socket, other].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&descriptors, 2, 20_000) > 0 else { return }
            let ways = [(self, there), (there, self)]
            for (descriptor, (from, to)) in zip(descriptors, ways) where descriptor.revents != 0 {
                guard from.fill(), to.send(from.buffer) else { return }
                from.buffer = []
            }
        }
    }

    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    private func take(_ count: Int) -> String {
        let text = String(decoding: buffer.prefix(count), as: UTF8.self)
        buffer.removeFirst(count)
        return text
    }

    private func fill() -> Bool {
        var room = [UInt8](repeating: 0, count: 16_384)
        let count = room.withUnsafeMutableBytes { recv(socket, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return false }
        keep(Array(room[..<count]))
        buffer += room[..<count]
        return true
    }
}
