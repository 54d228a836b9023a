import HTTPTypes
import HummingbirdTesting
import NIOCore
import Platform
import Store
import Testing
import server

/// Where other machines could reach the service past its proxy, it answers the proxy and this machine alone.
struct AccessProxyTests {
    /// A service that listens on every address of the machine, behind a proxy at 192.0.2.1.
    private static func everywhere(_ host: String = "0.0.0.0") async throws -> AccessTestService {
        try await AccessTestService(hasAdminKey: true) { $0.host = host }
    }

    @Test func `who does not come by the proxy is refused, but for probes`() async throws {
        // The router's test sends from no address at all, which is nobody's.
        try await Self.everywhere().run(.router) { client, identity in
            let admin = try await identity.bearer(.admin).fields
            for (path, fields) in [
                ("/api/careers", [:]), ("/", [:]), ("/metrics", admin), ("/nothing", [:]),
                ("/api/careers", [.forwardedFor: "192.0.2.1"]),
            ] as [(String, HTTPFields)] {
                let reply = try await client.send(.get, path, nil, fields)
                #expect(reply.status == .forbidden, "\(path)")
                #expect(try HTTPTestProblem(reply).code == "proxy_required", "\(path)")
            }
            let form = try await client.form("/sign-in", "email=a%40example.org&password=correct+horse")
            #expect(try HTTPTestProblem(form).code == "proxy_required")
            for probe in ["/livez", "/readyz", "/healthz"] {
                #expect(try await client.send(.get, probe).status != .forbidden, "\(probe)")
            }
        }
    }

    @Test func `this machine's own programs are answered`() async throws {
        try await Self.everywhere("127.0.0.1").run(.live) { client, _ in
            let reply = try await client.send(.get, "/api/careers")
            #expect(reply.status == .ok)
        }
        try await Self.everywhere().run(.live) { client, _ in
            let reply = try await client.send(.get, "/api/careers")
            #expect(reply.status == .ok)
        }
    }

    @Test func `where only this machine reaches the service nobody is asked for a proxy`() async throws {
        try await AccessTestService(isExposed: false).run(.router) { client, _ in
            let reply = try await client.send(.get, "/api/careers")
            #expect(reply.status == .ok)
        }
    }

    @Test(arguments: [
        ("192.0.2.1", true), ("192.0.2.2", false), ("127.0.0.1", true), ("127.9.9.9", true), ("::1", true),
        ("::ffff:127.0.0.1", true), ("::ffff:192.0.2.1", true), ("128.0.0.1", false), ("::2", false),
        // What a tunnel would carry to the loopback interface is not of it.
        ("2002:7f00:1::", false), ("64:ff9b::7f00:1", false),
    ])
    func `knows the proxy and this machine by the address of the connection`(text: String, isTrusted: Bool) async throws
    {
        var settings = ServiceSettings()
        settings.trustedProxy = "192.0.2.1"
        let database = try await SQLiteDatabase.temporary()
        let access = AccessControl(settings: settings, identity: Identity(database: database, cipher: PlainColumns()))
        let peer = try #require(IPAddress(text))
        #expect(access.trusts(peer: peer) == isTrusted)
        #expect(!access.trusts(peer: nil))
        try await database.close()
    }
}
