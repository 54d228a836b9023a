package import Foundation

/// The queue of work that outlives a request: storing tasks, and looking at them.
///
/// Times are those of `clock`; leases of several processes agree as far as their clocks do. A clock that was ahead and was
/// set right leaves times behind that are too far in the future: leases of such times are cut to what one lasts, and
/// `mendTimes` moves the tasks that wait for them.
package struct TaskRepository: Sendable {
    /// What the clocks of two processes may differ by.
    package static let clockTolerance: TimeInterval = 300
    /// No lease is given for longer.
    package static let longestLease: TimeInterval = 3600

    package let database: any SQLDatabase
    let clock: @Sendable () -> Date
    let makeID: @Sendable () -> String

    /// - Parameter makeID: gives a new, unguessable id each time, for tasks and leases.
    package init(
        _ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() },
        makeID: @escaping @Sendable () -> String = { RandomID.make() }
    ) {
        self.database = database
        self.clock = clock
        self.makeID = makeID
    }

    /// The time by the clock that due times and leases are compared with.
    package func now() -> Date { clock() }

    // MARK: Queueing

    /// Stores a task, unless one with its unique key waits or runs.
    package func enqueue(_ task: NewTask) async throws -> Enqueued {
        try await database.write { try enqueue(task, in: $0) }
    }

    /// As `enqueue`, in a transaction of the caller's, with which the task comes or does not.
    package func enqueue(_ task: NewTask, in connection: any SQLConnection) throws -> Enqueued {
        let id = makeID()
        let now = clock()
        let isNew =
            try connection.execute(
                """
                INSERT INTO tasks (
                    id, kind, payload, unique_key, priority, state, attempts, maximum_attempts, due_at,
                    cancel_requested, created_at
                ) VALUES (?, ?, ?, ?, ?, 'waiting', 0, ?, ?, 0, ?)
                ON CONFLICT (unique_key) WHERE state IN ('waiting', 'running') DO NOTHING
                """,
                [
                    .text(id), .text(task.kind), .text(task.payload), .optionalText(task.uniqueKey),
                    .int(task.priority), .int(task.maximumAttempts), .time(task.dueAt ?? now), .time(now),
                ]) == 1
        if isNew { return .queued(id: id) }
        guard let key = task.uniqueKey, let holder = try Self.holder(of: key, in: connection) else {
            throw StoreError(.other, "a task was not stored, though no other has its unique key")
        }
        return .alreadyQueued(id: holder)
    }

    /// The task that waits or runs with a unique key.
    static func holder(of key: String, in connection: any SQLConnection) throws -> String? {
        try connection.first(
            "SELECT id FROM tasks WHERE unique_key = ? AND state IN ('waiting', 'running')", [.text(key)]
        )?.text("id")
    }

    // MARK: Looking

    /// A task, or nil.
    package func task(id: String) async throws -> TaskRecord? {
        try await database.read { connection in
            try connection.first("SELECT \(TaskRecord.columns) FROM tasks WHERE id = ?", [.text(id)])
                .map(TaskRecord.init)
        }
    }

    /// A page of the tasks that a filter lets through, newest first, and how many there are of them in all.
    package func list(
        _ filter: TaskFilter = TaskFilter(), skip: Int = 0, limit: Int
    ) async throws -> (items: [TaskRecord], total: Int) {
        var conditions: [String] = []
        var arguments: [SQLValue] = []
        if let state = filter.state {
            conditions.append("state = ?")
            arguments.append(.text(state.rawValue))
        }
        if let kind = filter.kind {
            conditions.append("kind = ?")
            arguments.append(.text(kind))
        }
        let condition = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        return try await database.read { [arguments] connection in
            let total = try connection.first("SELECT COUNT(*) AS total FROM tasks\(condition)", arguments)
            let rows = try connection.query(
                """
                SELECT \(TaskRecord.columns) FROM tasks\(condition)
                ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
                """, arguments + [.int(limit), .int(skip)])
            return (try rows.map(TaskRecord.init), try total?.int("total") ?? 0)
        }
    }

    /// How many tasks there are of each kind and state, ordered by both.
    package func counts() async throws -> [TaskCount] {
        try await database.read { connection in
            let rows = try connection.query(
                "SELECT kind, state, COUNT(*) AS total FROM tasks GROUP BY kind, state ORDER BY kind, state")
            return try rows.map {
                TaskCount(kind: try $0.text("kind"), state: try $0.taskState("state"), count: try $0.int("total"))
            }
        }
    }

    /// Seconds for which the task that is due the longest has been waiting; 0 where none is due.
    package func oldestDueAge() async throws -> TimeInterval {
        let now = clock()
        let oldest = try await database.read { connection in
            try connection.first(
                "SELECT MIN(due_at) AS oldest FROM tasks WHERE state = 'waiting' AND due_at <= ?", [.time(now)]
            )?.optionalTime("oldest")
        }
        return oldest.map { now.timeIntervalSince($0) } ?? 0
    }

    // MARK: Steering

    /// Cancels a task that waits, and asks the worker of one that runs to stop.
    ///
    /// - Returns: nil where there is no such task.
    package func cancel(id: String) async throws -> TaskCancellation? {
        let now = clock()
        return try await database.write { connection in
            let row = try connection.first("SELECT state FROM tasks WHERE id = ?", [.text(id)])
            guard let row else { return nil }
            let state = try row.taskState("state")
            switch state {
            case .waiting:
                try connection.execute(
                    "UPDATE tasks SET state = 'cancelled', cancel_requested = 1, finished_at = ? WHERE id = ?",
                    [.time(now), .text(id)])
                return .cancelled
            case .running:
                try connection.execute("UPDATE tasks SET cancel_requested = 1 WHERE id = ?", [.text(id)])
                return .asked
            case .done, .dead, .cancelled: return .over(state)
            }
        }
    }

    /// Has a dead or cancelled task tried again, at once and with all its attempts.
    ///
    /// - Returns: nil where there is no such task.
    package func retry(id: String) async throws -> TaskRetry? {
        let now = clock()
        return try await database.write { connection in
            let row = try connection.first("SELECT state, unique_key FROM tasks WHERE id = ?", [.text(id)])
            guard let row else { return nil }
            let state = try row.taskState("state")
            guard state == .dead || state == .cancelled else { return .refused(state) }
            if let key = try row.optionalText("unique_key"), let holder = try Self.holder(of: key, in: connection) {
                return .keyHeld(by: holder)
            }
            try connection.execute(
                """
                UPDATE tasks SET state = 'waiting', attempts = 0, due_at = ?, cancel_requested = 0, progress = NULL,
                    finished_at = NULL
                WHERE id = ?
                """, [.time(now), .text(id)])
            return .waiting
        }
    }

    /// Removes the tasks of some states that were over before `date`, with their effects' records.
    ///
    /// - Returns: how many went.
    package func purge(_ states: [TaskState], finishedBefore date: Date) async throws -> Int {
        precondition(states.allSatisfy(\.isOver), "only what is over is purged")
        guard !states.isEmpty else { return 0 }
        return try await database.write { connection in
            try connection.execute(
                "DELETE FROM tasks WHERE finished_at < ? AND state IN (\(Self.places(states.count)))",
                [.time(date)] + states.map { .text($0.rawValue) })
        }
    }

    /// `?, ?, …`
    static func places(_ count: Int) -> String { Array(repeating: "?", count: count).joined(separator: ", ") }
}
