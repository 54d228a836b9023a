import Foundation
import Glibc
import Platform
import Testing

/// What is sent by way of a proxy.
@Suite(.timeLimit(.minutes(2)))
struct OutboundProxyTests {
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: LoopbackTLSServer.program)))
    func `an answer through a tunnel has its own head and none of the proxy's`() async throws {
        let server = try await LoopbackTLSServer.start()
        let port = server.port
        let proxy = try LoopbackServer { _ in
            [
                .readRequest,
                .send("HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\nContent-Type: from/proxy\r\n\r\n"),
                .relay(port: port),
            ]
        }
        let transport = try CurlTransport(OutboundSettings(authorities: server.certificate, proxy: proxy.url))
        let response = try await transport.send(OutboundRequest(url: "https://localhost:\(port)/"))
        #expect(response.status == 200 && !response.body.isEmpty)
        #expect(response.headers["content-type"] == "text/html" && response.headers["x-proxy"] == nil)
        #expect(proxy.requests.first?.hasPrefix("CONNECT localhost:\(port) HTTP/1.1\r\n") == true)
    }

    @Test func `a proxy that refuses the tunnel gives no answer`() async throws {
        let proxy = try LoopbackServer { _ in
            [.readRequest, .send("HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nno way")]
        }
        let transport = try CurlTransport(OutboundSettings(proxy: proxy.url))
        let error = await outboundFailure { () throws(OutboundError) in
            _ = try await transport.send(OutboundRequest(url: "https://name.invalid/"))
        }
        #expect(error != nil && proxy.requests.count == 1)
    }

    /// In a process of its own: what it sets is everybody's.
    @Test func `no variable of the environment leads past the proxy`() async {
        await #expect(processExitsWith: .success) {
            for name in ["NO_PROXY", "no_proxy"] { setenv(name, "*", 1) }
            let direct = try LoopbackServer.http { _ in [LoopbackServer.response("direct")] }
            let proxy = try LoopbackServer.http { _ in [LoopbackServer.response("by proxy")] }
            let transport = try CurlTransport(OutboundSettings(proxy: proxy.url))
            // A name, since a written private address is refused before anybody is asked.
            let response = try await transport.send(
                OutboundRequest(url: "http://localhost:\(direct.port)/", timeout: .seconds(20)))
            let isByProxy = response.body == Array("by proxy".utf8) && direct.connections.isEmpty
            exit(isByProxy && proxy.requests.count == 1 ? EXIT_SUCCESS : EXIT_FAILURE)
        }
    }
}
