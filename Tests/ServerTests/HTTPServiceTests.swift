import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Synchronization
import Testing
import server

/// A failure of a layer below, which knows nothing of HTTP.
private struct NoSuchCareer: Error {
    let id: String
}

/// A service with routes that show each behaviour.
struct HTTPTestService {
    let service: HTTPService
    let log = HTTPTestLog()

    init(_ settings: ServiceSettings = ServiceSettings()) {
        let log = log
        let logger = Logger(label: "test") { label in JSONLogHandler(label: label, level: .info) { log.add($0) } }
        let problems = ProblemTable().adding(NoSuchCareer.self) { error in
            HTTPProblem(ProblemCode("no_such_career", .notFound, "No such career"), "There is no `\(error.id)`.")
        }
        service = HTTPService(
            settings: settings, registry: MetricsRegistry(), problems: problems, logger: logger)
        service.router.get("/careers/{id}/") { _, scope in
            let id = try scope.parameters.require("id")
            guard id == "nurse" else { throw NoSuchCareer(id: id) }
            return Response.json { $0.object { $0.field("id", id) } }
        }
        service.router.post("/echo") { request, scope in
            let body = try await request.readJSON(in: scope)
            return Response.json { $0.value(body) }
        }
        service.router.post("/fields") { request, scope in
            let text = try await request.readFields(in: scope) { $0.requiredString("text", maxBytes: 8) }
            return Response.json { $0.object { $0.field("text", text) } }
        }
        service.router.get("/page") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/html; charset=utf-8"],
                body: .init(byteBuffer: ByteBuffer(string: "<p>")))
        }
        service.router.get("/list") { request, _ in
            let (skip, names) = try request.readQuery { query in
                (query.integer("skip", in: 0...1000) ?? 0, query.string("name", maxBytes: 8))
            }
            return Response.json { json in
                json.object { json in
                    json.field("skip", skip)
                    json.field("name", names)
                }
            }
        }
        service.router.get("/broken") { _, _ -> Response in
            throw CocoaError(.fileNoSuchFile, userInfo: ["NSFilePath": "/secret/path"])
        }
        service.router.get("/teapot") { _, _ -> Response in throw HTTPError(.init(code: 418, reasonPhrase: "Teapot")) }
    }
}

final class HTTPTestLog: Sendable {
    private let lines = Mutex<[String]>([])

    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}

/// What a problem document says.
struct HTTPTestProblem {
    let code: String?
    let status: Int?
    let members: JSONObject

    init(_ response: TestResponse) throws {
        #expect(response.headers[.contentType] == "application/problem+json")
        guard case .object(let object) = try JSONParser.parse(Array(response.body.readableBytesView)) else {
            throw JSONSyntaxError(.empty, offset: 0)
        }
        members = object
        if case .string(let code) = object["code"] { self.code = code } else { code = nil }
        if case .integer(let status) = object["status"] { self.status = Int(status) } else { status = nil }
        #expect(status == response.status.code)
        #expect(object["type"] == .string("urn:pathlight:problem:\(code ?? "")"))
        #expect(object["request_id"] == response.headers[.requestID].map { .string($0) })
    }
}

struct HTTPServiceTests {
    private let json: HTTPFields = [.contentType: "application/json"]

    private func post(
        _ client: any TestClientProtocol, _ path: String, _ body: String, headers: HTTPFields? = nil
    ) async throws -> TestResponse {
        try await client.execute(uri: path, method: .post, headers: headers ?? json, body: ByteBuffer(string: body))
    }

    @Test(arguments: ["/careers/nurse", "/careers/nurse/", "/careers/nurse/?a=b", "//careers//nurse//"])
    func `answers with and without a final slash`(path: String) async throws {
        try await HTTPTestService().service.application().test(.router) { client in
            let response = try await client.execute(uri: path, method: .get)
            #expect(response.status == .ok)
            #expect(String(buffer: response.body) == #"{"id":"nurse"}"#)
        }
    }

