import Platform
import Testing

@Suite(.timeLimit(.minutes(2)))
struct OutboundConditionalTests {
    @Test func `what has not changed is not sent again`() async throws {
        let server = try LoopbackServer.http { request in
            request.contains("If-None-Match: \"v1\"\r\n") && request.contains("If-Modified-Since: Mon\r\n")
                ? [.send("HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\nContent-Length: 99999999\r\n\r\n")]
                : [LoopbackServer.response("body", headers: ["ETag: \"v1\"", "Last-Modified: Mon"])]
        }
        let cache = ConditionalCache(try CurlTransport(.loopback))
        let request = OutboundRequest(url: server.url, maximumBytes: 100)
        for _ in 0..<2 {
            // Until somebody has used the body, nothing is remembered.
            guard case .modified(let response, let validators) = try await cache.fetch(request) else {
                Issue.record("not modified")
                return
            }
            #expect(response.body == Array("body".utf8))
            #expect(validators == OutboundValidators(entityTag: "\"v1\"", lastModified: "Mon"))
            #expect(cache.validators(for: server.url) == nil)
        }
        cache.remember(OutboundValidators(entityTag: "\"v1\"", lastModified: "Mon"), for: server.url)
        guard case .notModified = try await cache.fetch(request) else {
            Issue.record("modified")
            return
        }
        cache.remember(nil, for: server.url)
        guard case .modified = try await cache.fetch(request) else {
            Issue.record("not modified")
            return
        }
    }

    @Test func `not modified without a condition is no answer`() async throws {
        let server = try LoopbackServer.http { _ in [.send("HTTP/1.1 304 Not Modified\r\n\r\n")] }
        let cache = ConditionalCache(try CurlTransport(.loopback))
        let error = await outboundFailure { () throws(OutboundError) in
            _ = try await cache.fetch(OutboundRequest(url: server.url, headers: [("If-None-Match", "\"own\"")]))
        }
        #expect(error?.code == .protocolViolation)
        #expect(server.requests.first?.contains("If-None-Match") == false)
    }

    @Test func `validators that could not be sent back are not kept, nor those of errors`() async throws {
        let server = try LoopbackServer.http { request in
            request.contains("/error")
                ? [LoopbackServer.response("", status: "500 No", headers: ["ETag: \"e\""])]
                : [LoopbackServer.response("", headers: ["ETag: \(String(repeating: "a", count: 2000))"])]
        }
        let cache = ConditionalCache(try CurlTransport(.loopback))
        for path in ["/", "/error"] {
            guard case .modified(_, nil) = try await cache.fetch(OutboundRequest(url: server.url + path)) else {
                Issue.record("kept for \(path)")
                return
            }
        }
    }

    @Test func `the resources remembered are bounded, the oldest go first`() throws {
        let cache = ConditionalCache(try CurlTransport(), maximumResources: 2)
        let validators = OutboundValidators(entityTag: "\"1\"", lastModified: nil)
        for url in ["a", "b", "a", "c"] { cache.remember(validators, for: url) }
        #expect(
            cache.validators(for: "a") != nil && cache.validators(for: "c") != nil && cache.validators(for: "b") == nil)
    }
}
