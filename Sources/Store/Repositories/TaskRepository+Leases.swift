package import Foundation

/// What workers do: taking tasks under a lease, keeping it, and ending it. Every change asks for the lease's token, so
/// that a worker whose lease ran out changes nothing once another has the task.
extension TaskRepository {
    // MARK: Taking

    /// Takes the most urgent tasks that are due: by priority, then by how long they have been due.
    ///
    /// Tasks whose lease ran out come first to be due again, or are over where that was their last attempt. A lease that was
    /// given by a clock that was ahead ends `seconds` from now, unless its worker prolongs it.
    ///
    /// - Parameters:
    ///   - kinds: only tasks of these.
    ///   - seconds: the time of the lease, at most `longestLease`, after which others may take the tasks.
    package func take(
        kinds: [String], limit: Int, owner: String, for seconds: TimeInterval
    ) async throws -> [TakenTask] {
        guard !kinds.isEmpty, limit > 0 else { return [] }
        let now = clock()
        let seconds = min(seconds, Self.longestLease)
        // Readers disturb nobody; idle workers would otherwise ask for the write lock all the time.
        guard try await database.read({ try Self.isAnythingDue(kinds, now: now, lease: seconds, in: $0) }) else {
            return []
        }
        let token = makeID()
        return try await database.write { connection in
            try Self.shortenLeasesAhead(now: now, lease: seconds, in: connection)
            try Self.releaseLapsed(now: now, in: connection)
            let rows = try connection.query(
                """
                UPDATE tasks SET state = 'running', attempts = attempts + 1, lease_owner = ?, lease_token = ?,
                    lease_until = ?, started_at = ?, progress = NULL
                WHERE state = 'waiting' AND id IN (
                    SELECT id FROM tasks
                    WHERE state = 'waiting' AND due_at <= ? AND kind IN (\(Self.places(kinds.count)))
                    ORDER BY priority DESC, due_at, id LIMIT ?\(connection.dialect.skippingLockedRows)
                )
                RETURNING \(TaskRecord.columns)
                """,
                [.text(owner), .text(token), .time(now + seconds), .time(now), .time(now)]
                    + kinds.map(SQLValue.text) + [.int(limit)])
            // RETURNING has no order of its own.
            return try rows.map(TaskRecord.init).sorted(by: Self.isMoreUrgent).map {
                TakenTask(record: $0, lease: TaskLease(taskID: $0.id, token: token))
            }
        }
    }

    private static func isMoreUrgent(_ left: TaskRecord, _ right: TaskRecord) -> Bool {
        (-left.priority, left.dueAt, left.id) < (-right.priority, right.dueAt, right.id)
    }

    private static func isAnythingDue(
        _ kinds: [String], now: Date, lease: TimeInterval, in connection: any SQLConnection
    ) throws -> Bool {
        let waiting = try connection.first(
            "SELECT id FROM tasks WHERE state = 'waiting' AND due_at <= ? AND kind IN (\(places(kinds.count))) LIMIT 1",
            [.time(now)] + kinds.map(SQLValue.text))
        if waiting != nil { return true }
        let lapsed = try connection.first(
            "SELECT id FROM tasks WHERE state = 'running' AND (lease_until <= ? OR \(isAhead)) LIMIT 1",
            [.time(now)] + ahead(now: now, lease: lease))
        return lapsed != nil
    }

    /// A lease that was given by a clock that was ahead and has been set right since: it has an end that no lease has, or
    /// a later one than a lease given now, for a task that begins in the future.
    private static let isAhead = "(lease_until > ? OR (lease_until > ? AND started_at > ?))"

    private static func ahead(now: Date, lease: TimeInterval) -> [SQLValue] {
        [
            .time(now + longestLease + clockTolerance), .time(now + lease + clockTolerance),
            .time(now + clockTolerance),
        ]
    }

    /// Lets leases of a clock that was ahead end as if they were given now. Whether their workers are alive is not known:
    /// who is prolongs its lease within a third of its time, and who is not loses it at its end.
    private static func shortenLeasesAhead(
        now: Date, lease: TimeInterval, in connection: any SQLConnection
    ) throws {
        try connection.execute(
            """
            UPDATE tasks SET lease_until = ?, \(startedByNow) WHERE state = 'running' AND \(isAhead)
            """,
            [.time(now + lease), .time(now), .time(now)] + ahead(now: now, lease: lease))
    }

    /// No task began later than now, which both marks stand for; else its lease is taken for one of that clock again.
    private static let startedByNow = "started_at = CASE WHEN started_at > ? THEN ? ELSE started_at END"

