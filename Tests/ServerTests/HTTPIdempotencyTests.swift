import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Platform
import Store
import Synchronization
import TestSupport
import Testing
import server

/// A service that counts how often each write runs.
private struct CountingService {
    let service: HTTPService
    let writes: Writes

    init() async throws {
        let folder = try TemporaryDirectory("idempotency")
        let path = folder.url.appendingPathComponent("a.db").path
        let database = try await SQLiteDatabase.open(SQLiteSettings(path: path))
        _ = try await SchemaMigrator().migrate(database)
        self.init(Writes(database: database, folder: folder))
    }

    /// A service over the same database, as after a restart.
    init(_ writes: Writes, settings: ServiceSettings = ServiceSettings()) {
        self.writes = writes
        service = HTTPService(
            settings: settings, registry: MetricsRegistry(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        service.makeIdempotent(["/write"], keepingRepliesIn: IdempotencyRepository(writes.database))
        @Sendable func handler(_ request: Request, _ scope: RequestScope) async throws -> Response {
            let body = try await request.readJSON(in: scope)
            writes.effects.add(scope.effectID(for: "thing") ?? "none")
            if let failure = writes.failures.takeFirst() { throw failure }
            return Response.json(status: .created) { $0.value(body) }
        }
        service.router.post("/write") { try await handler($0, $1) }
        service.router.post("/read") { try await handler($0, $1) }
    }
}

/// What the handlers of a `CountingService` did and are to do.
private struct Writes: Sendable {
    let database: any SQLDatabase
    let folder: TemporaryDirectory
    /// The ids that the effects were given, in order.
    let effects = Recorder<String>()
    /// How the next runs fail.
    let failures = Recorder<any Error>()

    /// Makes what came with a key older than it is.
    func age(_ key: String, byHours hours: Double) async throws {
        let time = SQLValue.time(Date(timeIntervalSinceNow: -3_600 * hours))
        _ = try await database.write { connection in
            try connection.execute("UPDATE idempotent_requests SET created_at = ? WHERE key = ?", [time, .text(key)])
        }
    }

    /// Takes the stored replies away, as if the process had ended before it stored them.
    func forget() async throws {
        _ = try await database.write { connection in
            try connection.execute("UPDATE idempotent_requests SET status = NULL, content_type = NULL, body = NULL")
        }
    }
}

private final class Recorder<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])

    func add(_ value: Value) { values.withLock { $0.append(value) } }
    func takeFirst() -> Value? { values.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
    var all: [Value] { values.withLock { $0 } }
}

struct HTTPIdempotencyTests {
    private func send(
        _ client: any TestClientProtocol, _ body: String, key: String?, to path: String = "/write"
    ) async throws -> TestResponse {
        var headers: HTTPFields = [.contentType: "application/json"]
        headers[.idempotencyKey] = key
        return try await client.execute(uri: path, method: .post, headers: headers, body: ByteBuffer(string: body))
    }

