internal import Foundation
internal import Platform
internal import Store

/// Tasks and schedules as JSON, alike in replies and in what commands print.
enum TaskWriter {
    /// - Parameter isWhole: with payload and result, which a list leaves out.
    static func write(_ task: TaskRecord, isWhole: Bool, to json: inout JSONWriter) {
        json.object { json in
            json.field("id", task.id)
            json.field("kind", task.kind)
            json.field("state", task.state.rawValue)
            json.field("unique_key", task.uniqueKey)
            json.field("priority", task.priority)
            json.field("attempts", task.attempts)
            json.field("maximum_attempts", task.maximumAttempts)
            json.field("due_at", task.dueAt)
            json.field("created_at", task.createdAt)
            write("started_at", task.startedAt, to: &json)
            write("finished_at", task.finishedAt, to: &json)
            json.field("worker", task.leaseOwner)
            write("lease_until", task.leaseUntil, to: &json)
            json.field("cancel_requested", task.isCancelRequested)
            write("progress", document: task.progress, to: &json)
            json.field("last_error", task.lastError)
            guard isWhole else { return }
            write("payload", document: task.payload, to: &json)
            write("result", document: task.result, to: &json)
        }
    }

    /// - Parameter next: when it comes due; nil where it does not.
    static func write(_ record: ScheduleRecord, next: Date?, to json: inout JSONWriter) {
        json.object { json in
            json.field("name", record.name)
            json.field("kind", record.schedule.kind)
            json.field("expression", record.schedule.expression)
            json.field("zone", record.schedule.zone)
            json.field("catch_up", record.schedule.catchUp.rawValue)
            json.field("enabled", record.isEnabled)
            write("last_time", record.lastTime, to: &json)
            write("next_time", next, to: &json)
            json.field("updated_at", record.updatedAt)
        }
    }

    static func write(_ enqueued: Enqueued, to json: inout JSONWriter) {
        json.object { json in
            json.field("task_id", enqueued.id)
            json.field("queued", enqueued == .queued(id: enqueued.id))
        }
    }

    static func page(_ items: [TaskRecord], total: Int, skip: Int, limit: Int, to json: inout JSONWriter) {
        json.object { json in
            json.field("items", arrayOf: items) { write($1, isWhole: false, to: &$0) }
            json.field("total", total)
            json.field("skip", skip)
            json.field("limit", limit)
        }
    }

    static func page(_ items: [ScheduleRecord], next: (ScheduleRecord) -> Date?, to json: inout JSONWriter) {
        json.object { json in
            json.field("items", arrayOf: items) { write($1, next: next($1), to: &$0) }
            json.field("total", items.count)
            json.field("skip", 0)
            json.field("limit", max(items.count, 1))
        }
    }

    private static func write(_ name: String, _ date: Date?, to json: inout JSONWriter) {
        json.name(name)
        if let date { json.value(date) } else { json.null() }
    }

    /// What a handler stored: JSON, or its text where that was damaged.
    private static func write(_ name: String, document: String?, to json: inout JSONWriter) {
        json.name(name)
        guard let document else { return json.null() }
        json.value((try? JSONParser.parse(Array(document.utf8))) ?? .string(document))
    }
}