    /// Ends the leases that ran out, of whatever kind of task: their workers were killed, or hang.
    private static func releaseLapsed(now: Date, in connection: any SQLConnection) throws {
        let rows = try connection.query(
            """
            SELECT id, lease_token, lease_owner, attempts, maximum_attempts, cancel_requested, due_at FROM tasks
            WHERE state = 'running' AND lease_until <= ?\(connection.dialect.skippingLockedRows)
            """, [.time(now)])
        for row in rows {
            let lease = TaskLease(taskID: try row.text("id"), token: try row.text("lease_token"))
            let state = try stateAfterFailure(row)
            let attempts = try row.int("attempts")
            // It was due by the clock that it was taken by.
            let isAhead = try row.time("due_at") > now
            try end(
                lease, as: state, dueAt: isAhead ? now : nil,
                error: "attempt \(attempts) ended without a word from \(try row.text("lease_owner"))",
                now: now, in: connection)
        }
    }

    /// Moves the tasks that wait for a time of a clock that was ahead and has been set right since: those that were
    /// queued or begun later than now. Each waits as long from now as it should have from then.
    ///
    /// - Returns: how many were moved.
    /// - Complexity: O(number of tasks that wait).
    @discardableResult
    package func mendTimes() async throws -> Int {
        let now = clock()
        let condition = "state = 'waiting' AND due_at > ? AND (created_at > ? OR started_at > ?)"
        let arguments = Array(repeating: SQLValue.time(now + Self.clockTolerance), count: 3)
        let isNeeded = try await database.read { connection in
            try connection.first("SELECT id FROM tasks WHERE \(condition) LIMIT 1", arguments) != nil
        }
        guard isNeeded else { return 0 }
        return try await database.write { connection in
            let rows = try connection.query(
                "SELECT id, due_at, created_at, started_at FROM tasks WHERE \(condition)", arguments)
            for row in rows {
                let (created, started) = (try row.time("created_at"), try row.optionalTime("started_at"))
                let wait = try row.time("due_at").timeIntervalSince(max(created, started ?? created))
                try connection.execute(
                    "UPDATE tasks SET due_at = ?, created_at = ?, started_at = ? WHERE id = ? AND state = 'waiting'",
                    [
                        .time(now + max(0, wait)), .time(min(created, now)),
                        started.map { .time(min($0, now)) } ?? .null, .text(try row.text("id")),
                    ])
            }
            return rows.count
        }
    }

    private static func stateAfterFailure(_ row: SQLRow) throws -> TaskState {
        if try row.bool("cancel_requested") { return .cancelled }
        return try row.int("attempts") >= row.int("maximum_attempts") ? .dead : .waiting
    }

    // MARK: Keeping

    /// Lets leases hold for so many seconds from now.
    package func prolong(_ leases: [TaskLease], for seconds: TimeInterval) async throws -> LeaseReport {
        guard !leases.isEmpty else { return LeaseReport() }
        let now = clock()
        let until = SQLValue.time(now + min(seconds, Self.longestLease))
        return try await database.write { connection in
            try Self.report(leases) { lease in
                try connection.first(
                    """
                    UPDATE tasks SET lease_until = ?, \(Self.startedByNow)
                    WHERE id = ? AND lease_token = ? AND state = 'running'
                    RETURNING cancel_requested
                    """, [until, .time(now), .time(now), .text(lease.taskID), .text(lease.token)])
            }
        }
    }

    /// Which leases hold, and which of their tasks are to stop, without prolonging them.
    package func look(at leases: [TaskLease]) async throws -> LeaseReport {
        guard !leases.isEmpty else { return LeaseReport() }
        return try await database.read { connection in
            try Self.report(leases) { lease in
                try connection.first(
                    "SELECT cancel_requested FROM tasks WHERE id = ? AND lease_token = ? AND state = 'running'",
                    [.text(lease.taskID), .text(lease.token)])
            }
        }
    }

    private static func report(_ leases: [TaskLease], _ row: (TaskLease) throws -> SQLRow?) throws -> LeaseReport {
        var report = LeaseReport()
        for lease in leases {
            guard let row = try row(lease) else { continue }
            report.held.insert(lease.taskID)
            if try row.bool("cancel_requested") { report.cancelRequested.insert(lease.taskID) }
        }
        return report
    }

    /// Stores how far a task is.
    ///
    /// - Returns: whether the lease holds.
    package func setProgress(_ progress: String, of lease: TaskLease) async throws -> Bool {
        try await database.write { connection in
            try connection.execute(
                "UPDATE tasks SET progress = ? WHERE id = ? AND lease_token = ? AND state = 'running'",
                [.text(progress), .text(lease.taskID), .text(lease.token)]) == 1
        }
    }

    // MARK: Ending

    /// Ends a task well.
    ///
    /// - Returns: whether the lease held; where not, nothing changes.
    package func finish(_ lease: TaskLease, result: String? = nil) async throws -> Bool {
        try await database.write { try finish(lease, result: result, in: $0) }
    }

