import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing
import server

struct HTTPEntityTagTests {
    @Test func `equal bytes have equal tags, others have others`() {
        let tag = EntityTag.strong(of: ByteBuffer(string: "abc"))
        #expect(tag == "\"ba7816bf8f01cfea414140de5dae2223\"")
        #expect(tag == EntityTag.strong(of: ByteBuffer(string: "abc")))
        #expect(tag != EntityTag.strong(of: ByteBuffer(string: "abd")))
    }

    @Test(arguments: [
        ("*", true), (" *", true), (#""a""#, true), (#"W/"a""#, true), (#""b","a""#, true), (#""b" , W/"a""#, true),
        (#""x,y", "a""#, true), (#""", "a""#, true), (#""b",,"a""#, true), (#""b""#, false), ("a", false),
        ("", false), ("\"", false), (#""a"#, false), (#"w/"a""#, false), (#"b, "a""#, false), (#""A""#, false),
        ("W/", false), (",", false),
    ])
    func `compares weakly with each tag of a list`(condition: String, isMatch: Bool) {
        #expect(EntityTag.matches(#""a""#, ifNoneMatch: condition) == isMatch)
        #expect(EntityTag.matches(#"W/"a""#, ifNoneMatch: condition) == isMatch)
    }

    @Test func `answers 304 without content`() async throws {
        try await HTTPTestService().service.application().test(.router) { client in
            let full = try await client.execute(uri: "/careers/nurse", method: .get)
            let tag = try #require(full.headers[.eTag])
            #expect(full.headers[.cacheControl] == "no-cache")
            for method in [HTTPRequest.Method.get, .head] {
                let unchanged = try await client.execute(
                    uri: "/careers/nurse", method: method, headers: [.ifNoneMatch: tag])
                #expect(unchanged.status == .notModified)
                #expect(unchanged.body.readableBytes == 0)
                #expect(unchanged.headers[.eTag] == tag)
                #expect(unchanged.headers[.contentType] == nil)
                #expect(unchanged.headers[.contentSecurityPolicy] == full.headers[.contentSecurityPolicy])
            }
        }
    }

    @Test func `keeps what a page's security rests on`() async throws {
        try await HTTPTestService().service.application().test(.router) { client in
            let unchanged = try await client.execute(uri: "/page", method: .get, headers: [.ifNoneMatch: "*"])
            #expect(unchanged.status == .notModified)
            #expect(unchanged.headers[.contentSecurityPolicy] == SecurityHeadersMiddleware.pagePolicy)
        }
    }

    @Test func `tags neither problems nor writes nor what nobody may keep`() async throws {
        try await HTTPTestService().service.application().test(.router) { client in
            let missing = try await client.execute(uri: "/careers/x", method: .get, headers: [.ifNoneMatch: "*"])
            #expect(missing.status == .notFound && missing.headers[.eTag] == nil)
            let metrics = try await client.execute(uri: "/metrics", method: .get, headers: [.ifNoneMatch: "*"])
            #expect(metrics.status == .ok && metrics.headers[.eTag] == nil)
            let write = try await client.execute(
                uri: "/echo", method: .post, headers: [.contentType: "application/json", .ifNoneMatch: "*"],
                body: ByteBuffer(string: "[]"))
            #expect(write.status == .ok && write.headers[.eTag] == nil)
        }
    }
}
