import HTTPTypes
import HummingbirdTesting
import NIOCore
import Platform
import Testing
import server

/// Stored sessions of people: nobody else reads them or writes in them.
struct AccessSessionTests {
    private static let answers = #"{"answers":{"1":"a"}}"#

    private func submit(_ client: any TestClientProtocol, _ fields: HTTPFields = [:]) async throws -> String {
        let reply = try await client.send(.post, "/api/quiz/submit", Self.answers, fields)
        #expect(reply.status == .created)
        return try reply.text("session_id")
    }

    /// Every way to reach into a session.
    private static func ways(_ session: String) -> [(HTTPRequest.Method, String, String?)] {
        let career = #"{"session_id":"\#(session)","career_id":"registered-nurse"}"#
        return [
            (.get, "/api/results/\(session)", nil),
            (.post, "/api/results/recommend", #"{"session_id":"\#(session)"}"#),
            (.post, "/api/results/save_career", career), (.post, "/api/results/view_career", career),
            (.post, "/api/results/dismiss_career", career), (.post, "/api/results/choose_career", career),
            (.post, "/api/results/save_career", career.dropLast() + #","undo":true}"#),
        ]
    }

    @Test func `a user's session is as if it were not there for others`() async throws {
        try await AccessTestService().run { client, identity in
            let (ada, adaID) = try await identity.bearer(.user)
            let (other, _) = try await identity.bearer(.user)
            let (educator, educatorID) = try await identity.bearer(.educator)
            let session = try await submit(client, ada)
            for (method, path, body) in Self.ways(session) {
                for fields in [[:], other, educator] {
                    let reply = try await client.send(method, path, body, fields)
                    #expect(try HTTPTestProblem(reply).code == "session_not_found", "\(method) \(path)")
                }
            }
            for (method, path, body) in Self.ways(session) {
                for fields in [
                    ada, try await identity.bearer(.service).fields, try await identity.bearer(.admin).fields,
                ] {
                    let reply = try await client.send(method, path, body, fields)
                    #expect(reply.status.kind == .successful, "\(method) \(path): \(String(buffer: reply.body))")
                }
            }
            try await identity.assign(learner: try #require(adaID), to: try #require(educatorID))
            for (method, path, body) in Self.ways(session) {
                let reply = try await client.send(method, path, body, educator)
                #expect(reply.status == (method == .get ? .ok : .notFound), "\(method) \(path)")
            }
        }
    }

    @Test func `what is refused reads as what is missing`() async throws {
        try await AccessTestService().run { client, identity in
            let session = try await submit(client, try await identity.bearer(.user).fields)
            let refused = try await client.send(.get, "/api/results/\(session)")
            let missing = String(session.reversed())
            let absent = try await client.send(.get, "/api/results/\(missing)")
            #expect(refused.status == absent.status)
            let detail = try refused.text("detail").replacing(session, with: missing)
            #expect(try absent.text("detail") == detail)
        }
    }

    @Test func `nobody links what they do to another's recommendation`() async throws {
        try await AccessTestService().run { client, identity in
            func recommend(_ fields: HTTPFields) async throws -> (session: String, recommendation: String) {
                let body = #"{"abilities":[9,9,9,9,9,1,1,1,1,1,1,1,1,1,1]}"#
                let reply = try await client.send(.post, "/api/results/recommend", body, fields)
                return (try reply.text("session_id"), try reply.text("recommendation_id"))
            }
            let (ada, _) = try await identity.bearer(.user)
            let (other, _) = try await identity.bearer(.user)
            let (hers, theirs, nobodys) = (
                try await recommend(ada), try await recommend(other), try await recommend([:])
            )
            let unknown = String(repeating: "0", count: 32)
            for kind in ["save", "view", "dismiss", "choose"] {
                func event(_ recommendation: String, undo: Bool = false) async throws -> TestResponse {
                    let body =
                        #"{"session_id":"\#(theirs.session)","career_id":"registered-nurse","#
                        + #""recommendation_id":"\#(recommendation)""# + (undo ? #","undo":true}"# : "}")
                    return try await client.send(.post, "/api/results/\(kind)_career", body, other)
                }
                let absent = try await event(unknown)
                for recommendation in [hers.recommendation, nobodys.recommendation] {
                    let refused = try await event(recommendation)
                    #expect(refused.status == absent.status && refused.status == .notFound, "\(kind)")
                    #expect(try refused.text("code") == "recommendation_not_found", "\(kind)")
                    // It reads as one that does not exist.
                    let detail = try refused.text("detail").replacing(recommendation, with: unknown)
                    #expect(try absent.text("detail") == detail)
                    guard kind != "view" else { continue }
                    #expect(try await event(recommendation, undo: true).status == .notFound, "\(kind)")
                }
                #expect(try await event(theirs.recommendation).status == .created, "\(kind)")
            }
            let stored = try await client.send(.get, "/api/results/\(theirs.session)", nil, other)
            let text = String(buffer: stored.body)
            #expect(text.contains(theirs.recommendation) && !text.contains(hers.recommendation), "\(text)")
        }
    }

    @Test func `a recommendation belongs to who asked for it`() async throws {
        try await AccessTestService().run { client, identity in
            let (ada, _) = try await identity.bearer(.user)
            let body = #"{"abilities":[9,9,9,9,9,1,1,1,1,1,1,1,1,1,1]}"#
            let session = try await client.send(.post, "/api/results/recommend", body, ada).text("session_id")
            #expect(try await client.send(.get, "/api/results/\(session)", nil, ada).status == .ok)
            #expect(try await client.send(.get, "/api/results/\(session)").status == .notFound)
        }
    }

    @Test func `a session of somebody anonymous is open to who knows its id`() async throws {
        try await AccessTestService().run { client, identity in
            let session = try await submit(client)
            let (service, _) = try await identity.bearer(.service)
            let (ada, _) = try await identity.bearer(.user)
            for (method, path, body) in Self.ways(session) {
                #expect(try await client.send(method, path, body).status.kind == .successful)
                #expect(try await client.send(method, path, body, service).status.kind == .successful)
            }
            #expect(try await client.send(.get, "/api/results/\(session)", nil, ada).status == .ok)
            #expect(try await client.send(.get, "/api/results/\(session)").status == .ok)
        }
    }

    // All that keep something: the first reads, and the fourth looks at a career.
    @Test(arguments: [1, 2, 4, 5, 6])
    func `a session that was begun before signing in is theirs who go on with it`(way: Int) async throws {
        try await AccessTestService().run { client, identity in
            let session = try await submit(client)
            let (ada, _) = try await identity.bearer(.user)
            let (other, _) = try await identity.bearer(.user)
            let (method, path, body) = Self.ways(session)[way]
            #expect(try await client.send(method, path, body, ada).status.kind == .successful)
            for fields in [[:], other] {
                for (method, path, body) in Self.ways(session) {
                    #expect(try await client.send(method, path, body, fields).status == .notFound, "\(method) \(path)")
                }
            }
            #expect(try await client.send(.get, "/api/results/\(session)", nil, ada).status == .ok)
        }
    }

    @Test func `what is refused leaves a session nobody's`() async throws {
        try await AccessTestService().run { client, identity in
            let session = try await submit(client)
            let (ada, _) = try await identity.bearer(.user)
            func body(_ career: String, _ more: String = "") -> String {
                #"{"session_id":"\#(session)","career_id":"\#(career)"\#(more)}"#
            }
            let recommendation = #","recommendation_id":"\#(String(repeating: "0", count: 32))""#
            var refused: [(String, String, HTTPResponse.Status)] = [
                ("recommend", #"{"session_id":"\#(session)","colour":1}"#, .unprocessableContent)
            ]
            for kind in ["save", "view", "dismiss", "choose"] {
                let path = "\(kind)_career"
                refused.append((path, body("no-such-career"), .notFound))
                refused.append((path, body("registered-nurse", recommendation), .notFound))
                refused.append((path, body("registered-nurse", #","colour":1"#), .unprocessableContent))
            }
            for (path, body, status) in refused {
                let reply = try await client.send(.post, "/api/results/\(path)", body, ada)
                #expect(reply.status == status, "\(path) \(body)")
                #expect(try await client.send(.get, "/api/results/\(session)").status == .ok, "\(path) \(body)")
            }
        }
    }

    @Test func `a look at a career, and who writes for others, leave a session nobody's`() async throws {
        try await AccessTestService().run { client, identity in
            let session = try await submit(client)
            let (ada, _) = try await identity.bearer(.user)
            let root = try await TestBrowser.signedIn(client, identity, name: "root", role: .admin)
            var writers: [HTTPFields] = [root.fields]
            for role in [Role.admin, .service] {
                let key = try await identity.createKey(role: role, userID: root.id)
                writers.append([.authorization: "Bearer \(key.secret)"])
            }
            let ways = Self.ways(session)
            var asked: [(Int, HTTPFields)] = [(3, ada)]
            for fields in writers { asked += (1..<ways.count).map { ($0, fields) } }
            for (way, fields) in asked {
                let (method, path, body) = ways[way]
                #expect(try await client.send(method, path, body, fields).status.kind == .successful, "\(path)")
                #expect(try await client.send(.get, "/api/results/\(session)").status == .ok, "\(path)")
            }
        }
    }

    @Test func `a reply that is kept for its idempotency key is not given to another person`() async throws {
        try await AccessTestService().run { client, identity in
            func submit(_ fields: HTTPFields) async throws -> TestResponse {
                var fields = fields
                fields[.idempotencyKey] = "0123456789abcdef"
                return try await client.send(.post, "/api/quiz/submit", Self.answers, fields)
            }
            let (ada, _) = try await identity.bearer(.user)
            let (other, _) = try await identity.bearer(.user)
            let replies = [try await submit(ada), try await submit(other), try await submit([:])]
            #expect(Set(try replies.map { try $0.text("session_id") }).count == 3)
            #expect(replies.allSatisfy { $0.headers[.idempotencyReplayed] == nil })
            let again = try await submit(ada)
            #expect(again.headers[.idempotencyReplayed] == "true")
            #expect(try again.text("session_id") == replies[0].text("session_id"))
        }
    }
}
