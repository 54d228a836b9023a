package import Foundation

/// Whose failures are counted, and what follows from them.
package struct SignInLimit: Sendable {
    package let subject: String
    /// So many failures bring no wait yet; the last of them does.
    package let failures: Int
    /// Seconds after the last failure after which all are forgotten.
    package let forgetsAfter: TimeInterval
    /// Seconds to wait after so many failures, or nil for none.
    package let wait: @Sendable (_ failures: Int) -> TimeInterval?

    package init(
        subject: String, failures: Int, forgetsAfter: TimeInterval, wait: @escaping @Sendable (Int) -> TimeInterval?
    ) {
        precondition(failures >= 1, "nobody could ever sign in")
        self.subject = subject
        self.failures = failures
        self.forgetsAfter = forgetsAfter
        self.wait = wait
    }
}

/// How often signing in has failed, for every replica alike.
///
/// Attempts that are under way are counted beside the failures, and no more are let in than may still fail. Counted at
/// their end alone, any number made at once would be let through by a count that none of them has raised yet; counted as
/// failures until they end, those of people who know their passwords would be waits for others.
package struct SignInAttemptRepository: Sendable {
    /// What an attempt is met with.
    package enum Beginning: Sendable, Equatable {
        /// It may go on. It is ended by this id.
        case underWay(id: String)
        /// Too much has failed, and nothing was counted.
        case locked(until: Date)
        /// Not too much has failed, but would have if all that is under way did. Nothing was counted.
        case busy
    }

    /// Seconds after which an attempt that nobody has ended counts as failed: its process was killed, or the database
    /// could not be written.
    package static let lapsesAfter: TimeInterval = 60

    private let database: any SQLDatabase
    private let clock: @Sendable () -> Date
    private let makeID: @Sendable () -> String

    package init(
        _ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() },
        makeID: @escaping @Sendable () -> String = { RandomID.make() }
    ) {
        self.database = database
        self.clock = clock
        self.makeID = makeID
    }

    /// Lets an attempt in, unless a limit has to wait or has no room.
    package func begin(_ limits: [SignInLimit]) async throws -> Beginning {
        let (id, now) = (makeID(), clock())
        return try await database.write { connection in
            var locked: Date?
            var isBusy = false
            for limit in limits {
                try Self.endLapsed(limit, at: now, in: connection)
                let state = try Self.state(of: limit, at: now, in: connection)
                if let until = state.lockedUntil { locked = max(locked ?? until, until) }
                // Once there are waits, one at a time.
                let room = max(1, limit.failures - state.failures)
                if try Self.underWay(limit.subject, in: connection) >= room { isBusy = true }
            }
            if let locked { return .locked(until: locked) }
            if isBusy { return .busy }
            for limit in limits {
                try connection.execute(
                    "INSERT INTO sign_ins_under_way (id, subject, began_at) VALUES (?, ?, ?)",
                    [.text(id), .text(limit.subject), .time(now)])
            }
            return .underWay(id: id)
        }
    }

    /// Ends an attempt that failed.
    ///
    /// - Parameter limits: those that it began with.
    package func fail(_ id: String, _ limits: [SignInLimit]) async throws {
        let now = clock()
        try await database.write { connection in
            for limit in limits {
                let wasUnderWay =
                    try connection.execute(
                        "DELETE FROM sign_ins_under_way WHERE id = ? AND subject = ?",
                        [.text(id), .text(limit.subject)]) == 1
                // One that has lapsed is counted already.
                if wasUnderWay { try Self.add(1, to: limit, at: now, in: connection) }
            }
        }
    }

    /// Ends an attempt that was good.
    ///
    /// - Parameter resetting: the subject whose failures are all forgotten; those of the others stay as they are.
    package func succeed(_ id: String, resetting: String?) async throws {
        try await database.write { connection in
            try connection.execute("DELETE FROM sign_ins_under_way WHERE id = ?", [.text(id)])
            if let resetting {
                try connection.execute("DELETE FROM sign_in_attempts WHERE subject = ?", [.text(resetting)])
            }
        }
    }

    /// Ends an attempt that came to nothing, as if it had not been made.
    package func abandon(_ id: String) async throws { try await succeed(id, resetting: nil) }

    /// Counts something that is bounded whatever comes of it, unless one of the limits has to wait.
    ///
    /// - Returns: nil where it was counted; otherwise until when to wait, and nothing was counted.
    package func count(_ limits: [SignInLimit]) async throws -> Date? {
        let now = clock()
        return try await database.write { connection in
            let locked = try limits.compactMap { try Self.state(of: $0, at: now, in: connection).lockedUntil }.max()
            if let locked { return locked }
            for limit in limits { try Self.add(1, to: limit, at: now, in: connection) }
            return nil
        }
    }

    /// How many failures are counted for a subject.
    package func failures(of subject: String) async throws -> Int {
        try await database.read { connection in
            try connection.first("SELECT failures FROM sign_in_attempts WHERE subject = ?", [.text(subject)])?
                .int("failures") ?? 0
        }
    }

    /// Forgets who has neither failed since `date` nor has to wait, and what began before then.
    ///
    /// - Returns: how many went.
    package func purge(olderThan date: Date) async throws -> Int {
        let now = SQLValue.time(clock())
        return try await database.write { connection in
            try connection.execute(
                "DELETE FROM sign_in_attempts WHERE updated_at < ? AND (locked_until IS NULL OR locked_until <= ?)",
                [.time(date), now])
                + connection.execute("DELETE FROM sign_ins_under_way WHERE began_at < ?", [.time(date)])
        }
    }

    // MARK: Inside a transaction

    /// - Returns: the failures that are not forgotten, and until when to wait where that is not over.
    private static func state(
        of limit: SignInLimit, at now: Date, in connection: any SQLConnection
    ) throws -> (failures: Int, lockedUntil: Date?) {
        let row = try connection.first(
            "SELECT failures, locked_until, updated_at FROM sign_in_attempts WHERE subject = ?",
            [.text(limit.subject)])
        guard let row else { return (0, nil) }
        let until = try row.optionalTime("locked_until").flatMap { $0 > now ? $0 : nil }
        let isForgotten = try row.time("updated_at").addingTimeInterval(limit.forgetsAfter) <= now
        return (isForgotten ? 0 : try row.int("failures"), until)
    }

    private static func underWay(_ subject: String, in connection: any SQLConnection) throws -> Int {
        try connection.first("SELECT COUNT(*) AS n FROM sign_ins_under_way WHERE subject = ?", [.text(subject)])?
            .int("n") ?? 0
    }

    private static func endLapsed(_ limit: SignInLimit, at now: Date, in connection: any SQLConnection) throws {
        let count = try connection.execute(
            "DELETE FROM sign_ins_under_way WHERE subject = ? AND began_at <= ?",
            [.text(limit.subject), .time(now.addingTimeInterval(-lapsesAfter))])
        if count > 0 { try add(count, to: limit, at: now, in: connection) }
    }

    /// `updated_at` is the time of the last failure, and of nothing else.
    private static func add(
        _ count: Int, to limit: SignInLimit, at now: Date, in connection: any SQLConnection
    ) throws {
        let failures = try state(of: limit, at: now, in: connection).failures + count
        let until = limit.wait(failures).map { SQLValue.time(now.addingTimeInterval($0)) } ?? .null
        try connection.execute(
            """
            INSERT INTO sign_in_attempts (subject, failures, locked_until, updated_at) VALUES (?, ?, ?, ?)
            ON CONFLICT (subject) DO UPDATE SET failures = excluded.failures,
                locked_until = excluded.locked_until, updated_at = excluded.updated_at
            """, [.text(limit.subject), .int(failures), until, .time(now)])
    }
}
