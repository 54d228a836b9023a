import Foundation
import Platform
import Store
import Testing

struct RetentionTests {
    private let now = PrivateFixtures.now

    private func time(daysAgo days: Double) -> SQLValue { .time(now.addingTimeInterval(-86_400 * days)) }

    @Test func `each rule takes what is too old and leaves the rest`() async throws {
        try await PrivateFixtures.withDatabase { database in
            for (id, owner, days) in [
                ("a", "u", 366.0), ("b", "u", 364), ("c", nil, 31), ("d", nil, 29), ("e", nil, 400),
            ] as [(String, String?, Double)] {
                try await database.run(
                    "INSERT INTO sessions (id, kind, owner, created_at, updated_at) VALUES (?, 'quiz', ?, ?, ?)",
                    [.text(id), .optionalText(owner), time(daysAgo: 500), time(daysAgo: days)])
            }
            for (key, days) in [("x", 1.1), ("y", 0.9)] {
                try await database.run(
                    """
                    INSERT INTO idempotent_requests (scope, key, request_hash, effect_id, created_at)
                    VALUES ('s', ?, 'h', 'e', ?)
                    """, [.text(key), time(daysAgo: days)])
            }
            try await database.run(
                "INSERT INTO users (id, role, state, created_at, updated_at) VALUES ('u', 'user', 'active', 't', 't')")
            for (hash, days) in [("old", 0.1), ("new", -0.1)] {
                try await database.run(
                    "INSERT INTO web_sessions (id_hash, user_id, created_at, last_seen_at, expires_at) VALUES (?, 'u', ?, ?, ?)",
                    [.text(hash), time(daysAgo: 1), time(daysAgo: 1), time(daysAgo: days)])
            }
            for (day, user) in [("2024-12-01", "u"), ("2026-02-28", "u"), ("2024-12-01", "")] {
                try await database.run(
                    "INSERT INTO llm_usage VALUES (?, ?, 'f', 'p', 'm', 1, 1, 1, 1)", [.text(day), .text(user)])
            }
            for (id, days) in [("old", 7.1), ("new", 6.9)] {
                try await database.run(
                    "INSERT INTO sign_ins_under_way (id, subject, began_at) VALUES (?, 's', ?)",
                    [.text(id), time(daysAgo: days)])
            }
            let report = try await Retention(database).run(now: now)
            #expect(
                report.removed == [
                    "sessions": 1, "anonymous_sessions": 2, "idempotent_requests": 1, "web_sessions": 1, "llm_usage": 1,
                    "sign_ins_under_way": 1,
                ])
            #expect(report.total == 7)
            #expect(try await database.texts("id", of: "sessions").sorted() == ["b", "d"])
            #expect(try await database.texts("key", of: "idempotent_requests") == ["y"])
            #expect(try await database.texts("id_hash", of: "web_sessions") == ["new"])
            #expect(try await database.count("llm_usage") == 2)
            #expect(try await Retention(database).run(now: now).total == 0)
        }
    }

    @Test(
        arguments: [
            (
                "mail_log", "message_key", 90,
                "INSERT INTO mail_log (message_key, address_index, outcome, finished_at) VALUES (?, 'a', 'sent', ?)"
            ),
            (
                "sign_in_attempts", "subject", 7,
                "INSERT INTO sign_in_attempts (subject, failures, updated_at) VALUES (?, 1, ?)"
            ),
            ("sign_in_links", "hash", 0, "INSERT INTO sign_in_links (hash, user_id, expires_at) VALUES (?, 'u', ?)"),
            (
                "llm_cache", "key", 0,
                "INSERT INTO llm_cache (key, reply, created_at, expires_at) VALUES (?, 'r', '2026-01-01', ?)"
            ),
        ] as [(String, String, Double, String)])
    func `mail, failures, links and model replies go when their time is over, and no sooner`(
        table: String, key: String, days: Double, insertion: String
    ) async throws {
        try await PrivateFixtures.withDatabase { database in
            try await database.run(
                "INSERT INTO users (id, role, state, created_at, updated_at) VALUES ('u', 'user', 'active', 't', 't')")
            for (name, age) in [("old", days + 0.001), ("new", days - 0.001)] {
                try await database.run(insertion, [.text(name), time(daysAgo: age)])
            }
            #expect(try await Retention(database).run(now: now).removed == [table: 1])
            #expect(try await database.texts(key, of: table) == ["new"])
        }
    }

    @Test func `the latest runs of the career monitor stay, and one that runs`() async throws {
        try await PrivateFixtures.withDatabase { database in
            for number in 0..<8 {
                let isRunning = number == 1
                try await database.run(
                    """
                    INSERT INTO monitor_runs (id, reason, state, report, started_at, ended_at)
                    VALUES (?, 'schedule', ?, '{}', ?, ?)
                    """,
                    [
                        .text("run-\(number)"), .text(isRunning ? "running" : "done"),
                        time(daysAgo: Double(10 - number)), isRunning ? .null : time(daysAgo: Double(9 - number)),
                    ])
            }
            #expect(try await Retention(database).run(now: now).total == 0)
            var rules = RetentionRules()
            #expect(rules.monitorRuns == 200)
            rules.monitorRuns = 3
            let report = try await Retention(database, rules: rules, batch: 2).run(now: now)
            #expect(report.removed == ["monitor_runs": 4])
            #expect(
                try await database.texts("id", of: "monitor_runs").sorted() == ["run-1", "run-5", "run-6", "run-7"])
        }
    }

    @Test func `more than a batch goes, with what hangs on it, and the rules can be changed`() async throws {
        try await PrivateFixtures.withDatabase { database in
            for number in 0..<25 {
                try await database.run(
                    "INSERT INTO sessions (id, kind, created_at, updated_at) VALUES (?, 'quiz', ?, ?)",
                    [.text("s\(number)"), time(daysAgo: 3), time(daysAgo: 3)])
                _ = try await CareerEventRepository(database).save(career: "nurse", in: "s\(number)")
            }
            var rules = RetentionRules()
            #expect(try await Retention(database, rules: rules, batch: 10).run(now: now).total == 0)
            rules.anonymousSessionsDays = 2
            let report = try await Retention(database, rules: rules, batch: 10).run(now: now)
            #expect(report.removed == ["anonymous_sessions": 25])
            #expect(try await database.count("sessions") == 0)
            #expect(try await database.count("career_events") == 0)
        }
    }
}