    @Test func `names the methods of the route that would answer, not of one that it hides`() async throws {
        let test = HTTPTestService()
        test.service.router.post("/careers/best") { _, _ in Response(status: .ok) }
        try await test.service.application().test(.router) { client in
            let response = try await client.execute(uri: "/careers/best", method: .put)
            #expect(response.status == .methodNotAllowed)
            #expect(
                response.headers[.allow]?.contains("POST") == true && response.headers[.allow]?.contains("GET") == false
            )
        }
    }

    @Test func `turns typed errors into their problem`() async throws {
        try await HTTPTestService().service.application().test(.router) { client in
            let problem = try HTTPTestProblem(try await client.execute(uri: "/careers/x/?q=private", method: .get))
            #expect(problem.code == "no_such_career")
            #expect(problem.status == 404)
            #expect(problem.members["detail"] == .string("There is no `x`."))
            #expect(problem.members["instance"] == .string("/careers/x/"))
        }
    }

    @Test func `tells nobody what went wrong inside, but logs it with the request's id`() async throws {
        let test = HTTPTestService()
        try await test.service.application().test(.router) { client in
            let response = try await client.execute(
                uri: "/broken", method: .get, headers: [.requestID: "my-id-1"])
            let problem = try HTTPTestProblem(response)
            #expect(problem.code == "internal_error")
            #expect(response.headers[.requestID] == "my-id-1")
            #expect(!String(buffer: response.body).contains("secret"))
        }
        let line = try #require(test.log.all.first { $0.contains("request failed") })
        #expect(line.contains("\"request_id\":\"my-id-1\""))
        #expect(line.contains("secret"))
    }

    @Test func `keeps the status of a framework's error`() async throws {
        try await HTTPTestService().service.application().test(.router) { client in
            let problem = try HTTPTestProblem(try await client.execute(uri: "/teapot", method: .get))
            #expect(problem.code == "http_418")
            #expect(problem.status == 418)
        }
    }

    @Test func `knows an unknown path from an unknown method`() async throws {
        try await HTTPTestService().service.application().test(.router) { client in
            let missing = try HTTPTestProblem(try await client.execute(uri: "/nothing/here", method: .get))
            #expect(missing.code == "not_found")
            let response = try await client.execute(uri: "/careers/nurse/", method: .delete)
            #expect(try HTTPTestProblem(response).code == "method_not_allowed")
            #expect(response.headers[.allow] == "GET, HEAD, OPTIONS")
            let get = try await client.execute(uri: "/echo", method: .get)
            #expect(get.status == .methodNotAllowed)
            #expect(get.headers[.allow] == "OPTIONS, POST")
        }
    }

    @Test func `answers OPTIONS and HEAD`() async throws {
        try await HTTPTestService().service.application().test(.router) { client in
            let options = try await client.execute(uri: "/echo/", method: .options)
            #expect(options.status == .noContent)
            #expect(options.headers[.allow] == "OPTIONS, POST")
            #expect(try await client.execute(uri: "/nothing", method: .options).status == .notFound)
            let head = try await client.execute(uri: "/careers/nurse", method: .head)
            #expect(head.status == .ok)
            #expect(head.body.readableBytes == 0)
            #expect(head.headers[.contentLength] == "14")
            let missing = try await client.execute(uri: "/nothing", method: .head)
            #expect(missing.status == .notFound)
            #expect(missing.body.readableBytes == 0)
        }
    }

    @Test func `gives each request an id and keeps a sane one`() async throws {
        try await HTTPTestService().service.application().test(.router) { client in
            let first = try await client.execute(uri: "/page", method: .get).headers[.requestID]
            let second = try await client.execute(uri: "/page", method: .get).headers[.requestID]
            #expect(first?.count == 32)
            #expect(first != second)
            for bad in ["", "a b", String(repeating: "x", count: 129), "é"] {
                let response = try await client.execute(uri: "/page", method: .get, headers: [.requestID: bad])
                #expect(response.headers[.requestID]?.count == 32)
            }
        }
    }

    @Test func `adds security headers`() async throws {
        // Written out: a policy that gets weaker must not pass because both sides did.
        let ofPages: Set = [
            "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'",
            "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
        ]
        let ofData: Set = ["default-src 'none'", "frame-ancestors 'none'"]
        try await HTTPTestService().service.application().test(.router) { client in
            func policy(_ reply: TestResponse) -> [String] {
                (reply.headers[.contentSecurityPolicy] ?? "").split(separator: "; ").map(String.init)
            }
            let page = try await client.execute(uri: "/page", method: .get)
            #expect(page.headers[.xContentTypeOptions] == "nosniff")
            #expect(Set(policy(page)) == ofPages && policy(page).count == ofPages.count)
            #expect(page.headers[.referrerPolicy] == "same-origin")
            let data = try await client.execute(uri: "/careers/nurse", method: .get)
            #expect(Set(policy(data)) == ofData && policy(data).count == ofData.count)
            #expect(data.headers[.referrerPolicy] == "no-referrer")
            let error = try await client.execute(uri: "/nothing", method: .get)
            #expect(error.headers[.xContentTypeOptions] == "nosniff")
        }
    }

    @Test(arguments: [
        ("{", "malformed_json", 400), ("", "malformed_json", 400), ("{\"a\":1e999}", "malformed_json", 400),
        ("{\"a\":1,\"a\":2}", "malformed_json", 400), (String(repeating: "[", count: 100_000), "malformed_json", 400),
        ("\"\\ud800\"", "malformed_json", 400),
    ])
    func `refuses malformed JSON`(body: String, code: String, status: Int) async throws {
        try await HTTPTestService().service.application().test(.router) { client in
            let problem = try HTTPTestProblem(try await post(client, "/echo", body))
            #expect(problem.code == code)
            #expect(problem.status == status)
        }
    }

    @Test func `lists the fields that are wrong`() async throws {
        try await HTTPTestService().service.application().test(.router) { client in
            #expect(try await post(client, "/fields", #"{"text":"abc"}"#).status == .ok)
            let problem = try HTTPTestProblem(try await post(client, "/fields", #"{"txt":"abc"}"#))
            #expect(problem.code == "invalid_fields")
            #expect(problem.status == 422)
            guard case .array(let errors) = problem.members["errors"] else {
                Issue.record("no errors")
                return
            }
            #expect(errors.count == 2)
        }
    }

    @Test(arguments: [
        ("", #"{"skip":0,"name":null}"#), ("?skip=5&name=a+b%C3%A9", #"{"skip":5,"name":"a bé"}"#),
        ("?skip=&name=", #"{"skip":0,"name":null}"#), ("?", #"{"skip":0,"name":null}"#),
    ])
    func `reads a query`(query: String, reply: String) async throws {
        try await HTTPTestService().service.application().test(.router) { client in
            let response = try await client.execute(uri: "/list/" + query, method: .get)
            #expect(String(buffer: response.body) == reply)
        }
    }

    @Test(arguments: [
        ("?skip=x", "skip: must be a whole number, not `x`"), ("?skip=-1", "skip: must be from 0 to 1000, not -1"),
        ("?skip=1&skip=2", "skip: is given twice"), ("?skp=1", "skp: unknown field `skp`; did you mean `skip`?"),
        ("?name=%FF", "name: is not percent-encoded UTF-8"),
        ("?name=123456789", "name: must have at most 8 bytes of UTF-8, not 9"),
    ])
    func `says what is wrong with a query`(query: String, detail: String) async throws {
        try await HTTPTestService().service.application().test(.router) { client in
            let problem = try HTTPTestProblem(try await client.execute(uri: "/list" + query, method: .get))
            #expect(problem.code == "invalid_fields")
            #expect(problem.members["detail"] == .string(detail))
        }
    }

    @Test(arguments: [
        ("application/json", true), ("application/json; charset=utf-8", true), ("Application/JSON;charset=UTF-8", true),
        ("application/vnd.x+json", true), ("application/json; charset=latin1", false), ("text/plain", false),
        ("application/x-www-form-urlencoded", false), ("", false), (nil, false),
    ])
    func `takes only JSON bodies`(type: String?, isTaken: Bool) async throws {
        try await HTTPTestService().service.application().test(.router) { client in
            let response = try await post(client, "/echo", "[]", headers: type.map { [.contentType: $0] } ?? [:])
            #expect(response.status == (isTaken ? .ok : .unsupportedMediaType))
            if !isTaken { #expect(try HTTPTestProblem(response).code == "unsupported_media_type") }
        }
    }

    @Test func `refuses a body above the limit`() async throws {
        var settings = ServiceSettings()
        settings.limits.bodyBytes = 1024
        try await HTTPTestService(settings).service.application().test(.router) { client in
            let fits = "\"" + String(repeating: "x", count: 1022) + "\""
            #expect(try await post(client, "/echo", fits).status == .ok)
            let problem = try HTTPTestProblem(try await post(client, "/echo", fits + " "))
            #expect(problem.code == "body_too_large")
            #expect(problem.status == 413)
        }
    }

    @Test func `logs and counts requests by route, never by path`() async throws {
        let test = HTTPTestService()
        try await test.service.application().test(.router) { client in
            _ = try await client.execute(uri: "/careers/nurse?q=private", method: .get)
            _ = try await client.execute(uri: "/careers/secret", method: .get)
            _ = try await client.execute(uri: "/private/path", method: .init("BREW") ?? .get)
            let metrics = String(buffer: try await client.execute(uri: "/metrics/", method: .get).body)
            #expect(metrics.contains(#"http_requests_total{method="GET",route="/careers/{id}",status="200"} 1"#))
            #expect(metrics.contains(#"http_requests_total{method="GET",route="/careers/{id}",status="404"} 1"#))
            #expect(metrics.contains(#"http_requests_total{method="OTHER",route="unmatched",status="404"} 1"#))
            #expect(metrics.contains("# HELP http_request_duration_seconds "))
            #expect(metrics.contains("http_requests_in_flight 1\n"))
            #expect(!metrics.contains("nurse"))
        }
        let lines = test.log.all.filter { $0.contains("\"message\":\"request\"") }
        #expect(lines.count == 4)
        #expect(lines.allSatisfy { !$0.contains("private") && !$0.contains("secret") && $0.contains("\"ms\":") })
    }

    @Test func `cancels a handler that takes too long`() async throws {
        let test = HTTPTestService()
        let (entered, enter) = AsyncStream.makeStream(of: Void.self)
        let (never, hold) = AsyncStream.makeStream(of: Void.self)
        test.service.router.get("/slow") { _, scope -> Response in
            enter.finish()
            for await _ in never {}
            try Task.checkCancellation()
            return Response(status: .ok)
        }
        let deadlines = test.service.deadlines
        try await test.service.application().test(.router) { client in
            async let response = client.execute(uri: "/slow", method: .get)
            for await _ in entered {}
            deadlines.sweep(now: .now)
            #expect(deadlines.count == 1)
            deadlines.sweep(now: .now + .seconds(60))
            let problem = try HTTPTestProblem(try await response)
            #expect(problem.code == "deadline_exceeded")
            #expect(problem.status == 503)
            #expect(deadlines.count == 0)
        }
        hold.finish()
    }
}
