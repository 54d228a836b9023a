package import Foundation
package import Store

/// How long what belongs to people is kept.
package struct RetentionRules: Sendable, Equatable {
    /// Days since it was last touched that a signed-in person's session is kept.
    package var sessionsDays = 365
    /// The same of somebody anonymous.
    package var anonymousSessionsDays = 30
    /// Hours that a reply is kept for its `Idempotency-Key`.
    package var idempotencyHours = 24
    /// Days that it is known which mail went out.
    package var mailLogDays = 90
    /// Days that the costs of language models are kept by user.
    package var llmUsageDays = 400
    /// Days that failed attempts to sign in are remembered.
    package var signInAttemptsDays = 7
    /// Runs of the career monitor that are kept, the latest ones.
    package var monitorRuns = 200

    package init() {}
}

/// What went, by rule.
package struct RetentionReport: Sendable, Equatable {
    /// Rows by table; `sessions` and `anonymous_sessions` apart. Nothing where there was nothing.
    package internal(set) var removed: [String: Int] = [:]
    package var total: Int { removed.values.reduce(0, +) }
}

/// Removes what is older than the rules allow, a few rows at a time so that no request waits for it.
package struct Retention: Sendable {
    /// One line of the rules: what goes where `condition` holds of a moment.
    struct Rule: Sendable {
        /// In the report.
        let name: String
        let table: String
        let key: [String]
        /// With one `?`, the moment.
        let condition: String
        let moment: @Sendable (_ now: Date) -> SQLValue
    }

    private let database: any SQLDatabase
    private let rules: [Rule]
    private let batch: Int

    package init(_ database: any SQLDatabase, rules: RetentionRules = RetentionRules(), batch: Int = 500) {
        precondition(batch > 0, "a batch has a row")
        self.database = database
        self.rules = Self.list(rules)
        self.batch = batch
    }

    static func list(_ rules: RetentionRules) -> [Rule] {
        [
            Rule(
                name: "sessions", table: "sessions", key: ["id"], condition: "owner IS NOT NULL AND updated_at < ?",
                moment: before(days: rules.sessionsDays)),
            Rule(
                name: "anonymous_sessions", table: "sessions", key: ["id"],
                condition: "owner IS NULL AND updated_at < ?", moment: before(days: rules.anonymousSessionsDays)),
            Rule(
                name: "idempotent_requests", table: "idempotent_requests", key: ["scope", "key"],
                condition: "created_at < ?", moment: before(hours: rules.idempotencyHours)),
            Rule(
                name: "web_sessions", table: "web_sessions", key: ["id_hash"], condition: "expires_at < ?",
                moment: before(hours: 0)),
            Rule(
                name: "sign_in_links", table: "sign_in_links", key: ["hash"], condition: "expires_at < ?",
                moment: before(hours: 0)),
            Rule(
                name: "sign_in_attempts", table: "sign_in_attempts", key: ["subject"], condition: "updated_at < ?",
                moment: before(days: rules.signInAttemptsDays)),
            Rule(
                name: "sign_ins_under_way", table: "sign_ins_under_way", key: ["id", "subject"],
                condition: "began_at < ?", moment: before(days: rules.signInAttemptsDays)),
            Rule(
                name: "mail_log", table: "mail_log", key: ["message_key"], condition: "finished_at < ?",
                moment: before(days: rules.mailLogDays)),
            Rule(
                name: "llm_cache", table: "llm_cache", key: ["key"], condition: "expires_at < ?",
                moment: before(hours: 0)),
            Rule(
                name: "llm_usage", table: "llm_usage", key: ["day", "user_id", "feature", "provider", "model"],
                condition: "user_id <> '' AND day < ?",
                moment: { now in
                    let date = now.addingTimeInterval(-86_400 * Double(rules.llmUsageDays))
                    return .text(String(SQLTime.text(of: date).prefix(10)))
                }),
            // By number, since they come as often as somebody wishes. The moment is that of the end: what runs has none.
            Rule(
                name: "monitor_runs", table: "monitor_runs", key: ["id"],
                condition: """
                    ended_at <= ? AND id NOT IN (
                        SELECT id FROM monitor_runs ORDER BY started_at DESC, id DESC LIMIT \(rules.monitorRuns))
                    """,
                moment: before(hours: 0)),
        ]
    }

    private static func before(days: Int) -> @Sendable (Date) -> SQLValue { before(hours: 24 * days) }

    private static func before(hours: Int) -> @Sendable (Date) -> SQLValue {
        { .time($0.addingTimeInterval(-3_600 * Double(hours))) }
    }

    /// Removes what is too old now.
    package func run(now: Date) async throws -> RetentionReport {
        let schema = try await database.read { try SchemaCatalogue.read($0) }
        var report = RetentionReport()
        for rule in rules where schema.has(rule.table) {
            let keys = rule.key.joined(separator: ", ")
            let sql = """
                DELETE FROM \(rule.table) WHERE (\(keys)) IN (
                    SELECT \(keys) FROM \(rule.table) WHERE \(rule.condition) LIMIT ?)
                """
            while true {
                try Task.checkCancellation()
                let count = try await database.write { [batch] connection in
                    try connection.execute(sql, [rule.moment(now), .int(batch)])
                }
                if count > 0 { report.removed[rule.name, default: 0] += count }
                if count < batch { break }
            }
        }
        return report
    }
}
