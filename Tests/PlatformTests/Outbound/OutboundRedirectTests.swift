import Platform
import Testing

@Suite(.timeLimit(.minutes(2)))
struct OutboundRedirectTests {
    private static func redirect(_ status: String, _ location: String) -> LoopbackServer.Step {
        LoopbackServer.response("", status: status, headers: ["Location: \(location)"])
    }

    private func failure(_ transport: CurlTransport, _ request: OutboundRequest) async -> OutboundError? {
        await outboundFailure { () throws(OutboundError) in _ = try await transport.send(request) }
    }

    @Test func `a redirect is followed and the answer says where it came from`() async throws {
        let server = try LoopbackServer.http { request in
            request.hasPrefix("GET /a ") ? [Self.redirect("302 Found", "b?c")] : [LoopbackServer.response("end")]
        }
        let response = try await CurlTransport(.loopback).send(OutboundRequest(url: server.url + "/a"))
        #expect(response.url == server.url + "/b?c" && response.body == Array("end".utf8))
    }

    @Test func `a loop of redirects ends`() async throws {
        let server = try LoopbackServer.http { _ in [Self.redirect("307 Temporary Redirect", "/again")] }
        let transport = try CurlTransport(.loopback)
        #expect(
            await failure(transport, OutboundRequest(url: server.url, maximumRedirects: 3))?.code == .tooManyRedirects)
        #expect(server.requests.count == 4)
        #expect(
            await failure(transport, OutboundRequest(url: server.url, maximumRedirects: 0))?.code == .tooManyRedirects)
        #expect(server.requests.count == 5)
    }

    @Test(arguments: [
        "http://127.0.0.2:PORT/", "http://2130706434:PORT/", "http://0x7f.0.0.2:PORT/", "http://0177.0.0.2:PORT/",
        "http://[::ffff:127.0.0.2]:PORT/", "http://0.0.0.0:PORT/", "http://10.0.0.1/", "http://169.254.169.254/latest/",
        "http://[::1]:PORT/", "//127.0.0.2:PORT/", "http://[fe80::1]/", "http://[fd00::1]/",
    ])
    func `an allowed server cannot redirect to a private address`(location: String) async throws {
        let server = try LoopbackServer { _ in
            [
                .answerRequests { request in
                    // The fake's own port, from the field that names it.
                    let port = request.split(separator: "\r\n")[1].split(separator: ":").last.map(String.init) ?? ""
                    return [Self.redirect("302 Found", location.replacing("PORT", with: port))]
                }
            ]
        }
        let error = await failure(try CurlTransport(.loopback), OutboundRequest(url: server.url, timeout: .seconds(60)))
        #expect(error?.code == .forbiddenAddress && error?.mend != nil)
        #expect(server.requests.count == 1)
    }

    @Test func `a server that the request may reach cannot redirect to its neighbour`() async throws {
        let neighbour = try LoopbackServer.http { _ in [LoopbackServer.response("private")] }
        let location = "http://127.0.0.1:\(neighbour.port)/"
        let server = try LoopbackServer.http { _ in [Self.redirect("302 Found", location)] }
        let transport = try CurlTransport()
        let request = OutboundRequest(url: server.url, allowsPrivateAddresses: true)
        #expect(await failure(transport, request)?.code == .forbiddenAddress)
        #expect(server.requests.count == 1 && neighbour.connections.isEmpty)
    }

    @Test func `keys stay where they belong`() async throws {
        let other = try LoopbackServer.http { _ in [LoopbackServer.response("end")] }
        let location = "http://127.0.0.1:\(other.port)/there"
        let server = try LoopbackServer.http { request in
            request.hasPrefix("POST /here ")
                ? [Self.redirect("307 Temporary Redirect", "/home")]
                : [Self.redirect("307 Temporary Redirect", location)]
        }
        _ = try await CurlTransport(.loopback).send(
            OutboundRequest(
                method: "POST", url: server.url + "/here",
                headers: [
                    ("Authorization", "Bearer word"), ("x-goog-api-key", "word"), ("X-Own", "word"), ("Cookie", "word"),
                    ("Accept", "text/plain"), ("Content-Type", "text/plain"),
                ], body: Array("body".utf8)))
        // Within the origin all goes along, beyond it only what is harmless.
        #expect(server.requests.allSatisfy { $0.contains("Bearer word") && $0.contains("X-Own: word") })
        #expect(server.requests.count == 2)
        let arrived = try #require(other.requests.first)
        #expect(
            !arrived.contains("word") && arrived.contains("Accept: text/plain\r\n") && arrived.hasSuffix("\r\n\r\nbody")
        )
    }

    @Test(arguments: [
        ("301 Moved Permanently", "POST", "GET"), ("302 Found", "POST", "GET"), ("303 See Other", "POST", "GET"),
        ("303 See Other", "PUT", "GET"), ("302 Found", "PUT", "PUT"), ("307 Temporary Redirect", "POST", "POST"),
        ("308 Permanent Redirect", "POST", "POST"), ("303 See Other", "GET", "GET"),
    ])
    func `the method after a redirect`(status: String, method: String, expected: String) async throws {
        let server = try LoopbackServer.http { request in
            request.contains(" /a ") ? [Self.redirect(status, "/b")] : [LoopbackServer.response("end")]
        }
        let body = method == "GET" ? nil : Array("body".utf8)
        _ = try await CurlTransport(.loopback).send(
            OutboundRequest(
                method: method, url: server.url + "/a", headers: [("Content-Type", "text/plain")], body: body))
        let second = try #require(server.requests.last)
        #expect(second.hasPrefix("\(expected) /b HTTP/1.1\r\n"))
        #expect(second.hasSuffix("body") == (expected != "GET"))
        #expect(second.contains("Content-Type") == (expected != "GET" || method == "GET"))
    }

    @Test func `a redirect from https to http is refused`() throws {
        let hop = OutboundHop(url: try OutboundURL("https://example.org/"), method: "GET", headers: [], body: nil)
        let plain = OutboundHeaders(["Location": "http://example.org/"])
        do throws(OutboundError) {
            _ = try hop.next(status: 301, headers: plain)
            Issue.record("followed")
        } catch {
            #expect(error.code == .forbiddenRedirect)
        }
        #expect(
            try hop.next(status: 301, headers: OutboundHeaders(["location": "/a"]))?.url.text == "https://example.org/a"
        )
        #expect(try hop.next(status: 200, headers: plain) == nil)
        #expect(try hop.next(status: 304, headers: plain) == nil)
        #expect(try hop.next(status: 302, headers: OutboundHeaders()) == nil)
    }

    @Test func `a key does not come back by a second redirect`() throws {
        let secret = [(name: "Authorization", value: "word")]
        let home = OutboundHop(url: try OutboundURL("https://a.org/"), method: "GET", headers: secret, body: nil)
        let away = try #require(try home.next(status: 302, headers: OutboundHeaders(["Location": "https://b.org/"])))
        let back = try #require(try away.next(status: 302, headers: OutboundHeaders(["Location": "https://a.org/"])))
        #expect(away.headers.isEmpty && back.headers.isEmpty)
        for elsewhere in ["https://a.org:444/", "https://A.org./", "https://sub.a.org/"] {
            let next = try #require(try home.next(status: 302, headers: OutboundHeaders(["Location": elsewhere])))
            #expect(next.headers.isEmpty == (elsewhere != "https://A.org./"), "\(elsewhere)")
        }
    }
}
