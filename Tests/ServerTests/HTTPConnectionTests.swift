import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import ServiceLifecycle
import Synchronization
import Testing
import server

/// One connection of a client that writes whatever it likes.
///
/// It has a thread of its own: the service's deadlines here are short, and the pool that runs the tests may be busy with
/// others for longer than that.
private struct RawClient {
    let port: Int

    /// Sends `text`, then `drop` every few milliseconds, and reads until the server closes.
    func exchange(_ text: String, thenDrop drop: String? = nil) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try converse(text, thenDrop: drop) })
            }
        }
    }

    private func converse(_ text: String, thenDrop drop: String?) throws -> String {
        let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(connection) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        write(text, to: connection)
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            var waiting = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
            if poll(&waiting, 1, drop == nil ? -1 : 5) == 0, let drop {
                write(drop, to: connection)
                continue
            }
            // Below zero, the server has reset the connection, since the trickle still came.
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return String(decoding: received, as: UTF8.self) }
            received += buffer[..<count]
        }
    }

    /// Writes what the server takes: it may have closed already, which `recv` will tell.
    private func write(_ text: String, to connection: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

// A test waits for the others' threads as well.
@Suite(.timeLimit(.minutes(15)))
struct HTTPConnectionTests {
    private func settings(_ change: (inout ServiceSettings) -> Void = { _ in }) -> ServiceSettings {
        var settings = ServiceSettings()
        settings.port = 0
        // Threads that other tests hold are no reason to give a reply up.
        settings.timeouts.request = .seconds(600)
        settings.timeouts.idle = .seconds(600)
        change(&settings)
        return settings
    }

    private func exchange(_ settings: ServiceSettings, _ text: String, thenDrop drop: String? = nil) async throws
        -> String
    {
        try await HTTPTestService(settings).service.application().test(.live) { client in
            try await RawClient(port: try #require(client.port)).exchange(text, thenDrop: drop)
        }
    }

    private let head = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"

    @Test func `serves a request over a socket`() async throws {
        let reply = try await exchange(
            settings(), head + "Connection: close\r\nContent-Length: 7\r\n\r\n{\"a\":1}")
        #expect(reply.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(reply.hasSuffix("\r\n\r\n{\"a\":1}"))
    }

    @Test func `cuts off a body that trickles`() async throws {
        let settings = settings { $0.timeouts.body = .milliseconds(150) }
        let reply = try await exchange(settings, head + "Content-Length: 1000000\r\n\r\n\"", thenDrop: "x")
        #expect(reply.hasPrefix("HTTP/1.1 408 "))
        #expect(reply.contains("\"code\":\"request_timeout\""))
        #expect(reply.lowercased().contains("connection: close"))
    }

    @Test func `cuts off a head that trickles`() async throws {
        let settings = settings { $0.timeouts.header = .milliseconds(150) }
        #expect(try await exchange(settings, "GET / HTTP/1.1\r\nX-A: ", thenDrop: "x") == "")
    }

    @Test func `cuts off an idle connection`() async throws {
        let settings = settings { $0.timeouts.idle = .milliseconds(150) }
        let reply = try await exchange(settings, "GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(reply.hasPrefix("HTTP/1.1 200 OK\r\n"))
    }

    @Test func `refuses a large body before it is sent`() async throws {
        let settings = settings { $0.limits.bodyBytes = 1024 }
        let reply = try await exchange(settings, head + "Content-Length: 1000000\r\n\r\n")
        #expect(reply.hasPrefix("HTTP/1.1 413 "))
        #expect(reply.contains("\"code\":\"body_too_large\""))
    }

    @Test func `refuses a body without a length once it is too large`() async throws {
        let settings = settings { $0.limits.bodyBytes = 1024 }
        let chunk = "400\r\n" + String(repeating: "x", count: 1024) + "\r\n"
        let reply = try await exchange(settings, head + "Transfer-Encoding: chunked\r\n\r\n" + chunk + chunk)
        #expect(reply.hasPrefix("HTTP/1.1 413 "))
        // A path that reads no body answers first; the connection still ends.
        let other = try await exchange(
            settings, "POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", thenDrop: chunk)
        #expect(other.hasPrefix("HTTP/1.1 404 "))
    }

    @Test func `asks for the body that a client holds back`() async throws {
        let reply = try await exchange(
            settings { $0.timeouts.body = .milliseconds(150) },
            head + "Expect: 100-continue\r\nContent-Length: 7\r\n\r\n")
        #expect(reply.hasPrefix("HTTP/1.1 100 Continue\r\n"))
    }

    @Test func `refuses what is not HTTP`() async throws {
        #expect(try await exchange(settings(), "\u{1}\u{2}nonsense\r\n\r\n").hasPrefix("HTTP/1.1 400 "))
        let large = "GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 200_000) + "\r\n\r\n"
        #expect(try await exchange(settings(), large).hasPrefix("HTTP/1.1 4"))
    }

    @Test func `refuses a body that is not HTTP`() async throws {
        let reply = try await exchange(settings(), head + "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n")
        #expect(reply.hasPrefix("HTTP/1.1 400 "))
        #expect(!reply.contains("internal_error"))
    }

    // MARK: Shutdown

    /// Runs a service whose `/held` waits, asks it to stop while a request is in flight, and gives the reply.
    private func stop(_ settings: ServiceSettings, releasing: Bool) async throws -> String {
        let test = HTTPTestService(settings)
        let (entered, enter) = AsyncStream.makeStream(of: Void.self)
        let (held, release) = AsyncStream.makeStream(of: Void.self)
        test.service.router.get("/held") { _, _ -> String in
            enter.finish()
            for await _ in held {}
            return Task.isCancelled ? "cancelled" : "done"
        }
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let application = try test.service.application { channel in
            port.yield(channel.localAddress?.port ?? 0)
            port.finish()
        }
        let group = test.service.serviceGroup(for: application)
        async let running: Void = group.run()
        let found = try #require(await ports.first { _ in true })
        let client = RawClient(port: found)
        async let reply = client.exchange("GET /held HTTP/1.1\r\nHost: x\r\n\r\n")
        for await _ in entered {}
        await group.triggerGracefulShutdown()
        if releasing { release.finish() }
        let text = try await reply
        do {
            try await running
        } catch is CancellationError {}
        release.finish()
        return text
    }

    @Test func `finishes requests in flight when it is told to stop`() async throws {
        let reply = try await stop(settings(), releasing: true)
        #expect(reply.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(reply.hasSuffix("done"))
    }

    @Test func `cancels what is not finished after the longest wait`() async throws {
        let reply = try await stop(settings { $0.timeouts.shutdown = .milliseconds(150) }, releasing: false)
        #expect(!reply.hasSuffix("done"))
    }
}

struct HTTPConnectionGuardTests {
    private let channel = EmbeddedChannel()

    private func add(_ change: (inout ConnectionGuard.Limits) -> Void = { _ in }) throws {
        var limits = ConnectionGuard.Limits()
        limits.bodyBytes = 10
        change(&limits)
        try channel.pipeline.syncOperations.addHandler(ConnectionGuard(limits: limits))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    private func head(_ fields: HTTPFields = [:]) -> HTTPRequestPart {
        .head(HTTPRequest(method: .post, scheme: "http", authority: "x", path: "/", headerFields: fields))
    }

    private func reply() throws {
        try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
        try channel.writeOutbound(HTTPResponsePart.end(nil))
    }

    @Test func `tells once that the client has gone, unless its reply was written`() throws {
        try add()
        let told = Mutex<[String]>([])
        func watch(_ name: String) {
            channel.triggerUserOutboundEvent(ClientWatch { told.withLock { $0.append(name) } }, promise: nil)
        }
        try channel.writeInbound(head())
        try channel.writeInbound(HTTPRequestPart.end(nil))
        watch("answered")
        try reply()
        try channel.writeInbound(head())
        watch("waiting")
        #expect(told.withLock { $0 } == [])
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(told.withLock { $0 } == ["waiting"])
        watch("too late")
        #expect(told.withLock { $0 } == ["waiting", "too late"])
        channel.pipeline.fireChannelInactive()
        #expect(told.withLock { $0 } == ["waiting", "too late"])
    }

    @Test func `closes a connection that never asks`() throws {
        try add()
        channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }

    @Test func `gives a body one total time however often bytes come`() throws {
        try add()
        try channel.writeInbound(head([.contentLength: "10"]))
        for _ in 0..<9 {
            channel.embeddedEventLoop.advanceTime(by: .seconds(2))
            try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(string: "x")))
        }
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(throws: RequestReadError.bodyTimeout(seconds: 20)) { try channel.throwIfErrorCaught() }
        #expect(channel.isActive)
        try reply()
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1999))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(!channel.isActive)
    }

    @Test func `waits for the reply to what it refused, but not for ever`() throws {
        try add { $0.reply = .seconds(30) }
        #expect(throws: RequestReadError.self) { try channel.writeInbound(head([.contentLength: "11"])) }
        channel.embeddedEventLoop.advanceTime(by: .seconds(29))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }

    @Test func `gives what is refused after its reply no more than the moment`() throws {
        try add()
        try channel.writeInbound(head([.transferEncoding: "chunked"]))
        try reply()
        #expect(throws: RequestReadError.self) {
            try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(string: "12345678901")))
        }
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!channel.isActive)
    }

    @Test func `leaves a complete request and the pause after it alone`() throws {
        try add()
        try channel.writeInbound(head([.contentLength: "1"]))
        try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(string: "x")))
        try channel.writeInbound(HTTPRequestPart.end(nil))
        channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(channel.isActive)
        try channel.writeInbound(head())
        channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(channel.isActive)
    }

    @Test func `stops a body at its limit and drops the rest`() throws {
        try add()
        try channel.writeInbound(head([.transferEncoding: "chunked"]))
        try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(string: "1234567890")))
        #expect(throws: RequestReadError.bodyTooLarge(limit: 10)) {
            try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(string: "x")))
        }
        try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(string: "y")))
        var parts = 0
        while try channel.readInbound(as: HTTPRequestPart.self) != nil { parts += 1 }
        #expect(parts == 2)
    }

    @Test func `refuses a declared length above the limit at once`() throws {
        try add()
        #expect(throws: RequestReadError.bodyTooLarge(limit: 10)) {
            try channel.writeInbound(head([.contentLength: "11"]))
        }
        #expect(try channel.readInbound(as: HTTPRequestPart.self) != nil)
    }

    @Test func `asks for a body only when no earlier reply is owed`() throws {
        try add()
        let expecting = head([.contentLength: "1", .expect: "100-continue"])
        try channel.writeInbound(expecting)
        #expect(try channel.readOutbound(as: HTTPResponsePart.self) == .head(HTTPResponse(status: .continue)))
        try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(string: "x")))
        try channel.writeInbound(HTTPRequestPart.end(nil))
        try channel.writeInbound(expecting)
        #expect(try channel.readOutbound(as: HTTPResponsePart.self) == nil)
    }

    @Test func `closes on a client that does not read`() throws {
        try add()
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
        try channel.writeInbound(head())
        channel.embeddedEventLoop.advanceTime(by: .seconds(29))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }
}
