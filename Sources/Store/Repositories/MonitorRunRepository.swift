package import Foundation

/// One run of the career monitor.
package struct MonitorRunRecord: Sendable, Equatable {
    package enum Reason: String, Sendable, CaseIterable {
        case schedule, command, api
    }

    package enum State: String, Sendable, CaseIterable {
        case running, done, failed
        /// Ended before its end: cancelled, or killed and never gone on with.
        case stopped
    }

    package let id: String
    package let reason: Reason
    package let state: State
    /// Counts and cost, as a JSON object; names nobody.
    package let report: String
    package let startedAt: Date
    /// Nil while it runs.
    package let endedAt: Date?

    static let columns = "id, reason, state, report, started_at, ended_at"

    package init(id: String, reason: Reason, state: State, report: String, startedAt: Date, endedAt: Date?) {
        self.id = id
        self.reason = reason
        self.state = state
        self.report = report
        self.startedAt = startedAt
        self.endedAt = endedAt
    }

    /// - Throws: `StoreError` of code `unexpectedValue` for a reason or state that is none.
    init(_ row: SQLRow) throws {
        id = try row.text("id")
        let (reason, state) = (try row.text("reason"), try row.text("state"))
        guard let knownReason = Reason(rawValue: reason), let knownState = State(rawValue: state) else {
            throw StoreError(.unexpectedValue, "a run is “\(state)” for the reason “\(reason)”, one of which is none")
        }
        self.reason = knownReason
        self.state = knownState
        report = try row.text("report")
        startedAt = try row.time("started_at")
        endedAt = try row.optionalTime("ended_at")
    }
}

/// The runs of the career monitor, and what came of each. Who begins one makes sure that it is the only one.
package struct MonitorRunRepository: Sendable {
    private let database: any SQLDatabase
    private let clock: @Sendable () -> Date

    package init(_ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() }) {
        self.database = database
        self.clock = clock
    }

    /// Begins a run, or goes on with the one of that id, whose reason, report and start stay. Any other that still says
    /// that it runs was killed and is stopped.
    @discardableResult
    package func begin(id: String, reason: MonitorRunRecord.Reason) async throws -> MonitorRunRecord {
        let now = SQLValue.time(clock())
        return try await database.write { connection in
            try connection.execute(
                "UPDATE monitor_runs SET state = 'stopped', ended_at = ? WHERE state = 'running' AND id <> ?",
                [now, .text(id)])
            let row = try connection.first(
                """
                INSERT INTO monitor_runs (id, reason, state, report, started_at)
                VALUES (?, ?, 'running', '{}', ?)
                ON CONFLICT (id) DO UPDATE SET state = 'running', ended_at = NULL
                RETURNING \(MonitorRunRecord.columns)
                """, [.text(id), .text(reason.rawValue), now])
            guard let row else { throw StoreError(.other, "the run that began was not returned") }
            return try MonitorRunRecord(row)
        }
    }

    /// Stores how far a run has come.
    ///
    /// - Returns: whether it still runs; nothing is stored where it does not.
    @discardableResult
    package func update(id: String, report: String) async throws -> Bool {
        try await database.write { connection in
            try connection.execute(
                "UPDATE monitor_runs SET report = ? WHERE id = ? AND state = 'running'", [.text(report), .text(id)])
                == 1
        }
    }

    /// Stores how a run ended.
    ///
    /// - Returns: whether there is such a run.
    @discardableResult
    package func end(id: String, state: MonitorRunRecord.State, report: String) async throws -> Bool {
        precondition(state != .running, "a run that ends does not run")
        let now = SQLValue.time(clock())
        return try await database.write { connection in
            try connection.execute(
                "UPDATE monitor_runs SET state = ?, report = ?, ended_at = ? WHERE id = ?",
                [.text(state.rawValue), .text(report), now, .text(id)]) == 1
        }
    }

    /// The latest runs, the newest first.
    package func latest(limit: Int) async throws -> [MonitorRunRecord] {
        try await database.read { connection in
            try connection.query(
                "SELECT \(MonitorRunRecord.columns) FROM monitor_runs ORDER BY started_at DESC, id DESC LIMIT ?",
                [.int(limit)]
            ).map(MonitorRunRecord.init)
        }
    }

    /// Removes all runs but the latest; one that runs stays.
    ///
    /// - Returns: how many went.
    @discardableResult
    package func purge(keeping count: Int) async throws -> Int {
        try await database.write { connection in
            try connection.execute(
                """
                DELETE FROM monitor_runs WHERE state <> 'running' AND id NOT IN (
                    SELECT id FROM monitor_runs ORDER BY started_at DESC, id DESC LIMIT ?)
                """, [.int(count)])
        }
    }
}
