internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
package import Platform
internal import Store

/// The queue and the schedules: `/api/admin/tasks/`, `/api/admin/schedules/`.
package struct TaskRoutes {
    private static let pageLimit = 200
    private static let skips = 0...Int(Int32.max)
    private static let maximumKindBytes = 200

    private let queue: TaskQueue
    private let scheduler: Scheduler

    package init(queue: TaskQueue, scheduler: Scheduler) {
        self.queue = queue
        self.scheduler = scheduler
    }

    package func add(to router: GuardedRouter) {
        router.get("/api/admin/tasks", .admin) { request, _ in try await list(request) }
        router.get("/api/admin/tasks/{id}", .admin) { request, scope in try await task(request, scope) }
        router.post("/api/admin/tasks/{id}/retry", .admin) { request, scope in try await retry(request, scope) }
        router.post("/api/admin/tasks/{id}/cancel", .admin) { request, scope in try await cancel(request, scope) }
        router.get("/api/admin/schedules", .admin) { request, _ in try await schedules(request) }
        router.patch("/api/admin/schedules/{name}", .admin) { request, scope in try await change(request, scope) }
        router.post("/api/admin/schedules/{name}/run", .admin) { request, scope in try await run(request, scope) }
    }

    // MARK: Tasks

    private func list(_ request: Request) async throws -> Response {
        let (filter, skip, limit) = try request.readQuery { fields in
            (
                TaskFilter(
                    state: fields.choice("state", of: TaskState.self),
                    kind: fields.string("kind", maxBytes: Self.maximumKindBytes)),
                fields.integer("skip", in: Self.skips) ?? 0, fields.integer("limit", in: 1...Self.pageLimit) ?? 50
            )
        }
        let (items, total) = try await queue.tasks.list(filter, skip: skip, limit: limit)
        return .json(headers: [.cacheControl: "no-store"]) {
            TaskWriter.page(items, total: total, skip: skip, limit: limit, to: &$0)
        }
    }

    private func task(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let id = try scope.pathID("id", missing: Self.noTask)
        try request.readQuery { _ in }
        return try await reply(with: id)
    }

    private func reply(with id: String, status: HTTPResponse.Status = .ok) async throws -> Response {
        guard let task = try await queue.tasks.task(id: id) else { throw Self.noTask(id) }
        return .json(status: status, headers: [.cacheControl: "no-store"]) {
            TaskWriter.write(task, isWhole: true, to: &$0)
        }
    }

    private func retry(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let id = try scope.pathID("id", missing: Self.noTask)
        try await request.readNothing(in: scope)
        switch try await queue.retry(id: id) {
        case nil: throw Self.noTask(id)
        case .waiting: return try await reply(with: id)
        case .refused(let state):
            throw HTTPProblem(
                .taskNotRetryable, "The task is \(state.rawValue); only dead and cancelled ones are tried again.")
        case .keyHeld(let other):
            throw HTTPProblem(
                .taskAlreadyQueued, "The task “\(other)” has the same unique key and waits or runs: it does this work.")
        }
    }

    private func cancel(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let id = try scope.pathID("id", missing: Self.noTask)
        try await request.readNothing(in: scope)
        switch try await queue.cancel(id: id) {
        case nil: throw Self.noTask(id)
        case .cancelled: return try await reply(with: id)
        // Its worker hears of it in a second or so.
        case .asked: return try await reply(with: id, status: .accepted)
        case .over(let state):
            throw HTTPProblem(.taskOver, "The task is \(state.rawValue) already; there is nothing to cancel.")
        }
    }

    // MARK: Schedules

    private func schedules(_ request: Request) async throws -> Response {
        try request.readQuery { _ in }
        let items = try await scheduler.schedules.all()
        return .json(headers: [.cacheControl: "no-store"]) {
            TaskWriter.page(items, next: scheduler.next, to: &$0)
        }
    }

    private func change(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let name = try scope.pathID("name", missing: Self.noSchedule)
        let isEnabled = try await request.readFields(in: scope) { fields in
            fields.requiredField("enabled")?.bool() ?? false
        }
        guard let record = try await scheduler.schedules.setEnabled(isEnabled, name: name) else {
            throw Self.noSchedule(name)
        }
        return .json(headers: [.cacheControl: "no-store"]) {
            TaskWriter.write(record, next: scheduler.next(of: record), to: &$0)
        }
    }

    private func run(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let name = try scope.pathID("name", missing: Self.noSchedule)
        try await request.readNothing(in: scope)
        do {
            let enqueued = try await scheduler.queueNow(name)
            return .json(status: .accepted, headers: [.cacheControl: "no-store"]) {
                TaskWriter.write(enqueued, to: &$0)
            }
        } catch TaskError.unknownSchedule {
            throw Self.noSchedule(name)
        }
    }

    // MARK: Problems

    private static func noTask(_ id: String) -> HTTPProblem {
        HTTPProblem(.taskNotFound, "There is no task “\(excerpt(of: id))”; GET /api/admin/tasks/ lists them.")
    }

    private static func noSchedule(_ name: String) -> HTTPProblem {
        HTTPProblem(
            .scheduleNotFound, "There is no schedule “\(excerpt(of: name))”; GET /api/admin/schedules/ lists them.")
    }
}

extension ProblemCode {
    static let taskNotFound = ProblemCode("task_not_found", .notFound, "There is no such task")
    static let scheduleNotFound = ProblemCode("schedule_not_found", .notFound, "There is no such schedule")
    static let taskNotRetryable = ProblemCode("task_not_retryable", .conflict, "The task is not tried again")
    static let taskAlreadyQueued = ProblemCode("task_already_queued", .conflict, "Another task does the same work")
    static let taskOver = ProblemCode("task_over", .conflict, "The task is over")
}

extension Request {
    /// Makes sure that there is nothing to read but an empty object: a field that has no effect would mislead.
    ///
    /// - Throws: as `readFields`.
    func readNothing(in scope: RequestScope) async throws {
        try readQuery { _ in }
        let bytes = try await collectBody(in: scope)
        guard bytes.readableBytes > 0 else { return }
        let body: JSONValue
        do {
            body = try JSONParser.parse(Array(bytes.readableBytesView))
        } catch {
            throw HTTPProblem(.malformedJSON, error.description)
        }
        try FieldReader.read(body, limits: scope.limits) { _ in }
    }
}
