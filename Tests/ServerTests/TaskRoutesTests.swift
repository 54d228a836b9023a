import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Platform
import Store
import TestSupport
import Testing
import server

/// The administration of tasks and schedules, on a queue that nobody works on.
struct TaskRoutesTests {
    private struct Scene: Sendable {
        let queue: TaskQueue
        let client: any TestClientProtocol

        func object(_ response: TestResponse) throws -> JSONObject {
            let value = try parsed(String(buffer: response.body))
            guard case .object(let object) = value else {
                Issue.record("no object but \(value.typeName)")
                return JSONObject()
            }
            return object
        }

        func parsed(_ text: String) throws -> JSONValue { try JSONParser.parse(Array(text.utf8)) }

        func get(_ path: String) async throws -> (HTTPResponse.Status, JSONObject) {
            let response = try await client.send(.get, path)
            return (response.status, try object(response))
        }

        func send(
            _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil
        ) async throws -> (HTTPResponse.Status, JSONObject) {
            let response = try await client.send(method, path, body)
            return (response.status, try object(response))
        }
    }

    private func withScene(_ body: @escaping @Sendable (Scene) async throws -> Void) async throws {
        let folder = try TemporaryDirectory("task-routes")
        let database = try await SQLiteDatabase.open(SQLiteSettings(path: folder.file("a.db").path))
        _ = try await SchemaMigrator().migrate(database)
        let queue = TaskQueue(TaskRepository(database))
        let nightly = Schedule(
            name: "nightly", kind: "k", expression: "0 3 * * *", zone: "Europe/Berlin", payload: #"{"all":true}"#)
        let scheduler = try Scheduler(queue, schedules: ScheduleRepository(database), defined: [nightly])
        try await scheduler.define()
        let service = HTTPService(
            settings: ServiceSettings(), registry: MetricsRegistry(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        TaskRoutes(queue: queue, scheduler: scheduler).add(to: service.routes)
        try await service.application().test(.router) { try await body(Scene(queue: queue, client: $0)) }
        try await database.close()
    }

    @Test func `tasks are listed without and shown with their payload`() async throws {
        try await withScene { scene in
            let id = try await scene.queue.enqueue(kind: "k", payload: #"{"user":"7"}"#, priority: 2).id
            try await scene.queue.enqueue(kind: "other")
            let (status, list) = try await scene.get("/api/admin/tasks/?kind=k&state=waiting&limit=1")
            #expect(status == .ok && list["total"] == .integer(1) && list["limit"] == .integer(1))
            guard case .array(let items)? = list["items"], case .object(let item)? = items.first else {
                Issue.record("no items in \(list)")
                return
            }
            #expect(item["id"] == .string(id) && item["state"] == .string("waiting") && item["priority"] == .integer(2))
            #expect(item["payload"] == nil && item["started_at"] == .null)
            let (_, task) = try await scene.get("/api/admin/tasks/\(id)")
            #expect(task["payload"] == (try scene.parsed(#"{"user":"7"}"#)) && task["result"] == .null)
            #expect(try await scene.get("/api/admin/tasks/0000").0 == .notFound)
            #expect(try await scene.get("/api/admin/tasks/?state=lost").0 == .unprocessableContent)
            #expect(try await scene.get("/api/admin/tasks/?limit=0").0 == .unprocessableContent)
        }
    }

    @Test func `a task is cancelled and tried again, and what cannot be is a conflict`() async throws {
        try await withScene { scene in
            let id = try await scene.queue.enqueue(kind: "k", uniqueKey: "u").id
            let refused = try await scene.send(.post, "/api/admin/tasks/\(id)/retry")
            #expect(refused.0 == .conflict && refused.1["code"] == .string("task_not_retryable"))
            let cancelled = try await scene.send(.post, "/api/admin/tasks/\(id)/cancel/", "{}")
            #expect(cancelled.0 == .ok && cancelled.1["state"] == .string("cancelled"))
            let over = try await scene.send(.post, "/api/admin/tasks/\(id)/cancel")
            #expect(over.0 == .conflict && over.1["code"] == .string("task_over"))
            let other = try await scene.queue.enqueue(kind: "k", uniqueKey: "u").id
            let held = try await scene.send(.post, "/api/admin/tasks/\(id)/retry")
            #expect(held.0 == .conflict && held.1["code"] == .string("task_already_queued"))
            _ = try await scene.queue.tasks.take(kinds: ["k"], limit: 1, owner: "w", for: 60)
            let asked = try await scene.send(.post, "/api/admin/tasks/\(other)/cancel")
            #expect(asked.0 == .accepted && asked.1["cancel_requested"] == .bool(true))
            #expect(asked.1["worker"] == .string("w"))
            for path in ["/api/admin/tasks/0000/cancel", "/api/admin/tasks/0000/retry"] {
                let missing = try await scene.send(.post, path)
                #expect(missing.0 == .notFound && missing.1["code"] == .string("task_not_found"))
            }
            let unknown = try await scene.send(.post, "/api/admin/tasks/\(id)/retry", #"{"force":true}"#)
            #expect(unknown.0 == .unprocessableContent)
        }
    }

    @Test func `a schedule is shown, switched and queued by hand`() async throws {
        try await withScene { scene in
            let (_, list) = try await scene.get("/api/admin/schedules/")
            guard case .array(let items)? = list["items"], case .object(let item)? = items.first else {
                Issue.record("no items in \(list)")
                return
            }
            #expect(item["name"] == .string("nightly") && item["zone"] == .string("Europe/Berlin"))
            #expect(item["enabled"] == .bool(true) && item["next_time"] != .null && item["last_time"] == .null)
            let off = try await scene.send(.patch, "/api/admin/schedules/nightly/", #"{"enabled":false}"#)
            #expect(off.0 == .ok && off.1["enabled"] == .bool(false) && off.1["next_time"] == .null)
            let bare = try await scene.send(.patch, "/api/admin/schedules/nightly/", "{}")
            #expect(bare.0 == .unprocessableContent)
            let first = try await scene.send(.post, "/api/admin/schedules/nightly/run")
            #expect(first.0 == .accepted && first.1["queued"] == .bool(true))
            let again = try await scene.send(.post, "/api/admin/schedules/nightly/run")
            #expect(again.1["queued"] == .bool(false) && again.1["task_id"] == first.1["task_id"])
            for (method, path) in [
                (HTTPRequest.Method.post, "/api/admin/schedules/daily/run"), (.patch, "/api/admin/schedules/daily"),
            ] {
                let missing = try await scene.send(method, path, method == .patch ? #"{"enabled":true}"# : nil)
                #expect(missing.0 == .notFound && missing.1["code"] == .string("schedule_not_found"))
            }
        }
    }
}