    @Test(arguments: [
        ("a", "a"), (#""a""#, "a"), (#""a\"b\\""#, #"a"b\"#), ("!~", "!~"), ("a\"b", "a\"b"),
        (String(repeating: "x", count: 255), String(repeating: "x", count: 255)),
    ])
    func `reads keys with and without quotes`(value: String, key: String) {
        #expect(IdempotencyKey(value)?.text == key)
    }

    @Test(arguments: [
        "", "\"", "\"\"", "a b", "\"a b\"", "é", "\u{7F}", "\"a", "\"a\"b", #""a\b""#, #""a\"#,
        String(repeating: "x", count: 256), "\"" + String(repeating: "x", count: 256) + "\"",
    ])
    func `refuses what is no key`(value: String) {
        #expect(IdempotencyKey(value) == nil)
    }

    @Test func `runs a write once for each key`() async throws {
        let test = try await CountingService()
        let writes = test.writes
        try await test.service.application().test(.router) { client in
            let first = try await send(client, "[1]", key: "a")
            let again = try await send(client, "[1]", key: "\"a\"", to: "/write/")
            #expect(first.status == .created && again.status == .created)
            #expect(String(buffer: again.body) == "[1]")
            #expect(first.headers[.idempotencyReplayed] == nil && again.headers[.idempotencyReplayed] == "true")
            #expect(writes.effects.all.count == 1)
            _ = try await send(client, "[1]", key: "b")
            #expect(Set(writes.effects.all).count == 2)
        }
    }

    @Test func `gives effects an id only where there is a key`() async throws {
        let test = try await CountingService()
        let writes = test.writes
        try await test.service.application().test(.router) { client in
            _ = try await send(client, "[]", key: nil)
            _ = try await send(client, "[]", key: "a", to: "/read")
            _ = try await send(client, "[]", key: "not a key", to: "/read")
            #expect(writes.effects.all == ["none", "none", "none"])
            _ = try await send(client, "[]", key: "a")
            #expect(writes.effects.all.last?.count == 32)
        }
    }

    @Test func `refuses a key with another body`() async throws {
        let test = try await CountingService()
        let writes = test.writes
        try await test.service.application().test(.router) { client in
            _ = try await send(client, "[1]", key: "a")
            let problem = try HTTPTestProblem(try await send(client, "[2]", key: "a"))
            #expect(problem.code == "idempotency_key_reused" && problem.status == 422)
            #expect(writes.effects.all.count == 1)
        }
    }

    @Test func `goes on under the same id after a crash`() async throws {
        let test = try await CountingService()
        let writes = test.writes
        try await test.service.application().test(.router) { client in
            _ = try await send(client, "[1]", key: "a")
            try await writes.forget()
            let again = try await send(client, "[1]", key: "a")
            #expect(again.status == .created && again.headers[.idempotencyReplayed] == nil)
            #expect(writes.effects.all.count == 2 && Set(writes.effects.all).count == 1)
            #expect(try await send(client, "[1]", key: "a").headers[.idempotencyReplayed] == "true")
        }
    }

    @Test func `keeps a refusal and tries a failure again`() async throws {
        let test = try await CountingService()
        let writes = test.writes
        try await test.service.application().test(.router) { client in
            writes.failures.add(HTTPProblem(.conflict, "no"))
            #expect(try HTTPTestProblem(try await send(client, "[1]", key: "a")).code == "conflict")
            let again = try await send(client, "[1]", key: "a")
            #expect(again.status == .conflict && again.headers[.idempotencyReplayed] == "true")
            #expect(again.headers[.contentType] == ProblemDocument.contentType)
            for failure in [CocoaError(.fileNoSuchFile) as any Error, HTTPProblem(.unavailable, "later")] {
                writes.failures.add(failure)
                #expect(try await send(client, "[1]", key: "b").status.code >= 500)
            }
            #expect(try await send(client, "[1]", key: "b").status == .created)
            #expect(Set(writes.effects.all.dropFirst()).count == 1)
        }
    }

    @Test func `does not keep what only this attempt met`() async throws {
        let test = try await CountingService()
        let writes = test.writes
        try await test.service.application().test(.router) { client in
            writes.failures.add(HTTPProblem(.tooManyRequests, "slower"))
            let first = try await send(client, "[1]", key: "a")
            let second = try await send(client, "[1]", key: "a")
            #expect(first.status == .tooManyRequests && second.status == .created)
        }
    }

    @Test func `keeps replies for as long as the settings say`() async throws {
        let test = try await CountingService()
        try await test.service.application().test(.router) { client in
            for key in ["a", "b"] { _ = try await send(client, "[1]", key: key) }
        }
        try await test.writes.age("a", byHours: 47)
        try await test.writes.age("b", byHours: 49)
        var settings = ServiceSettings()
        settings.retention.idempotencyHours = 48
        try await CountingService(test.writes, settings: settings).service.application().test(.router) { client in
            let (kept, gone) = (try await send(client, "[1]", key: "a"), try await send(client, "[1]", key: "b"))
            #expect(kept.headers[.idempotencyReplayed] == "true" && gone.headers[.idempotencyReplayed] == nil)
        }
        try await test.writes.age("a", byHours: 25)
        try await CountingService(test.writes).service.application().test(.router) { client in
            let gone = try await send(client, "[1]", key: "a")
            #expect(gone.headers[.idempotencyReplayed] == nil)
        }
    }

    @Test func `runs one of many at the same time`() async throws {
        let test = try await CountingService()
        let writes = test.writes
        try await test.service.application().test(.router) { client in
            let statuses = try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                for _ in 0..<16 { group.addTask { try await send(client, "[1]", key: "a").status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.allSatisfy { $0 == .created || $0 == .conflict })
            #expect(statuses.contains(.created))
            #expect(writes.effects.all.count == 1)
        }
    }
}
