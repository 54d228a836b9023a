import Platform
import TestSupport
import Testing

/// Servers that fail in every way that they can; what counts is the error and that it comes in time.
@Suite(.timeLimit(.minutes(2)))
struct OutboundFailureTests {
    private func failure(
        _ server: LoopbackServer, timeout: Duration = .seconds(10), maximumBytes: Int = 1 << 20, path: String = "/",
        scheme: String = "http"
    ) async throws -> OutboundError? {
        let transport = try CurlTransport(.loopback)
        return await outboundFailure { () throws(OutboundError) in
            _ = try await transport.send(
                OutboundRequest(
                    url: "\(scheme)://127.0.0.1:\(server.port)\(path)", timeout: timeout, maximumBytes: maximumBytes))
        }
    }

    /// Expects the transfer to end within 200 ms of its deadline. The server sees when the client goes, which does not
    /// depend on how busy the test pool is; a machine that is busy altogether gets three attempts.
    private func expectDeadline(
        scheme: String = "http", _ script: @escaping @Sendable (Int) -> [LoopbackServer.Step]
    ) async throws {
        let timeout = Duration.milliseconds(400)
        var durations: [Duration] = []
        for _ in 0..<3 {
            let server = try LoopbackServer(script)
            #expect(try await failure(server, timeout: timeout, scheme: scheme)?.code == .timedOut)
            await server.wait(for: .closed(connection: 0))
            let duration = try #require(server.connections.first?.duration)
            durations.append(duration)
            if duration < timeout + .milliseconds(200), duration > timeout - .milliseconds(200) { return }
        }
        Issue.record("the deadline did not hold: \(durations)")
    }

    @Test func `a head that does not come ends at the deadline`() async throws {
        try await expectDeadline { _ in [.readRequest, .send("HTTP/1.1 200"), .stall] }
    }

    @Test func `a body that comes byte by byte ends at the deadline`() async throws {
        try await expectDeadline { _ in
            [
                .readRequest, .send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
                .drip(Array(repeating: 0x61, count: 1000), milliseconds: 20),
            ]
        }
    }

