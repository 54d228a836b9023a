import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Platform
import TestSupport
import Testing
import server

/// Who asks too much is turned away; who asks for whom is believed only of the proxy.
struct AccessLimitTests {
    @Test func `limits a key, and says when to come again`() async throws {
        let test = try await AccessTestService { $0.requestLimits.key = .init(perSecond: 0.01, burst: 3) }
        try await test.run { client, identity in
            let (first, _) = try await identity.bearer(.user)
            let (second, _) = try await identity.bearer(.user)
            for _ in 0..<3 { #expect(try await client.send(.get, "/api/careers", nil, first).status == .ok) }
            let refused = try await client.send(.get, "/api/careers", nil, first)
            #expect(try HTTPTestProblem(refused).code == "too_many_requests")
            let seconds = try #require(refused.headers[.retryAfter].flatMap { Int($0) })
            #expect((1...100).contains(seconds))
            #expect(try await client.send(.get, "/api/careers", nil, second).status == .ok)
            #expect(try await client.send(.get, "/api/careers").status == .ok)
            #expect(try await client.send(.get, "/livez", nil, first).status == .ok)
        }
    }

    @Test func `limits a user over all of their keys and browsers`() async throws {
        let test = try await AccessTestService { $0.requestLimits.key = .init(perSecond: 0.001, burst: 4) }
        try await test.run { client, identity in
            let ada = try await TestBrowser.signedIn(client, identity)
            let other = try await ada.another(client, identity)
            var credentials = [ada.bare, other.bare]
            for _ in 0..<2 {
                let key = try await identity.createKey(role: .user, userID: ada.id)
                credentials.append([.authorization: "Bearer \(key.secret)"])
            }
            for fields in credentials {
                #expect(try await client.send(.get, "/api/careers", nil, fields).status == .ok)
            }
            for fields in credentials {
                let refused = try await client.send(.get, "/api/careers", nil, fields)
                #expect(try HTTPTestProblem(refused).code == "too_many_requests")
            }
            // Keys that are nobody's have a bucket each.
            for _ in 0..<2 {
                let (program, _) = try await identity.bearer(.service)
                for _ in 0..<4 { #expect(try await client.send(.get, "/api/careers", nil, program).status == .ok) }
                #expect(try await client.send(.get, "/api/careers", nil, program).status == .tooManyRequests)
            }
        }
    }

    @Test func `limits the user of tokens, however many they get`() async throws {
        let folder = try TemporaryDirectory("limits")
        defer { withExtendedLifetime(folder) {} }
        let secret = try TestToken.secretFile(in: folder)
        let test = try await AccessTestService {
            $0.requestLimits.key = .init(perSecond: 0.001, burst: 2)
            $0.tokens.secretFile = secret
        }
        try await test.run { client, _ in
            func status(_ token: String) async throws -> HTTPResponse.Status {
                try await client.send(.get, "/api/careers", nil, [.authorization: "Bearer \(token)"]).status
            }
            var statuses: [Int] = []
            for token in [
                TestToken.ofGrace, TestToken.anotherOfGrace, TestToken.ofGrace, TestToken.anotherOfGrace,
                TestToken.ofHedy,
            ] {
                statuses.append(try await status(token).code)
            }
            #expect(statuses == [200, 200, 429, 429, 200])
        }
    }

    @Test func `limits an address before it is known who asks`() async throws {
        let test = try await AccessTestService(isExposed: false) {
            $0.requestLimits.address = .init(perSecond: 0.01, burst: 2)
            $0.trustedProxy = "127.0.0.1"
        }
        try await test.run(.live) { client, identity in
            func ask(_ forwarded: String, _ fields: HTTPFields = [:]) async throws -> HTTPResponse.Status {
                var fields = fields
                fields[.forwardedFor] = forwarded
                return try await client.send(.get, "/api/quiz/questions", nil, fields).status
            }
            let (admin, _) = try await identity.bearer(.admin)
            #expect(try await ask("198.51.100.1") == .ok)
            // What the client puts in front changes nothing, and wrong keys are counted as well.
            #expect(try await ask("203.0.113.9, 198.51.100.1", [.authorization: "Bearer x"]) == .unauthorized)
            #expect(try await ask("203.0.113.10, 198.51.100.1") == .tooManyRequests)
            #expect(try await ask("198.51.100.1", admin) == .tooManyRequests)
            #expect(try await ask("198.51.100.2") == .ok)
            // A network of IPv6 is one customer.
            #expect(try await ask("2001:db8:1:1::1") == .ok)
            #expect(try await ask("2001:db8:1:1::2") == .ok)
            #expect(try await ask("2001:db8:1:1:ffff::3") == .tooManyRequests)
            #expect(try await ask("2001:db8:1:2::3") == .ok)
            #expect(try await client.send(.get, "/livez", nil, [.forwardedFor: "198.51.100.1"]).status == .ok)
        }
    }

    @Test func `believes nobody but the proxy whom a request is for`() async throws {
        let test = try await AccessTestService {
            $0.requestLimits.address = .init(perSecond: 0.01, burst: 2)
        }
        try await test.run(.live) { client, _ in
            var statuses: [HTTPResponse.Status] = []
            for number in 0..<3 {
                let fields: HTTPFields = [.forwardedFor: "198.51.100.\(number)"]
                statuses.append(try await client.send(.get, "/api/quiz/questions", nil, fields).status)
            }
            #expect(statuses == [.ok, .ok, .tooManyRequests])
        }
    }

    @Test func `turns away at once what is too much at a time, before its body is looked at`() async throws {
        let test = try await AccessTestService { $0.requestLimits.concurrentRequests = 1 }
        let admission = test.service.http.admission
        try await test.run(.live) { client, _ in
            // The client has one connection; this stands for a request of another.
            admission.enter()
            let refused = try await client.send(.post, "/api/quiz/submit?x=1", "not even JSON", [.requestID: "mine"])
            let problem = try HTTPTestProblem(refused)
            #expect(problem.code == "too_many_requests")
            #expect(refused.headers[.retryAfter] == "1" && refused.headers[.requestID] == "mine")
            #expect(refused.headers[.xContentTypeOptions] == "nosniff" && refused.headers[.cacheControl] == "no-store")
            #expect(String(buffer: refused.body).contains(#""instance":"/api/quiz/submit","request_id":"mine""#))
            #expect(try await client.send(.get, "/livez").status == .ok)
            #expect(try await client.send(.get, "/readyz/?x").status == .ok)
            #expect(try await client.send(.head, "/api/careers").status == .tooManyRequests)
            admission.leave()
            #expect(try await client.send(.get, "/api/careers").status == .ok)
        }
        #expect(admission.count == 0 && admission.refused == 2)
    }

    @Test func `nothing is limited by default where only this machine asks`() throws {
        let local = RequestLimits().effective(isExposed: false)
        #expect(local.address == nil && local.key == nil)
        let exposed = RequestLimits().effective(isExposed: true)
        #expect(exposed.address == TokenBucket.Rate(perSecond: 100, burst: 400))
        #expect(exposed.key == TokenBucket.Rate(perSecond: 50, burst: 200))
        var set = RequestLimits()
        set.address = .init(perSecond: 0)
        set.key = .init(perSecond: 2)
        #expect(set.effective(isExposed: true).address == nil)
        #expect(set.effective(isExposed: false).key == TokenBucket.Rate(perSecond: 2, burst: 8))
    }

    @Test(arguments: [
        (0.001, 1), (0.25, 1), (0.5, 2), (250_000, 1_000_000), (250_000.5, 1_000_000), (1_000_000, 1_000_000),
    ])
    func `every rate that can be set has a burst that can be kept`(perSecond: Double, burst: Int) {
        let rate = RequestLimits.Setting(perSecond: perSecond).rate(otherwise: 1, isExposed: true)
        #expect(rate == TokenBucket.Rate(perSecond: perSecond, burst: burst))
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.1.2.3", true), ("10.0.0.0/8", "11.1.2.3", false), ("127.0.0.1", "127.0.0.1", true),
        ("127.0.0.1", "127.0.0.2", false), ("::1, 192.0.2.0/24", "192.0.2.200", true),
        ("2001:db8::/32", "2001:db8:5::", true),
        ("2001:db8::/32", "2001:db9::", false), ("0.0.0.0/0", "::1", false),
    ])
    func `knows which peers are trusted`(text: String, address: String, isTrusted: Bool) throws {
        let proxies = try #require(TrustedProxies(text))
        #expect(proxies.contains(try #require(IPAddress(address))) == isTrusted)
    }

    @Test(arguments: ["", ",", "proxy", "10.0.0.0/33", "10.0.0.1/8", "1.2.3", "10.0.0.0/8,,::1", "10.0.0.0/-1"])
    func `refuses what names no peer`(text: String) { #expect(TrustedProxies(text) == nil) }

    @Test(
        arguments: [
            (["198.51.100.7"], "198.51.100.7"), (["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
            (["1.1.1.1", "198.51.100.7"], "198.51.100.7"), (["198.51.100.7, 10.0.0.9"], "198.51.100.7"),
            (["198.51.100.7:4711"], "198.51.100.7"), (["[2001:db8::7]:443"], "2001:db8::7"),
            (["::ffff:198.51.100.7"], "198.51.100.7"), (["unknown"], "10.0.0.1"), ([""], "10.0.0.1"), ([], "10.0.0.1"),
            (["1.1.1.1, nonsense, 10.0.0.9"], "10.0.0.9"), (["10.0.0.8, 10.0.0.9"], "10.0.0.8"),
        ] as [([String], String)])
    func `takes the last address that no trusted proxy has`(forwarded: [String], client: String) throws {
        let proxies = try #require(TrustedProxies("10.0.0.0/8"))
        let peer = try #require(IPAddress("10.0.0.1"))
        #expect(proxies.client(peer: peer, forwarded: forwarded) == IPAddress(client))
        let stranger = try #require(IPAddress("198.51.100.99"))
        #expect(proxies.client(peer: stranger, forwarded: forwarded) == stranger)
    }
}