    /// As `finish`, in one transaction with what the task did. Where it returns false, that must not be kept.
    package func finish(_ lease: TaskLease, result: String? = nil, in connection: any SQLConnection) throws -> Bool {
        try Self.end(lease, as: .done, result: result, now: clock(), in: connection)
    }

    /// Ends an attempt that failed.
    ///
    /// - Parameter retryAt: nil where another attempt is of no use: the task is then dead, as after its last attempt.
    /// - Returns: where the task stands now; nil where the lease was lost, and nothing changes.
    package func fail(_ lease: TaskLease, error: String, retryAt: Date?) async throws -> TaskState? {
        let now = clock()
        return try await database.write { connection in
            guard let row = try Self.leased(lease, in: connection) else { return nil }
            var state = try Self.stateAfterFailure(row)
            if state == .waiting, retryAt == nil { state = .dead }
            try Self.end(lease, as: state, dueAt: retryAt, error: error, now: now, in: connection)
            return state
        }
    }

    /// Ends an attempt that is not to count: the worker stops, or the time was not right.
    ///
    /// - Parameter dueAt: nil for as before, so that others take it at once.
    /// - Returns: where the task stands now; nil where the lease was lost, and nothing changes.
    package func giveBack(_ lease: TaskLease, dueAt: Date? = nil) async throws -> TaskState? {
        let now = clock()
        return try await database.write { connection in
            guard let row = try Self.leased(lease, in: connection) else { return nil }
            let state: TaskState = try row.bool("cancel_requested") ? .cancelled : .waiting
            try Self.end(lease, as: state, dueAt: dueAt, uncounted: 1, now: now, in: connection)
            return state
        }
    }

    /// Ends a task that was asked to stop and did.
    ///
    /// - Returns: whether the lease held; where not, nothing changes.
    package func endCancelled(_ lease: TaskLease) async throws -> Bool {
        let now = clock()
        return try await database.write { try Self.end(lease, as: .cancelled, now: now, in: $0) }
    }

    private static func leased(_ lease: TaskLease, in connection: any SQLConnection) throws -> SQLRow? {
        try connection.first(
            """
            SELECT attempts, maximum_attempts, cancel_requested FROM tasks
            WHERE id = ? AND lease_token = ? AND state = 'running'
            """, [.text(lease.taskID), .text(lease.token)])
    }

    /// Takes the lease away, in whatever state it leaves the task.
    ///
    /// - Parameters:
    ///   - dueAt: nil to leave it.
    ///   - uncounted: attempts that are taken back.
    /// - Returns: whether the lease held; where not, nothing changes.
    @discardableResult
    private static func end(
        _ lease: TaskLease, as state: TaskState, dueAt: Date? = nil, uncounted: Int = 0, error: String? = nil,
        result: String? = nil, now: Date, in connection: any SQLConnection
    ) throws -> Bool {
        try connection.execute(
            """
            UPDATE tasks SET state = ?, due_at = COALESCE(?, due_at), attempts = attempts - ?,
                last_error = COALESCE(?, last_error), result = ?, finished_at = ?,
                lease_owner = NULL, lease_token = NULL, lease_until = NULL
            WHERE id = ? AND lease_token = ? AND state = 'running'
            """,
            [
                .text(state.rawValue), dueAt.map(SQLValue.time) ?? .null, .int(uncounted), .optionalText(error),
                .optionalText(result), state.isOver ? .time(now) : .null, .text(lease.taskID), .text(lease.token),
            ]) == 1
    }

    // MARK: Effects

    /// Notes that a task had its effect; in one transaction with the effect.
    ///
    /// - Returns: how often it has been noted of this task, 1 for the first time. A handler whose effect cannot be one
    ///   transaction with its end leaves the effect out where this is above 1.
    package func recordEffect(
        of task: String, document: String = "{}", in connection: any SQLConnection
    ) throws -> Int {
        let row = try connection.first(
            """
            INSERT INTO task_effects (task_id, document, times, created_at) VALUES (?, ?, 1, ?)
            ON CONFLICT (task_id) DO UPDATE SET times = task_effects.times + 1
            RETURNING times
            """, [.text(task), .text(document), .time(clock())])
        return try row?.int("times") ?? 0
    }

    /// How many tasks had an effect, and how often in all.
    package func effects() async throws -> (tasks: Int, times: Int) {
        try await database.read { connection in
            let row = try connection.first(
                "SELECT COUNT(*) AS tasks, COALESCE(SUM(times), 0) AS times FROM task_effects")
            return (try row?.int("tasks") ?? 0, try row?.int("times") ?? 0)
        }
    }
}