    @Test func `redirects share one deadline`() async throws {
        let server = try LoopbackServer { _ in
            [
                .readRequest, .drip([0x48], milliseconds: 60),
                .send("TTP/1.1 302 Found\r\nLocation: /next\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
            ]
        }
        let transport = try CurlTransport(.loopback)
        let error = await outboundFailure { () throws(OutboundError) in
            _ = try await transport.send(
                OutboundRequest(url: server.url, timeout: .milliseconds(400), maximumRedirects: 1_000))
        }
        #expect(error?.code == .timedOut)
        let count = server.connections.count
        await server.wait(for: .closed(connection: count - 1))
        let connections = server.connections
        let first = try #require(connections.first?.accepted)
        let last = try #require(connections.last?.ended)
        #expect(connections.count == count && first.duration(to: last) < .seconds(2))
    }

    @Test func `a TLS handshake that nobody answers ends at the deadline`() async throws {
        try await expectDeadline(scheme: "https") { _ in [.stall] }
    }

    @Test func `a plain server asked for TLS is a TLS error`() async throws {
        let server = try LoopbackServer { _ in [.readLine, .send("HTTP/1.1 400 Bad Request\r\n\r\n")] }
        #expect(try await failure(server, scheme: "https")?.code == .tls)
    }

    @Test func `a body that is cut off is no answer`() async throws {
        let server = try LoopbackServer { _ in
            [.readRequest, .send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")]
        }
        let error = try await failure(server)
        #expect(error?.code == .cutOff && error?.isTransient == true)
    }

    @Test func `a chunked body that is cut off is no answer`() async throws {
        let server = try LoopbackServer { _ in
            [.readRequest, .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")]
        }
        #expect(try await failure(server)?.code == .cutOff)
    }

    @Test(arguments: [false, true])
    func `a connection that ends before the head is cut off`(isReset: Bool) async throws {
        let server = try LoopbackServer { _ in isReset ? [.readRequest, .reset] : [.readRequest] }
        #expect(try await failure(server)?.code == .cutOff)
    }

    @Test func `a body without end is cut at the limit`() async throws {
        let piece = [UInt8](repeating: 0x61, count: 1 << 16)
        let server = try LoopbackServer { _ in
            [.readRequest, .send("HTTP/1.1 200 OK\r\n\r\n")] + Array(repeating: .send(piece), count: 10_000)
        }
        #expect(try await failure(server, maximumBytes: 100_000)?.code == .tooLarge)
        await server.wait(for: .closed(connection: 0))
    }

    @Test func `a body of exactly the limit is taken, one byte more is not`() async throws {
        let server = try LoopbackServer.http { _ in
            [.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n12345"), .readLine]
        }
        // Without a length, so that only the bytes themselves can be counted.
        let closing = try LoopbackServer { _ in [.readRequest, .send("HTTP/1.1 200 OK\r\n\r\n12345")] }
        #expect(try await failure(closing, maximumBytes: 5) == nil)
        #expect(try await failure(server, maximumBytes: 4)?.code == .tooLarge)
    }

    @Test func `a body announced as too large is not waited for`() async throws {
        let server = try LoopbackServer { _ in
            [.readRequest, .send("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n"), .stall]
        }
        #expect(try await failure(server, maximumBytes: 100)?.code == .tooLarge)
    }

    @Test func `a decompression bomb is cut at the limit`() async throws {
        let bomb = HandmadeGzip.bomb(64 << 20)
        #expect(bomb.count < 1 << 20)
        let server = try LoopbackServer { _ in
            [
                .readRequest,
                .send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(bomb.count)\r\n\r\n"),
                .send(bomb),
            ]
        }
        #expect(try await failure(server, maximumBytes: 1 << 20)?.code == .tooLarge)
    }

    @Test func `a small bomb is what it says, so that the large one was none of another kind`() async throws {
        let bomb = HandmadeGzip.bomb(258 * 4)
        let server = try LoopbackServer { _ in
            [
                .readRequest,
                .send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(bomb.count)\r\n\r\n"),
                .send(bomb),
            ]
        }
        // Its sum is wrong on purpose: curl looks at it, and at nothing before its end.
        #expect(try await failure(server)?.code == .protocolViolation)
    }

    @Test func `header fields without end are cut`() async throws {
        let many = try LoopbackServer { _ in
            [.readRequest, .send("HTTP/1.1 200 OK\r\n" + String(repeating: "a: b\r\n", count: 201) + "\r\n")]
        }
        #expect(try await failure(many)?.code == .tooLarge)
        let large = try LoopbackServer { _ in
            [
                .readRequest,
                .send(
                    "HTTP/1.1 200 OK\r\n" + String(repeating: "a: \(String(repeating: "b", count: 8000))\r\n", count: 9)
                        + "\r\n"),
            ]
        }
        #expect(try await failure(large)?.code == .tooLarge)
        let interim = try LoopbackServer { _ in
            [.readRequest] + Array(repeating: .send("HTTP/1.1 103 Early Hints\r\na: b\r\n\r\n"), count: 1_000)
        }
        #expect(try await failure(interim)?.code == .tooLarge)
    }

    @Test func `a port where nobody listens and a name that nobody has`() async throws {
        let server = try LoopbackServer { _ in [] }
        server.stop()
        await server.wait(for: .closed(connection: 0))
        let transport = try CurlTransport(.loopback)
        let error = await outboundFailure { () throws(OutboundError) in
            _ = try await transport.send(OutboundRequest(url: "http://127.0.0.1:1/", timeout: .seconds(5)))
        }
        #expect(error?.code == .notConnected)
        let unknown = await outboundFailure { () throws(OutboundError) in
            _ = try await transport.send(OutboundRequest(url: "http://name.invalid/", timeout: .seconds(10)))
        }
        // Where no resolver answers at all, it is the time that ends it.
        #expect(unknown?.code == .notResolved || unknown?.code == .timedOut)
    }

    @Test func `what is no HTTP is a protocol violation`() async throws {
        for answer in [
            "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 abc\r\n\r\n", "\0\0\0\0\r\n\r\n", "HTTP/1.1 101 Up\r\n\r\n",
        ] {
            let server = try LoopbackServer { _ in [.readRequest, .send(answer)] }
            let code = try await failure(server)?.code
            #expect(code == .protocolViolation || code == .cutOff, "\(answer): \(code.map(\.rawValue) ?? "none")")
        }
    }

    @Test func `altered answers end in an answer or an error, and in time`() async throws {
        var generator = SeededGenerator(seed: 5)
        let sound = Array("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 5\r\nETag: \"x\"\r\n\r\nhello".utf8)
        var answers: [[UInt8]] = []
        for _ in 0..<300 {
            var answer = sound
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let place = Int.random(in: 0..<answer.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: answer[place] = UInt8.random(in: .min ... .max, using: &generator)
                case 1: answer.remove(at: place)
                case 2: answer.insert(UInt8.random(in: .min ... .max, using: &generator), at: place)
                default: answer.insert(contentsOf: "\r\n".utf8, at: place)
                }
            }
            answers.append(answer)
        }
        let all = answers
        let server = try LoopbackServer { [.readRequest, .send(all[$0])] }
        let transport = try CurlTransport(.loopback)
        let allowed: Set<OutboundError.Code> = [.protocolViolation, .cutOff, .tooLarge]
        var codes: [String: Int] = [:]
        for number in 0..<all.count {
            let error = await outboundFailure { () throws(OutboundError) in
                let response = try await transport.send(
                    OutboundRequest(url: server.url, timeout: .seconds(10), maximumBytes: 1000, maximumRedirects: 0))
                #expect((200...999).contains(response.status) && response.body.count <= 1000)
            }
            if let error { #expect(allowed.contains(error.code), "\(generator): \(number): \(error)") }
            codes[error?.code.rawValue ?? "ok", default: 0] += 1
        }
        // Both ends are seen, or the test has lost its subject.
        #expect(codes["ok", default: 0] > 20 && codes.values.reduce(0, +) - codes["ok", default: 0] > 20, "\(codes)")
    }
}
