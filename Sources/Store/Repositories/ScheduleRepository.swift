package import Foundation

/// What happens to due times at which nothing ran.
package enum CatchUp: String, Sendable, CaseIterable {
    /// One run makes up for all of them.
    case once
    /// They are passed over.
    case skip
}

/// Work that comes due by the clock, as the program defines it.
package struct Schedule: Sendable, Equatable {
    package let name: String
    /// Of the task that is queued.
    package let kind: String
    /// When, as cron writes it.
    package let expression: String
    /// The IANA name of the time zone whose clock counts.
    package let zone: String
    package let catchUp: CatchUp
    /// JSON, of the task that is queued.
    package let payload: String

    package init(
        name: String, kind: String, expression: String, zone: String = "UTC", catchUp: CatchUp = .once,
        payload: String = "{}"
    ) {
        self.name = name
        self.kind = kind
        self.expression = expression
        self.zone = zone
        self.catchUp = catchUp
        self.payload = payload
    }
}

/// A schedule as it is stored, with how far it has come.
package struct ScheduleRecord: Sendable, Equatable {
    package let schedule: Schedule
    package let isEnabled: Bool
    /// Due times up to here were queued or passed over.
    package let settledUntil: Date
    /// The last due time that was queued.
    package let lastTime: Date?
    package let updatedAt: Date

    package var name: String { schedule.name }

    static let columns =
        "name, kind, expression, zone, catch_up, payload, is_enabled, settled_until, last_time, updated_at"

    init(_ row: SQLRow) throws {
        let text = try row.text("catch_up")
        guard let catchUp = CatchUp(rawValue: text) else {
            throw StoreError(.unexpectedValue, "column catch_up holds “\(text)”, which is no rule for missed times")
        }
        schedule = Schedule(
            name: try row.text("name"), kind: try row.text("kind"), expression: try row.text("expression"),
            zone: try row.text("zone"), catchUp: catchUp, payload: try row.text("payload"))
        isEnabled = try row.bool("is_enabled")
        settledUntil = try row.time("settled_until")
        lastTime = try row.optionalTime("last_time")
        updatedAt = try row.time("updated_at")
    }
}

/// What comes due by the clock, and how far that has come, for all replicas.
package struct ScheduleRepository: Sendable {
    package let database: any SQLDatabase
    private let clock: @Sendable () -> Date

    package init(_ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() }) {
        self.database = database
        self.clock = clock
    }

    /// Stores what the program defines. Whether a schedule is enabled stays as it was, and so does how far it has come,
    /// unless its times are others now: those count from now on.
    package func define(_ schedules: [Schedule]) async throws {
        let now = clock()
        try await database.write { connection in
            for schedule in schedules { try Self.define(schedule, now: now, in: connection) }
        }
    }

    private static func define(_ schedule: Schedule, now: Date, in connection: any SQLConnection) throws {
        let row = try connection.first(
            "SELECT \(ScheduleRecord.columns) FROM schedules WHERE name = ?", [.text(schedule.name)])
        guard let row else {
            try connection.execute(
                """
                INSERT INTO schedules (\(ScheduleRecord.columns)) VALUES (?, ?, ?, ?, ?, ?, 1, ?, NULL, ?)
                """,
                [
                    .text(schedule.name), .text(schedule.kind), .text(schedule.expression), .text(schedule.zone),
                    .text(schedule.catchUp.rawValue), .text(schedule.payload), .time(now), .time(now),
                ])
            return
        }
        // One that cannot be read is written anew.
        let found = try? ScheduleRecord(row)
        guard found?.schedule != schedule else { return }
        let settled = found.flatMap { record in
            record.schedule.expression == schedule.expression && record.schedule.zone == schedule.zone
                ? record.settledUntil : nil
        }
        try connection.execute(
            """
            UPDATE schedules SET kind = ?, expression = ?, zone = ?, catch_up = ?, payload = ?, settled_until = ?,
                updated_at = ?
            WHERE name = ?
            """,
            [
                .text(schedule.kind), .text(schedule.expression), .text(schedule.zone),
                .text(schedule.catchUp.rawValue), .text(schedule.payload),
                .time(settled ?? now), .time(now), .text(schedule.name),
            ])
    }

    /// Every schedule, by name.
    package func all() async throws -> [ScheduleRecord] {
        try await database.read { connection in
            try connection.query("SELECT \(ScheduleRecord.columns) FROM schedules ORDER BY name")
                .map(ScheduleRecord.init)
        }
    }

    /// A schedule, or nil.
    package func schedule(_ name: String) async throws -> ScheduleRecord? {
        try await database.read { connection in
            try connection.first("SELECT \(ScheduleRecord.columns) FROM schedules WHERE name = ?", [.text(name)])
                .map(ScheduleRecord.init)
        }
    }

    /// Settles the due times of a schedule up to one of them, if it stands as `record` says: of several replicas that
    /// try, one succeeds.
    ///
    /// - Parameter queues: whether the last of these times is queued, in the same transaction, or all are passed over.
    package func settle(
        _ record: ScheduleRecord, until time: Date, queues: Bool, in connection: any SQLConnection
    ) throws -> Bool {
        try connection.execute(
            """
            UPDATE schedules SET settled_until = ?, last_time = ?
            WHERE name = ? AND settled_until = ? AND is_enabled = 1 AND expression = ? AND zone = ?
            """,
            [
                .time(time), queues ? .time(time) : record.lastTime.map(SQLValue.time) ?? .null, .text(record.name),
                .time(record.settledUntil), .text(record.schedule.expression), .text(record.schedule.zone),
            ]) == 1
    }

    /// Switches a schedule on or off. What came due while it was off is not made up for.
    ///
    /// - Returns: nil where there is no such schedule.
    package func setEnabled(_ isEnabled: Bool, name: String) async throws -> ScheduleRecord? {
        let now = clock()
        return try await database.write { connection in
            try connection.execute(
                """
                UPDATE schedules SET is_enabled = ?, settled_until = ?, updated_at = ?
                WHERE name = ? AND is_enabled <> ?
                """, [.bool(isEnabled), .time(now), .time(now), .text(name), .bool(isEnabled)])
            return try connection.first(
                "SELECT \(ScheduleRecord.columns) FROM schedules WHERE name = ?", [.text(name)]
            ).map(ScheduleRecord.init)
        }
    }
}
