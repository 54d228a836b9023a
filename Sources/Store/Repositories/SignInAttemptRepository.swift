package import Foundation

/// Whose failures are counted, and what follows from them.
package struct SignInLimit: Sendable {
    package let subject: String
    /// Seconds after the last failure after which all are forgotten.
    package let forgetsAfter: TimeInterval
    /// Seconds to wait after so many failures, or nil for none.
    package let wait: @Sendable (_ failures: Int) -> TimeInterval?

    package init(subject: String, forgetsAfter: TimeInterval, wait: @escaping @Sendable (Int) -> TimeInterval?) {
        self.subject = subject
        self.forgetsAfter = forgetsAfter
        self.wait = wait
    }
}

/// How often signing in has failed, for every replica alike.
///
/// An attempt counts as failed when it begins. Counted at its end, any number of attempts made at once would all be
/// let through by a count that none of them has raised yet.
package struct SignInAttemptRepository: Sendable {
    private let database: any SQLDatabase
    private let clock: @Sendable () -> Date

    package init(_ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() }) {
        self.database = database
        self.clock = clock
    }

    /// Counts an attempt against every limit, unless one of them has to wait.
    ///
    /// - Returns: nil where the attempt may go on; otherwise until when to wait, and nothing was counted.
    package func begin(_ limits: [SignInLimit]) async throws -> Date? {
        let now = clock()
        return try await database.write { connection in
            var counted: [(limit: SignInLimit, failures: Int)] = []
            var locked: Date?
            for limit in limits {
                let row = try connection.first(
                    "SELECT failures, locked_until, updated_at FROM sign_in_attempts WHERE subject = ?",
                    [.text(limit.subject)])
                guard let row else {
                    counted.append((limit, 1))
                    continue
                }
                if let until = try row.optionalTime("locked_until"), until > now {
                    locked = max(locked ?? until, until)
                }
                let isForgotten = try row.time("updated_at").addingTimeInterval(limit.forgetsAfter) <= now
                counted.append((limit, isForgotten ? 1 : try row.int("failures") + 1))
            }
            if let locked { return locked }
            for (limit, failures) in counted {
                let until = limit.wait(failures).map { SQLValue.time(now.addingTimeInterval($0)) } ?? .null
                try connection.execute(
                    """
                    INSERT INTO sign_in_attempts (subject, failures, locked_until, updated_at) VALUES (?, ?, ?, ?)
                    ON CONFLICT (subject) DO UPDATE SET failures = excluded.failures,
                        locked_until = excluded.locked_until, updated_at = excluded.updated_at
                    """, [.text(limit.subject), .int(failures), until, .time(now)])
            }
            return nil
        }
    }

    /// Takes back what a good attempt was counted for.
    ///
    /// - Parameters:
    ///   - resetting: the subject whose failures are all forgotten.
    ///   - forgiving: the subjects that lose no more than this attempt, and the wait that it brought.
    package func succeed(resetting: String?, forgiving: [String]) async throws {
        try await database.write { connection in
            if let resetting {
                try connection.execute("DELETE FROM sign_in_attempts WHERE subject = ?", [.text(resetting)])
            }
            for subject in forgiving {
                try connection.execute(
                    """
                    UPDATE sign_in_attempts SET failures = failures - 1, locked_until = NULL
                    WHERE subject = ? AND failures > 0
                    """, [.text(subject)])
            }
        }
    }

    /// How many failures are counted for a subject.
    package func failures(of subject: String) async throws -> Int {
        try await database.read { connection in
            try connection.first("SELECT failures FROM sign_in_attempts WHERE subject = ?", [.text(subject)])?
                .int("failures") ?? 0
        }
    }

    /// Forgets who has neither failed since `date` nor has to wait.
    ///
    /// - Returns: how many went.
    package func purge(olderThan date: Date) async throws -> Int {
        let now = SQLValue.time(clock())
        return try await database.write { connection in
            try connection.execute(
                "DELETE FROM sign_in_attempts WHERE updated_at < ? AND (locked_until IS NULL OR locked_until <= ?)",
                [.time(date), now])
        }
    }
}
