import Platform
import Store
import Testing

@Suite(.timeLimit(.minutes(2)))
struct OutboundEngineTests {
    private func failure(_ transport: CurlTransport, _ request: OutboundRequest) async -> OutboundError? {
        await outboundFailure { () throws(OutboundError) in _ = try await transport.send(request) }
    }

    @Test func `a cancelled task ends its transfer`() async throws {
        let server = try LoopbackServer { _ in [.readRequest, .stall] }
        let transport = try CurlTransport(.loopback)
        let request = OutboundRequest(url: server.url, timeout: .seconds(60))
        let task = Task { await failure(transport, request) }
        await server.wait(for: .request(connection: 0))
        task.cancel()
        #expect(await task.value?.code == .cancelled)
        // The connection itself ends, long before the deadline.
        await server.wait(for: .closed(connection: 0))
        #expect(transport.statistics.transfers == ["cancelled": 1])
    }

    @Test func `a task that is cancelled already sends nothing`() async throws {
        let server = try LoopbackServer { _ in [.readRequest, .stall] }
        let transport = try CurlTransport(.loopback)
        let request = OutboundRequest(url: server.url, timeout: .seconds(60))
        let code = await Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await failure(transport, request)?.code
        }.value
        #expect(code == .cancelled && server.requests.isEmpty)
    }

    @Test func `closing fails what is under way, what waits and what comes later`() async throws {
        let server = try LoopbackServer { _ in [.readRequest, .stall] }
        var settings = OutboundSettings.loopback
        settings.maximumUnderWay = 1
        let transport = try CurlTransport(settings)
        let request = OutboundRequest(url: server.url, timeout: .seconds(60))
        let tasks = (0..<5).map { _ in Task { await failure(transport, request) } }
        await server.wait(for: .request(connection: 0))
        transport.close()
        for task in tasks { #expect(await task.value?.code == .closed) }
        await server.wait(for: .closed(connection: 0))
        #expect(server.connections.count == 1)
        #expect(await failure(transport, request)?.code == .closed)
        transport.close()
    }

    @Test func `an engine that nobody holds any more ends`() async throws {
        let server = try LoopbackServer.http { _ in [LoopbackServer.response("ok")] }
        var transport: CurlTransport? = try CurlTransport(.loopback)
        _ = try await transport?.send(OutboundRequest(url: server.url))
        transport = nil
        // Its kept connection is closed with it.
        await server.wait(for: .closed(connection: 0))
    }

    @Test func `more transfers than the engine takes are refused at once`() async throws {
        let server = try LoopbackServer { _ in [.readRequest, .stall] }
        var settings = OutboundSettings.loopback
        settings.maximumTransfers = 1
        let transport = try CurlTransport(settings)
        let request = OutboundRequest(url: server.url, timeout: .seconds(60))
        let task = Task { await failure(transport, request) }
        await server.wait(for: .request(connection: 0))
        #expect(transport.statistics.underWay == 1)
        #expect(await failure(transport, request)?.code == .overloaded)
        task.cancel()
        #expect(await task.value?.code == .cancelled)
    }

    @Test func `a kept connection is used again, and the address is checked all the same`() async throws {
        let server = try LoopbackServer.http { _ in [LoopbackServer.response("ok")] }
        let transport = try CurlTransport()
        let open = OutboundRequest(url: server.url, allowsPrivateAddresses: true)
        _ = try await transport.send(open)
        _ = try await transport.send(open)
        #expect(server.connections.count == 1 && server.requests.count == 2)
        let closed = OutboundRequest(url: server.url)
        #expect(await failure(transport, closed)?.code == .forbiddenAddress)
        #expect(server.requests.count == 2)
    }

    @Test func `a name that leads to a private address is refused unless it is allowed`() async throws {
        let server = try LoopbackServer.http { _ in [LoopbackServer.response("ok")] }
        let request = OutboundRequest(url: "http://localhost:\(server.port)/")
        #expect(await failure(try CurlTransport(), request)?.code == .forbiddenAddress)
        #expect(server.connections.isEmpty)
        let byName = try CurlTransport(OutboundSettings(allowedPrivate: ["LocalHost"]))
        #expect(try await byName.send(request).status == 200)
        let byBlock = try CurlTransport(OutboundSettings(allowedPrivate: ["127.0.0.0/8", "::1"]))
        #expect(try await byBlock.send(request).status == 200)
    }

    @Test func `a request may be allowed to reach its own server`() async throws {
        let server = try LoopbackServer.http { _ in [LoopbackServer.response("ok")] }
        let transport = try CurlTransport()
        #expect(try await transport.send(OutboundRequest(url: server.url, allowsPrivateAddresses: true)).status == 200)
        #expect(await failure(transport, OutboundRequest(url: server.url))?.code == .forbiddenAddress)
    }

    @Test func `where the system gives no thread there is no engine, and nobody waits for it`() {
        #expect(throws: OutboundError.self) { try CurlEngine(threads: ThreadStarter { _, _ in false }) }
    }
}
