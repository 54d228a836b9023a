import Foundation
import Platform
import Store
import TestSupport
import Testing

struct PersonTests {
    private let cipher: ColumnSealer

    init() throws { cipher = ColumnSealer(try PrivateFixtures.ring("k1")) }

    /// Two people with something in every table that can hold anything of theirs.
    ///
    /// - Returns: their ids and sessions.
    private func people(_ database: SQLiteDatabase) async throws -> (ada: String, adaSession: String, bob: String) {
        let users = UserRepository(database, cipher: cipher)
        var ids: [String] = []
        var sessions: [String] = []
        let time = SQLValue.time(PrivateFixtures.now)
        for name in ["ada", "bob"] {
            let email = "\(name)@example.org"
            let id = try await users.create(email: email, name: name, role: "user", passwordHash: "secret-hash-\(name)")
                .id
            let session = try await SessionRepository(database, cipher: cipher).create(
                kind: "quiz", owner: id, answers: #"{"19":"\#(name) likes 1.50 things"}"#, request: "{}", reply: "{}",
                recommendation: RecommendationRecord(
                    id: "recommendation-of-\(name)", generation: 1, careerIDs: ["nurse"], query: "{}"))
            _ = try await CareerEventRepository(database).save(career: "nurse", in: session)
            let replies = IdempotencyRepository(database, cipher: cipher)
            _ = try await replies.reserve(key: "key-\(name)", scope: "POST /x", requestHash: "h")
            try await replies.finish(
                key: "key-\(name)", scope: "POST /x",
                reply: StoredReply(
                    status: 200, contentType: "application/json", body: Array(#"{"session_id":"\#(session)"}"#.utf8)))
            let rows: [(String, [SQLValue])] = [
                (
                    "INSERT INTO api_keys (id, user_id, role, scopes, salt, hash, created_at) VALUES (?, ?, 'user', '[]', ?, ?, ?)",
                    [.text("key-\(name)"), .text(id), .blob([1]), .blob([2]), time]
                ),
                (
                    "INSERT INTO web_sessions (id_hash, user_id, created_at, last_seen_at, expires_at) VALUES (?, ?, ?, ?, ?)",
                    [.text("cookie-\(name)"), .text(id), time, time, time]
                ),
                (
                    "INSERT INTO sign_in_links (hash, user_id, expires_at) VALUES (?, ?, ?)",
                    [.text("link-\(name)"), .text(id), time]
                ),
                (
                    "INSERT INTO sign_in_attempts (subject, failures, updated_at) VALUES (?, 1, ?)",
                    [.text("account:" + cipher.index(email, column: "sign_in_attempts.subject")), time]
                ),
                (
                    "INSERT INTO sign_ins_under_way (id, subject, began_at) VALUES (?, ?, ?)",
                    [
                        .text("attempt-\(name)"),
                        .text("account:" + cipher.index(email, column: "sign_in_attempts.subject")), time,
                    ]
                ),
                (
                    """
                    INSERT INTO tasks (id, kind, payload, priority, state, attempts, maximum_attempts, due_at, cancel_requested,
                        created_at) VALUES (?, 'digest', ?, 0, 'waiting', 0, 3, ?, 0, ?)
                    """, [.text("task-\(name)"), .text(#"{"user_id":"\#(id)"}"#), time, time]
                ),
                (
                    "INSERT INTO task_effects (task_id, document, times, created_at) VALUES (?, '{}', 1, ?)",
                    [.text("task-\(name)"), time]
                ),
                (
                    """
                    INSERT INTO llm_usage (day, user_id, feature, provider, model, calls, input_tokens, output_tokens,
                        cost_nanodollars) VALUES ('2026-03-01', ?, 'f', 'p', 'm', 1, 10, 20, 30)
                    """, [.text(id)]
                ),
                (
                    "INSERT INTO llm_cache (key, user_id, reply, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
                    [
                        .text("cache-\(name)"), .text(id), .text(try cipher.seal("{}", column: "llm_cache.reply")),
                        time, time,
                    ]
                ),
                (
                    "INSERT INTO prompts (id, text, updated_at, updated_by) VALUES (?, 'text', ?, ?)",
                    [.text("prompt-\(name)"), time, .text(id)]
                ),
                (
                    "INSERT INTO mail_suppressions (address_index, list, reason, created_at) VALUES (?, '', 'bounced', ?)",
                    [.text(cipher.index(email, column: "mail_suppressions.address")), time]
                ),
                (
                    "INSERT INTO mail_log (message_key, address_index, outcome, finished_at) VALUES (?, ?, 'sent', ?)",
                    [.text("digest:\(id):1"), .text(cipher.index(email, column: "mail_suppressions.address")), time]
                ),
            ]
            for (sql, arguments) in rows { try await database.run(sql, arguments) }
            try await PrivateFixtures.serve(id, list: "list-of-\(name)", course: "course-of-\(name)", database, cipher)
            ids.append(id)
            sessions.append(session)
        }
        try await database.run(
            "INSERT INTO learner_assignments (educator_id, learner_id) VALUES (?, ?)", [.text(ids[1]), .text(ids[0])])
        return (ids[0], sessions[0], ids[1])
    }

    @Test func `an export has every table of the person's, opened, and nothing of another's`() async throws {
        try await PrivateFixtures.withDatabase { database in
            let people = try await people(database)
            let export = PersonExport(database, cipher: cipher, clock: { PrivateFixtures.now })
            let text = try #require(try await export.document(of: people.ada))
            let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            let tables = try #require(document["tables"] as? [String: [[String: Any]]])
            #expect(Set(tables.keys) == Set(PersonalData.tables.map(\.name)))
            #expect(tables.values.allSatisfy { $0.count == 1 })
            #expect(tables["users"]?.first?["email"] as? String == "ada@example.org")
            // Documents are JSON inside JSON, numbers as they were written.
            let answers = tables["sessions"]?.first?["answers"] as? [String: Any]
            #expect(answers?["19"] as? String == "ada likes 1.50 things")
            #expect(text.contains(people.adaSession) && !text.contains("bob@") && !text.contains("key-bob"))
            #expect(!text.contains("secret-hash") && !text.contains("pl1:") && !text.contains("cookie-ada"))
            #expect((document["left_out"] as? [String])?.contains("users.password_hash") == true)
            #expect(try await export.document(of: "nobody-at-all-here") == nil)
        }
    }

    @Test func `an erasure takes all of one person and nothing of another, and finds nothing afterwards`() async throws
    {
        try await PrivateFixtures.withDatabase { database in
            let people = try await people(database)
            let erasure = PersonErasure(database, cipher: cipher)
            let preview = try await erasure.preview(people.ada)
            let report = try await erasure.erase(people.ada)
            #expect(report.isProven, "\(report)")
            #expect(report.removed == preview)
            #expect(Set(report.removed.keys) == Set(PersonalData.tables.map(\.name)))
            #expect(report.scannedTables > 20 && report.scannedValues > 50)
            let export = PersonExport(database, cipher: cipher)
            #expect(try await export.document(of: people.ada) == nil)
            let bob = try #require(try await export.document(of: people.bob))
            for table in PersonalData.tables where table.name != "learner_assignments" {
                #expect(bob.contains("\"\(table.name)\": ["), "\(table.name)")
            }
            // The prompt is the service's, and the day's costs stay.
            #expect(try await database.count("prompts") == 2)
            #expect(try await database.count("llm_usage", where: "user_id = '' AND cost_nanodollars = 30") == 1)
            #expect(try await erasure.erase(people.ada).removed.isEmpty)
        }
    }

    @Test func `the proof finds what the registry does not know of`() async throws {
        try await PrivateFixtures.withDatabase { database in
            let people = try await people(database)
            try await database.run("CREATE TABLE notes (id INTEGER PRIMARY KEY, note TEXT, bytes BLOB, size INTEGER)")
            let marks: [SQLValue] = [
                .text("called \(people.ada) today"), .text("wrote to ADA@example.org."), .text(people.adaSession),
                .text("#" + cipher.index("ada@example.org", column: "users.email")),
            ]
            for mark in marks { try await database.run("INSERT INTO notes (note) VALUES (?)", [mark]) }
            try await database.run(
                "INSERT INTO notes (bytes) VALUES (?)", [.blob([0xFF, 0] + Array("<\(people.ada)>".utf8))])
            try await database.run("INSERT INTO notes (note) VALUES ('about x.ada@example.org and bob')")
            let report = try await PersonErasure(database, cipher: cipher).erase(people.ada)
            #expect(!report.isProven)
            #expect(
                Set(report.remains.map { "\($0.table).\($0.column) \($0.rows)" }) == ["notes.note 4", "notes.bytes 1"])
            #expect(!report.files.isEmpty)
        }
    }

    @Test func `nothing of an erased person is in the bytes of the files`() async throws {
        try await PrivateFixtures.withDatabase { database in
            let people = try await people(database)
            let marks = [people.ada, people.adaSession, "ada@example.org"]
            _ = try await PersonErasure(database, cipher: cipher).erase(people.ada)
            for path in [database.location, database.location + "-wal"] {
                let bytes = FileManager.default.contents(atPath: path) ?? Data()
                for mark in marks { #expect(bytes.range(of: Data(mark.utf8)) == nil, "\(mark) in \(path)") }
            }
        }
    }

    @Test func `a person whom only an identity provider knows has sessions alone`() async throws {
        try await PrivateFixtures.withDatabase { database in
            _ = try await people(database)
            let id = try await SessionRepository(database, cipher: cipher).create(
                kind: "quiz", owner: "eve", answers: "{}")
            let text = try #require(try await PersonExport(database, cipher: cipher).document(of: "eve"))
            #expect(text.contains(id))
            let report = try await PersonErasure(database, cipher: cipher).erase("eve")
            #expect(report.removed == ["sessions": 1] && report.isProven, "\(report)")
        }
    }

    @Test func `sealed values that no key opens leave the proof open`() async throws {
        try await PrivateFixtures.withDatabase { database in
            let lost = ColumnSealer(try PrivateFixtures.ring("k7"))
            _ = try await SessionRepository(database, cipher: lost).create(
                kind: "quiz", owner: "another", answers: "{}")
            let report = try await PersonErasure(database, cipher: cipher).erase("somebody-else")
            #expect(report.unopened == 1 && !report.isProven)
        }
    }
}

struct PersonalDataTests {
    @Test func `every table is in the registry with all its columns, or known to hold nobody`() async throws {
        try await PrivateFixtures.withDatabase { database in
            let schema = try await database.read { try SchemaCatalogue.read($0) }
            #expect(schema.tables.count > 20)
            let registered = Set(PersonalData.tables.map(\.name))
            #expect(registered.isDisjoint(with: PersonalData.withoutPersonalData))
            let known = registered.union(PersonalData.withoutPersonalData)
            #expect(Set(schema.tables.keys).subtracting(known) == [], "tell PersonalData whose these are")
            #expect(known.subtracting(schema.tables.keys) == [], "these are no tables any more")
            for table in PersonalData.tables {
                let columns = schema.tables[table.name]?.map(\.name) ?? []
                #expect(table.columns.map(\.name) == columns, "\(table.name)")
                #expect(Set(table.key).isSubset(of: columns), "\(table.name)")
            }
        }
    }

    @Test func `the keys of the registry are the keys of the tables`() async throws {
        try await PrivateFixtures.withDatabase { database in
            for table in PersonalData.tables {
                let key = try await database.read { connection in
                    try connection.query(
                        "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", [.text(table.name)]
                    ).map { try $0.text("name") }
                }
                #expect(table.key == key, "\(table.name)")
            }
        }
    }
}

struct MarkSearchTests {
    private func find(
        _ text: String, ids: [String] = [], addresses: [String] = [], short: ShortNames? = .all
    ) -> Bool {
        MarkSearch(ids: ids, addresses: addresses).matches(Array(text.utf8), short: short)
    }

    @Test func `long ids are found as whole words`() {
        let id = "0123456789abcdef"
        for text in [id, "x \(id) y", "\"\(id)\"", "a:\(id)", "task-\(id)_1", "\u{E9}\(id)\u{E9}"] {
            #expect(find(text, ids: [id]), "\(text)")
        }
        for text in ["", "\(id)0", "x\(id)", String(id.dropLast()), id.uppercased()] {
            #expect(!find(text, ids: [id]), "\(text)")
        }
    }

    @Test func `ids with signs are found between others`() {
        #expect(find("by auth0|a1b2c3d4e5f6.", ids: ["auth0|a1b2c3d4e5f6"]))
        #expect(!find("by auth0|a1b2c3d4e5f67", ids: ["auth0|a1b2c3d4e5f6"]))
    }

    @Test func `addresses are found in any case, and not inside longer ones`() {
        for text in [
            "Ada@Example.ORG", "<ada@example.org>", "ada@example.org.", "to=ada%40example.org&x", "x,ada@example.org-",
        ] {
            #expect(find(text, addresses: ["ada@example.org"]), "\(text)")
        }
        for text in [
            "nada@example.org", "x.ada@example.org", "a-ada@example.org", "ada@example.organic", "ada@example.org.uk",
        ] {
            #expect(!find(text, addresses: ["ada@example.org"]), "\(text)")
        }
    }

    @Test func `short ids count as whole values and parts alone, where they can mean somebody`() {
        for text in ["ada", #"{"user":"ada"}"#, "digest:ada", "digest:ada:1", "/users/ada/x"] {
            #expect(find(text, ids: ["ada"]), "\(text)")
            #expect(!find(text, ids: ["ada"], short: nil), "\(text)")
        }
        for text in ["Canada", "ada lovelace", #"{"ada lovelace":1}"#, "adas"] {
            #expect(!find(text, ids: ["ada"]), "\(text)")
        }
    }

    @Test func `random texts around a mark agree with a plain search`() {
        var generator = SeededGenerator(seed: 71)
        let id = "feedfacecafe1234"
        let alphabet = Array("abcdef0123456789 .:/\"".utf8)
        for _ in 0..<2_000 {
            var bytes = (0..<Int.random(in: 0..<40, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator)!
            }
            let isIn = Bool.random(using: &generator)
            if isIn {
                let place = Int.random(in: 0...bytes.count, using: &generator)
                bytes.insert(contentsOf: Array(" \(id) ".utf8), at: place)
            }
            let isFound = MarkSearch(ids: [id], addresses: []).matches(bytes, short: .all)
            #expect(isFound == isIn, "\(String(decoding: bytes, as: UTF8.self)) \(generator)")
        }
    }
}
