import Platform
import Testing

@Suite(.timeLimit(.minutes(2)))
struct OutboundTransportTests {
    @Test func `a request goes out as it is and its answer comes back`() async throws {
        let server = try LoopbackServer.http { _ in
            [LoopbackServer.response("hello", headers: ["X-Two: a", "x-two:  b ", "ETag: \"1\""])]
        }
        let transport = try CurlTransport(.loopback)
        let response = try await transport.send(
            OutboundRequest(
                method: "post", url: server.url + "/a?b=c#d", headers: [("X-One", "1"), ("X-Empty", "")],
                body: Array("body\0!".utf8)))
        #expect(response.status == 200 && String(decoding: response.body, as: UTF8.self) == "hello")
        #expect(response.headers.values(of: "X-TWO") == ["a", "b"] && response.headers["etag"] == "\"1\"")
        #expect(response.headers["absent"] == nil && response.url == server.url + "/a?b=c")
        let request = try #require(server.requests.first)
        #expect(request.hasPrefix("POST /a?b=c HTTP/1.1\r\n") && request.hasSuffix("\r\n\r\nbody\0!"))
        #expect(request.contains("\r\nX-One: 1\r\n") && request.contains("\r\nX-Empty:\r\n"))
        #expect(request.contains("\r\nUser-Agent: Pathlight\r\n") && request.contains("\r\nAccept-Encoding: gzip\r\n"))
        let lowered = request.lowercased()
        #expect(!lowered.contains("expect:") && !lowered.contains("content-type:"))
    }

    @Test(arguments: ["GET", "DELETE", "PUT", "PATCH", "OPTIONS"])
    func `a method without body is sent as such`(method: String) async throws {
        let server = try LoopbackServer.http { _ in [LoopbackServer.response("ok")] }
        let response = try await CurlTransport(.loopback).send(OutboundRequest(method: method, url: server.url))
        #expect(response.status == 200)
        #expect(server.requests.first?.hasPrefix("\(method) / HTTP/1.1\r\n") == true)
    }

    @Test func `the answer to HEAD has a length and no body`() async throws {
        let server = try LoopbackServer.http { _ in [.send("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")] }
        let response = try await CurlTransport(.loopback).send(
            OutboundRequest(method: "HEAD", url: server.url, maximumBytes: 10))
        #expect(response.body.isEmpty && response.headers["content-length"] == "99999999")
    }

    @Test func `an error status is an answer and no error`() async throws {
        let server = try LoopbackServer.http { _ in [LoopbackServer.response("slow", status: "429 Too Many Requests")] }
        let response = try await CurlTransport(.loopback).send(OutboundRequest(url: server.url))
        #expect(response.status == 429 && response.body == Array("slow".utf8))
    }

    @Test func `a compressed body is decompressed`() async throws {
        let text = Array(String(repeating: "compressed ", count: 100).utf8)
        let body = HandmadeGzip.stored(text)
        let server = try LoopbackServer.http { _ in
            [.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(body.count)\r\n\r\n"), .send(body)]
        }
        let response = try await CurlTransport(.loopback).send(OutboundRequest(url: server.url))
        #expect(response.body == text)
    }

    @Test func `interim answers are not the answer`() async throws {
        let server = try LoopbackServer.http { _ in
            [.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), LoopbackServer.response("ok")]
        }
        let response = try await CurlTransport(.loopback).send(OutboundRequest(url: server.url))
        #expect(response.status == 200 && response.headers["link"] == nil)
    }

    @Test func `a hundred transfers at once each get their own answer`() async throws {
        let server = try LoopbackServer.http { request in
            [LoopbackServer.response(String(request.split(separator: " ")[1]))]
        }
        let transport = try CurlTransport(.loopback)
        let url = server.url
        try await withThrowingTaskGroup(of: (Int, String).self) { group in
            for number in 0..<100 {
                group.addTask {
                    let response = try await transport.send(OutboundRequest(url: "\(url)/\(number)"))
                    return (number, String(decoding: response.body, as: UTF8.self))
                }
            }
            for try await (number, body) in group { #expect(body == "/\(number)") }
        }
        let statistics = transport.statistics
        #expect(statistics.transfers == ["ok": 100] && statistics.underWay == 0 && statistics.waiting == 0)
        #expect(statistics.receivedBytes == (0..<100).reduce(0) { $0 + "/\($1)".utf8.count })
    }

    @Test func `a configured proxy gets the request, and written private addresses are still refused`() async throws {
        let proxy = try LoopbackServer.http { _ in [LoopbackServer.response("by proxy")] }
        let transport = try CurlTransport(OutboundSettings(proxy: proxy.url))
        let response = try await transport.send(OutboundRequest(url: "http://name.invalid/a"))
        #expect(response.body == Array("by proxy".utf8))
        #expect(proxy.requests.first?.hasPrefix("GET http://name.invalid/a HTTP/1.1\r\n") == true)
        let error = await outboundFailure { () throws(OutboundError) in
            _ = try await transport.send(OutboundRequest(url: "http://0x7f.1/"))
        }
        #expect(error?.code == .forbiddenAddress && proxy.requests.count == 1)
    }
}
