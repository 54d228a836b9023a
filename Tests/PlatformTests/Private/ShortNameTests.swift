import Foundation
import Platform
import Store
import TestSupport
import Testing

/// People whom an identity provider calls by what may be a word or a number of any text.
struct ShortNameTests {
    private func find(_ name: String, _ text: String, _ short: ShortNames) -> Bool {
        MarkSearch(ids: [name], addresses: []).matches(Array(text.utf8), short: short)
    }

    @Test func `a number is nobody's name where it counts, ranks or tells the time`() {
        for text in [
            #"{"rank":2,"score":2.2,"a":[2,2]}"#, #"{"question":"2","answers":{"2":"2"}}"#, #"{"user_id":22,"user":2}"#,
            "2026-02-22T02:22:02.222Z", #"{"user_id":"22"}"#, #"{"id of user":"2"}"#, "of user 2 more", "12", "a2",
            "2,",
        ] {
            #expect(!find("2", text, .all), "\(text)")
        }
        for name in ["15", "07"] { #expect(!find(name, "schedule:mail:2026-11-22T03:15:07.000Z", .all), "\(name)") }
        #expect(!find("15", "x:2026-11-22T15:15:15", .parts))
    }

    @Test func `each column knows its names in its own way`() {
        #expect(find("2", "2", .whole) && !find("2", "digest:2", .whole))
        for text in ["2", "digest:2", "digest:2026-11-22:2", "/users/2/x", "2:digest"] {
            #expect(find("2", text, .parts), "\(text)")
            #expect(!find("2", text, .caller) && !find("2", text, .fields), "\(text)")
        }
        #expect(find("15", "digest:15:1", .parts) && find("15", "digest:2026-11-22:15", .parts))
        for text in ["POST /api/x of user 2", "GET / of user 2"] {
            #expect(find("2", text, .caller) && find("2", text, .all) && !find("2", text, .parts), "\(text)")
        }
        for text in [
            "POST /api/2 of user 3", "POST /x of user 22", "POST /x of user 12", "POST /x of key 2",
            "POST /x of user 2 ",
            // Who is called “a of user 2”.
            "POST /x of user a of user 2",
        ] {
            #expect(!find("2", text, .caller), "\(text)")
        }
        for text in [
            #"{"user_id":"2"}"#, "{\"userId\" :\n \"2\"}", #"[{"a":1,"owner":"2","b":2}]"#, #"{"learner_id": "2"}"#,
        ] {
            #expect(find("2", text, .fields) && find("2", text, .all) && !find("2", text, .caller), "\(text)")
        }
        for text in [#""2""#, #"user:"2""#, #"{"user":"2"#, #"{"users":"2"}"#, #"{"":"2"}"#, #"x":"2""#] {
            #expect(!find("2", text, .fields), "\(text)")
        }
    }

    @Test func `random text is no trap`() {
        var generator = SeededGenerator(seed: 81)
        let alphabet = Array(#"2T: "/_{}userof"#.utf8)
        let search = MarkSearch(ids: ["2"], addresses: [])
        for _ in 0..<5_000 {
            let bytes = (0..<Int.random(in: 0..<24, using: &generator)).compactMap { _ in
                alphabet.randomElement(using: &generator)
            }
            for short in [ShortNames.whole, .parts, .caller, .fields] where search.matches(bytes, short: short) {
                #expect(bytes.contains(UInt8(ascii: "2")) && (short == .whole || search.matches(bytes, short: .all)))
            }
        }
    }

    /// Kept replies, tasks and messages of the user `2`, of `22`, and of people without a name, full of twos.
    private func fill(_ database: SQLiteDatabase) async throws {
        let replies = IdempotencyRepository(database)
        let time = SQLValue.text("2026-02-22T02:02:02.222Z")
        for (number, (key, scope)) in [
            ("2", "POST /api/results/recommend"), ("a", "POST /api/2/recommend of user 22"),
            ("b", "POST /api/quiz of user 12"), ("c", "POST /api/quiz of key 2"), ("d", "POST /api/quiz of user a"),
            ("theirs", "POST /api/quiz of user 2"),
        ].enumerated() {
            _ = try await replies.reserve(key: key, scope: scope, requestHash: "h\(number)")
            try await replies.finish(
                key: key, scope: scope,
                reply: StoredReply(
                    status: 200, contentType: "application/json",
                    body: Array(#"{"rank":2,"question":"2","n":[2,2],"user_id":2,"at":"2026-02-22T02:02:02Z"}"#.utf8)))
        }
        for (id, payload, key) in [
            ("of-nobody", #"{"batch":2,"part":"2"}"#, "schedule:2x:2026-02-22T02:02:02Z"),
            ("of-another", #"{"user_id":"22"}"#, "digest:22"), ("of-them", #"{"user_id":"2"}"#, "digest:3"),
            ("of-them-too", "{}", "digest:2026-02-22:2"),
        ] {
            try await database.run(
                """
                INSERT INTO tasks (id, kind, payload, unique_key, priority, state, attempts, maximum_attempts, due_at,
                    cancel_requested, created_at) VALUES (?, '2', ?, ?, 0, 'waiting', 0, 3, ?, 0, ?)
                """, [.text(id), .text(payload), .text(key), time, time])
        }
        for key in ["digest:2026-02-22:2", "digest:2026-02-22:22", "account:0123456789abcdef"] {
            try await database.run(
                "INSERT INTO mail_log (message_key, address_index, outcome, finished_at, detail) VALUES (?, 'i', 'sent', ?, '2')",
                [.text(key), time])
        }
        let sessions = SessionRepository(database)
        _ = try await sessions.create(kind: "quiz", owner: "2", answers: #"{"2":"2"}"#)
        _ = try await sessions.create(kind: "quiz", owner: "22", answers: #"{"2":"2"}"#)
    }

    @Test func `who is called “2” is exported and erased, and nobody beside`() async throws {
        try await PrivateFixtures.withDatabase { database in
            try await fill(database)
            let text = try #require(try await PersonExport(database, cipher: PlainColumns()).document(of: "2"))
            let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            let tables = try #require(document["tables"] as? [String: [[String: Any]]])
            #expect(
                tables.mapValues(\.count) == ["sessions": 1, "idempotent_requests": 1, "tasks": 2, "mail_log": 1],
                "\(tables.mapValues(\.count))")
            #expect(tables["idempotent_requests"]?.first?["key"] as? String == "theirs")

            let report = try await PersonErasure(database, cipher: PlainColumns()).erase("2")
            #expect(report.removed == ["sessions": 1, "idempotent_requests": 1, "tasks": 2, "mail_log": 1])
            #expect(report.isProven, "\(report)")
            #expect(
                try await database.texts("key", of: "idempotent_requests").sorted() == ["2", "a", "b", "c", "d"])
            #expect(try await database.texts("id", of: "tasks").sorted() == ["of-another", "of-nobody"])
            #expect(try await database.count("mail_log") == 2)
            #expect(try await database.texts("owner", of: "sessions") == ["22"])
        }
    }

    @Test func `the proof finds a short name in a table that nobody knows`() async throws {
        try await PrivateFixtures.withDatabase { database in
            try await database.run("CREATE TABLE notes (note TEXT)")
            for note in ["2", #"{"owner": "2"}"#, "2 of them", "22"] {
                try await database.run("INSERT INTO notes (note) VALUES (?)", [.text(note)])
            }
            let report = try await PersonErasure(database, cipher: PlainColumns()).erase("2")
            #expect(report.remains.map { "\($0.table).\($0.column) \($0.rows)" } == ["notes.note 2"])
        }
    }
}
