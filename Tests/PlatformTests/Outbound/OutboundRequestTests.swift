import Platform
import Testing

/// What is refused before anything is sent.
@Suite(.timeLimit(.minutes(2)))
struct OutboundRequestTests {
    private func failure(_ request: OutboundRequest) async throws -> OutboundError? {
        let transport = try CurlTransport(.loopback)
        return await outboundFailure { () throws(OutboundError) in _ = try await transport.send(request) }
    }

    @Test(arguments: [
        ("X-A", "b\r\nX-Evil: 1"), ("X-A", "b\nX-Evil: 1"), ("X-A", "b\0c"), ("X-A\r\nX-Evil", "1"), ("X-A:", "1"),
        ("X A", "1"), ("", "1"), ("Host", "evil"), ("content-length", "5"), ("Transfer-Encoding", "chunked"),
        ("X-A", "b\u{7F}"), ("X-A", String(repeating: "a", count: 70_000)),
    ])
    func `a header that could become another is refused`(name: String, value: String) async throws {
        let server = try LoopbackServer.http { _ in [LoopbackServer.response("ok")] }
        let error = try await failure(OutboundRequest(url: server.url, headers: [(name, value)]))
        #expect(error?.code == .invalidRequest && server.connections.isEmpty)
        #expect(error?.description.contains("evil") == false)
    }

    @Test(arguments: ["GET /\r\n", "", "G ET", "CONNECT", "trace", "GÉT"])
    func `a method that is none is refused`(method: String) async throws {
        #expect(try await failure(OutboundRequest(method: method, url: "http://127.0.0.1/"))?.code == .invalidRequest)
    }

    @Test(arguments: [
        "", "/relative", "example.org", "http://", "http://a b/", "http://example.org:99999/",
        "http://user@example.org/", "http://user:word@example.org/", "http://example.org/\r\nX: 1", "http://a\0b/",
        "http://[::1", "http://exa mple.org/", "http://example.org:0/",
    ])
    func `an address that is none is refused`(url: String) {
        #expect(throws: OutboundError.self) { try OutboundURL(url) }
        #expect(urlFailure(url)?.code == .invalidURL)
    }

    @Test(arguments: [
        "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "dict://example.org/",
        "javascript:alert(1)",
        "data:text/plain,a", "smtp://example.org/", "unknown://example.org/",
    ])
    func `another scheme is refused`(url: String) {
        let code = urlFailure(url)?.code
        #expect(code == .unsupportedScheme || code == .invalidURL)
    }

    @Test func `an address is read as curl reads it`() throws {
        let url = try OutboundURL("HTTP://Example.ORG.:8080/a/../b?q=1#f")
        #expect(url.scheme == "http" && url.host == "example.org" && url.port == 8080)
        #expect(url.text.hasSuffix("/b?q=1") && url.shown.hasSuffix("/b"))
        for written in ["http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/"] {
            #expect(try OutboundURL(written).host == "127.0.0.1", "\(written)")
        }
        #expect(try OutboundURL("https://[::1]/").port == 443)
    }

    @Test func `a redirect is read from where it stands`() throws {
        let base = try OutboundURL("https://example.org/a/b?c")
        #expect(try base.redirected(to: "../d").text == "https://example.org/d")
        #expect(try base.redirected(to: "//other.org/e").text == "https://other.org/e")
        #expect(try base.redirected(to: "/with space").text == "https://example.org/with%20space")
        #expect(throws: OutboundError.self) { try base.redirected(to: "https://user:word@example.org/") }
        #expect(throws: OutboundError.self) { try base.redirected(to: "file:///etc/passwd") }
    }

    @Test func `limits that cannot be meant are refused`() async throws {
        let url = "http://127.0.0.1/"
        for request in [
            OutboundRequest(url: url, timeout: .zero), OutboundRequest(url: url, timeout: .seconds(-1)),
            OutboundRequest(url: url, timeout: .seconds(1 << 40)), OutboundRequest(url: url, maximumBytes: -1),
            OutboundRequest(url: url, maximumRedirects: -1), OutboundRequest(method: "HEAD", url: url, body: [1]),
        ] {
            #expect(try await failure(request)?.code == .invalidRequest)
        }
    }

    @Test func `settings that cannot be meant are refused`() {
        for settings in [
            OutboundSettings(allowedPrivate: ["10.1.2.3/8"]), OutboundSettings(allowedPrivate: ["10.0.0.0/33"]),
            OutboundSettings(allowedPrivate: [""]), OutboundSettings(allowedPrivate: ["http://a/"]),
            OutboundSettings(userAgent: "a\r\nb"), OutboundSettings(proxy: "nowhere"),
        ] {
            #expect(throws: OutboundError.self) { try CurlTransport(settings) }
        }
    }

    @Test func `no description shows a secret`() {
        let request = OutboundRequest(
            url: "https://name:word@example.org/a?key=word", headers: [("Authorization", "word")],
            body: Array("word".utf8))
        let response = OutboundResponse(status: 200, body: Array("word".utf8), url: "https://example.org/?key=word")
        let secret = OutboundSecret("word")
        for text in [
            "\(request)", String(reflecting: request), "\(response)", String(reflecting: response), "\(secret)",
            String(reflecting: secret), "\([secret])",
        ] {
            #expect(!text.contains("word"), "\(text)")
        }
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!dumped.contains("word") && secret.exposed == "word")
    }

    private func urlFailure(_ url: String) -> OutboundError? {
        do throws(OutboundError) {
            _ = try OutboundURL(url)
            return nil
        } catch {
            return error
        }
    }
}
