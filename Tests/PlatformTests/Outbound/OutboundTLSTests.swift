import Foundation
import Platform
import Testing

/// A real TLS server, by OpenSSL's program; without that program these tests are left out.
@Suite(.timeLimit(.minutes(2)), .enabled(if: FileManager.default.isExecutableFile(atPath: LoopbackTLSServer.program)))
struct OutboundTLSTests {
    private func failure(_ transport: CurlTransport, _ url: String) async -> OutboundError? {
        await outboundFailure { () throws(OutboundError) in
            _ = try await transport.send(OutboundRequest(url: url, timeout: .seconds(20)))
        }
    }

    private func transport(_ server: LoopbackTLSServer, isTrusted: Bool) throws -> CurlTransport {
        var settings = OutboundSettings(allowedPrivate: ["127.0.0.0/8", "::1"])
        if isTrusted { settings.authorities = server.certificate }
        return try CurlTransport(settings)
    }

    @Test func `a certificate is believed if a trusted one stands behind it and its name is right`() async throws {
        let server = try await LoopbackTLSServer.start()
        let trusting = try transport(server, isTrusted: true)
        let response = try await trusting.send(OutboundRequest(url: "https://localhost:\(server.port)/"))
        #expect(response.status == 200 && !response.body.isEmpty)
        // The same server by another name than that of its certificate.
        #expect(await failure(trusting, "https://127.0.0.1:\(server.port)/")?.code == .tls)
        let untrusting = try transport(server, isTrusted: false)
        let error = await failure(untrusting, "https://localhost:\(server.port)/")
        #expect(error?.code == .tls && error?.mend != nil && error?.isTransient == false)
    }

    @Test func `a server that speaks nothing newer than TLS 1.1 is refused`() async throws {
        let server = try await LoopbackTLSServer.start(options: ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"])
        #expect(
            await failure(try transport(server, isTrusted: true), "https://localhost:\(server.port)/")?.code == .tls)
    }

    @Test func `a file of certificates that is not there is named`() async throws {
        var settings = OutboundSettings(allowedPrivate: ["127.0.0.0/8", "::1"])
        settings.authorities = "/nowhere/authorities.pem"
        let server = try await LoopbackTLSServer.start()
        let error = await failure(try CurlTransport(settings), "https://localhost:\(server.port)/")
        #expect(error?.code == .tls && error?.mend?.contains("PEM") == true)
    }
}
