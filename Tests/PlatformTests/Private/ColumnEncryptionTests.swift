import Foundation
import Platform
import Store
import TestSupport
import Testing

struct ColumnEncryptionTests {
    private func settings(
        _ folder: TemporaryDirectory, _ mode: EncryptionSettings.Mode = .automatic, keys: String? = nil
    ) -> EncryptionSettings {
        EncryptionSettings(mode: mode, keys: keys, dataDirectory: folder.url.path)
    }

    @Test func `the first start makes a key file, later ones read it`() async throws {
        let folder = try TemporaryDirectory()
        try await PrivateFixtures.withDatabase { database in
            let first = try await ColumnEncryption.open(settings(folder), database: database)
            let file = try #require(first.madeFile)
            #expect(file == folder.url.path + "/keys/columns.key")
            let sealed = try first.cipher.seal("Ada", column: "users.name")
            let second = try await ColumnEncryption.open(settings(folder), database: database)
            #expect(second.madeFile == nil)
            #expect(try second.cipher.open(sealed, column: "users.name") == "Ada")
            #expect(try await database.count("column_keys") == 2)
        }
    }

    @Test func `a missing key file is never replaced by a new one while something is sealed`() async throws {
        let folder = try TemporaryDirectory()
        try await PrivateFixtures.withDatabase { database in
            let first = try await ColumnEncryption.open(settings(folder), database: database)
            let id = try #require(first.sealer?.currentID)
            _ = try await SessionRepository(database, cipher: first.cipher).create(kind: "quiz", answers: "{}")
            try FileManager.default.removeItem(atPath: folder.url.path + "/keys/columns.key")
            for mode in [EncryptionSettings.Mode.automatic, .off] {
                let error = await #expect(throws: KeyRingError.self) {
                    try await ColumnEncryption.open(settings(folder, mode), database: database)
                }
                #expect(error?.code == .wrongKey && error?.message.contains(id) == true, "\(mode)")
            }
            #expect(!FileManager.default.fileExists(atPath: folder.url.path + "/keys/columns.key"))
        }
    }

    @Test func `a key that seals nothing is not missed`() async throws {
        let folder = try TemporaryDirectory()
        try await PrivateFixtures.withDatabase { database in
            _ = try await ColumnEncryption.open(settings(folder), database: database)
            try FileManager.default.removeItem(atPath: folder.url.path + "/keys/columns.key")
            let again = try await ColumnEncryption.open(settings(folder), database: database)
            #expect(again.madeFile != nil)
            #expect(try await database.count("column_keys") == 2)
        }
    }

    @Test func `another key of the same name is refused, and another index key`() async throws {
        let folder = try TemporaryDirectory()
        let secrets = PrivateFixtures.secrets
        try await PrivateFixtures.withDatabase { database in
            let right = settings(folder, keys: "k1 \(secrets[0]),index \(secrets[1])")
            _ = try await ColumnEncryption.open(right, database: database)
            let wrong = settings(folder, keys: "k1 \(secrets[2]),index \(secrets[1])")
            let error = await #expect(throws: KeyRingError.self) {
                try await ColumnEncryption.open(wrong, database: database)
            }
            #expect(error?.code == .wrongKey && error?.message.contains("k1") == true)
            let index = await #expect(throws: KeyRingError.self) {
                try await ColumnEncryption.open(settings(folder, keys: "k1 \(secrets[0])"), database: database)
            }
            #expect(index?.code == .wrongKey && index?.message.contains("index") == true)
            _ = try await ColumnEncryption.open(right, database: database)
        }
    }

    @Test func `a key that addresses without mail are found by is missed`() async throws {
        let folder = try TemporaryDirectory()
        try await PrivateFixtures.withDatabase { database in
            let cipher = try await ColumnEncryption.open(settings(folder), database: database).cipher
            let mail = MailSuppressionRepository(database, cipher: cipher)
            try await mail.suppress(index: mail.index(of: "eve@example.org"), list: "digest", reason: .unsubscribed)
            let file = folder.url.path + "/keys/columns.key"
            let kept = try #require(FileManager.default.contents(atPath: file))
            try FileManager.default.removeItem(atPath: file)
            let error = await #expect(throws: KeyRingError.self) {
                try await ColumnEncryption.open(settings(folder), database: database)
            }
            #expect(error?.code == .wrongKey && error?.message.contains("pathlight mail lift --all") == true)
            #expect(!FileManager.default.fileExists(atPath: file))
            try kept.write(to: URL(fileURLWithPath: file))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
            let again = try await ColumnEncryption.open(settings(folder), database: database).cipher
            let found = try await MailSuppressionRepository(database, cipher: again).suppressions(of: "eve@example.org")
            #expect(found.map(\.reason) == [.unsubscribed])
        }
    }

    @Test func `who is no account and left a list before there was a key stays off it`() async throws {
        let folder = try TemporaryDirectory()
        try await PrivateFixtures.withDatabase { database in
            let plain = MailSuppressionRepository(database, cipher: PlainColumns())
            try await plain.suppress(index: plain.index(of: "eve@example.org"), list: "digest", reason: .unsubscribed)
            let cipher = try await ColumnEncryption.open(settings(folder), database: database).cipher
            let mail = MailSuppressionRepository(database, cipher: cipher)
            #expect(try await mail.suppression(of: "eve@example.org", list: "digest")?.reason == .unsubscribed)
        }
    }

    @Test func `a look says what a start would, and changes nothing`() async throws {
        let folder = try TemporaryDirectory()
        let secrets = PrivateFixtures.secrets
        func dump(_ database: SQLiteDatabase) async throws -> [[String]] {
            [
                try await database.texts("key_id", of: "column_keys").sorted(),
                try await database.texts("check_value", of: "column_keys").sorted(),
                try await database.texts("email_index", of: "users"),
            ]
        }
        try await PrivateFixtures.withDatabase { database in
            _ = try await UserRepository(database, cipher: PlainColumns()).create(
                email: "ada@example.org", name: "Ada", role: "user", passwordHash: nil)
            let empty = try await dump(database)
            let first = try await ColumnEncryption.open(
                settings(folder), database: database, makesKeys: false, changes: false)
            #expect(first.sealer == nil && first.madeFile == nil)
            let right = settings(folder, keys: "k1 \(secrets[0]),index \(secrets[1])")
            let look = try await ColumnEncryption.open(right, database: database, makesKeys: false, changes: false)
            #expect(look.sealer?.currentID == "k1" && look.reindexed == 0)
            #expect(try await dump(database) == empty)
            // A start, and then a look with what a start would refuse or drop.
            let cipher = try await ColumnEncryption.open(right, database: database).cipher
            let started = try await dump(database)
            #expect(started != empty)
            _ = try await ColumnEncryption.open(
                settings(folder, keys: "k2 \(secrets[2]),index \(secrets[1])"), database: database, makesKeys: false,
                changes: false)
            #expect(try await dump(database) == started)
            _ = try await SessionRepository(database, cipher: cipher).create(kind: "quiz", answers: "{}")
            await #expect(throws: KeyRingError.self) {
                try await ColumnEncryption.open(
                    settings(folder, keys: "k2 \(secrets[2]),index \(secrets[1])"), database: database,
                    makesKeys: false, changes: false)
            }
        }
    }

    @Test func `where keys are required, none is made`() async throws {
        let folder = try TemporaryDirectory()
        try await PrivateFixtures.withDatabase { database in
            let error = await #expect(throws: KeyRingError.self) {
                try await ColumnEncryption.open(settings(folder, .required), database: database)
            }
            #expect(error?.code == .missingFile && error?.message.contains("PATHLIGHT_ENCRYPTION_KEY_FILE") == true)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
            let plain = try await ColumnEncryption.open(settings(folder), database: database, makesKeys: false)
            #expect(plain.sealer == nil && plain.cipher is PlainColumns)
        }
    }

    @Test func `accounts and withheld mail from before there was a key are found with it`() async throws {
        let folder = try TemporaryDirectory()
        try await PrivateFixtures.withDatabase { database in
            let plain = PlainColumns()
            let user = try await UserRepository(database, cipher: plain).create(
                email: "ada@example.org", name: "Ada", role: "user", passwordHash: nil)
            try await database.run(
                """
                INSERT INTO mail_suppressions (address_index, list, reason, created_at)
                VALUES (?, '', 'unsubscribed', '2026-01-01T00:00:00.000Z')
                """, [.text(plain.index("ada@example.org", column: "mail_suppressions.address"))])
            let opened = try await ColumnEncryption.open(settings(folder), database: database)
            #expect(opened.reindexed == 1)
            let found = try await UserRepository(database, cipher: opened.cipher).user(email: "ada@example.org")
            #expect(found?.id == user.id && found?.name == "Ada")
            let index = opened.cipher.index("ada@example.org", column: "mail_suppressions.address")
            #expect(try await database.texts("address_index", of: "mail_suppressions") == [index])
            #expect(try await ColumnEncryption.open(settings(folder), database: database).reindexed == 0)
            // And back, as long as nothing is sealed, and nobody would get mail again who is to get none.
            let refused = await #expect(throws: KeyRingError.self) {
                try await ColumnEncryption.open(settings(folder, .off), database: database)
            }
            #expect(refused?.code == .wrongKey && refused?.message.contains("1 addresses") == true)
            #expect(try await MailSuppressionRepository(database, cipher: opened.cipher).removeAll() == 1)
            let off = try await ColumnEncryption.open(settings(folder, .off), database: database)
            #expect(
                try await UserRepository(database, cipher: off.cipher).user(email: "ada@example.org")?.id == user.id)
        }
    }

    @Test func `the settings come from the environment, and a wrong mode is named`() throws {
        let read = try EncryptionSettings.read(
            [
                "PATHLIGHT_ENCRYPTION": "required", "PATHLIGHT_ENCRYPTION_KEY_FILE": "/keys",
                "PATHLIGHT_ENCRYPTION_KEYS": "",
            ],
            dataDirectory: "d")
        #expect(read == EncryptionSettings(mode: .required, keyFile: "/keys", dataDirectory: "d"))
        #expect(throws: KeyRingError.self) {
            try EncryptionSettings.read(["PATHLIGHT_ENCRYPTION": "on"], dataDirectory: "d")
        }
    }
}

struct KeyRotationTests {
    /// Rows of every table that has sealed columns: plain ones and ones under `cipher`.
    private func fill(_ database: SQLiteDatabase, _ ciphers: [any ColumnCipher]) async throws {
        for (number, cipher) in ciphers.enumerated() {
            let sessions = SessionRepository(database, cipher: cipher)
            for row in 0..<7 {
                _ = try await sessions.create(
                    kind: "quiz", owner: "u", answers: "answers \(number) \(row)", request: "asked", reply: "told",
                    recommendation: RecommendationRecord(
                        id: "r\(number)-\(row)", generation: 1, careerIDs: [], query: "query"))
            }
            let replies = IdempotencyRepository(database, cipher: cipher)
            _ = try await replies.reserve(key: "k\(number)", scope: "s", requestHash: "h")
            try await replies.finish(
                key: "k\(number)", scope: "s", reply: StoredReply(status: 200, contentType: "t", body: [0xFF, 0x00]))
            _ = try await UserRepository(database, cipher: cipher).create(
                email: "user\(number)@example.org", name: "User \(number)", role: "user", passwordHash: nil)
            try await LLMCacheRepository(database, cipher: cipher).set(
                "k\(number)", to: "reply \(number)", userID: nil, expiresAt: .distantFuture)
            try await PrivateFixtures.serve(
                "student\(number)", list: "list \(number)", course: "course \(number)", database, cipher)
        }
    }

    private func outstanding(_ resealer: Resealer, _ current: String) async throws -> Int {
        try await resealer.state().reduce(0) { $0 + $1.outstanding(current: current) }
    }

    @Test func `plain values and values of an old key end under the current one, unchanged`() async throws {
        try await PrivateFixtures.withDatabase { database in
            try await fill(database, [PlainColumns(), ColumnSealer(try PrivateFixtures.ring("k1"))])
            let sealer = ColumnSealer(try PrivateFixtures.ring("k2", "k1"))
            let resealer = Resealer(database, sealer: sealer, batch: 3)
            // Per key: 7 × (answers, request, reply, request, query), a kept reply, an address, a name, a model's reply, a student and their list.
            #expect(try await outstanding(resealer, "k2") == 2 * 41)
            let report = try await resealer.run()
            #expect(report.resealed == 2 * 41 && report.unopened.isEmpty)
            #expect(try await outstanding(resealer, "k2") == 0)
            // None of the columns that are sealed went unseen.
            let state = try await resealer.state()
            #expect(Set(state.map(\.column)) == Set(PersonalData.sealedColumns.map(\.name)))
            #expect(state.allSatisfy { $0.byKey.keys.sorted() == ["k2"] }, "\(state)")
            let alone = ColumnSealer(try PrivateFixtures.ring("k2"))
            let sessions = SessionRepository(database, cipher: alone)
            var answers: Set<String> = []
            for id in try await database.texts("id", of: "sessions") {
                answers.insert(try #require(try await sessions.session(id: id)?.answers))
            }
            #expect(answers.count == 14 && answers.contains("answers 1 6"))
            for number in 0..<2 {
                let reply = try await LLMCacheRepository(database, cipher: alone).reply(of: "k\(number)")
                #expect(reply?.text == "reply \(number)")
            }
            let reply = try await IdempotencyRepository(database, cipher: alone).reserve(
                key: "k0", scope: "s", requestHash: "h")
            #expect(reply == .done(StoredReply(status: 200, contentType: "t", body: [0xFF, 0x00])))
            #expect(try await resealer.run() == Resealer.Report())
        }
    }

    @Test func `a run that is killed after any batch is gone on with`() async throws {
        try await PrivateFixtures.withDatabase { database in
            try await fill(database, [PlainColumns()])
            let sealer = ColumnSealer(try PrivateFixtures.ring("k1"))
            var left = try await outstanding(Resealer(database, sealer: sealer), "k1")
            let column = try #require(PersonalData.sealedColumns.first { $0.name == "sessions.answers" })
            // Each run does one batch of two and forgets where it was.
            while let step = try await Resealer(database, sealer: sealer, batch: 2).step(column, after: nil) {
                let now = try await outstanding(Resealer(database, sealer: sealer), "k1")
                #expect(step.resealed > 0 && left - now == step.resealed)
                left = now
            }
            _ = try await Resealer(database, sealer: sealer, batch: 2).run()
            #expect(try await outstanding(Resealer(database, sealer: sealer), "k1") == 0)
        }
    }

    @Test func `a value that no key opens is counted and left alone`() async throws {
        try await PrivateFixtures.withDatabase { database in
            try await fill(database, [ColumnSealer(try PrivateFixtures.ring("k9"))])
            let resealer = Resealer(database, sealer: ColumnSealer(try PrivateFixtures.ring("k2")), batch: 4)
            let before = try await database.texts("answers", of: "sessions")
            let report = try await resealer.run()
            #expect(report.resealed == 0 && report.unopened["sessions.answers"] == 7)
            #expect(try await database.texts("answers", of: "sessions") == before)
            #expect(try await resealer.state().first { $0.column == "sessions.answers" }?.unknown == 7)
        }
    }

    @Test func `a rotation adds a key that a running service follows, and says when the old one may go`() async throws {
        let folder = try TemporaryDirectory()
        try await PrivateFixtures.withDatabase { database in
            let settings = EncryptionSettings(dataDirectory: folder.url.path)
            let running = try #require(try await ColumnEncryption.open(settings, database: database).sealer)
            let old = running.currentID
            _ = try await SessionRepository(database, cipher: running).create(kind: "quiz", answers: "said")

            let other = try #require(try await ColumnEncryption.open(settings, database: database).sealer)
            var generator = SystemRandomNumberGenerator()
            let rotation = KeyRotation(database, sealer: other)
            let new = try await rotation.addKey(using: &generator)
            #expect(new != old && other.currentID == new)
            #expect(try await rotation.unusedKeys().isEmpty)
            let sealed = try other.seal("by the other", column: "users.name")
            #expect(try running.open(sealed, column: "users.name") == "by the other")
            #expect(running.index("a", column: "users.email") == other.index("a", column: "users.email"))

            _ = try await Resealer(database, sealer: other).run()
            #expect(try await rotation.unusedKeys() == [old])
            // Its line removed, a start forgets it.
            let file = KeyFile(folder.url.path + "/keys/columns.key")
            let lines = try String(contentsOfFile: file.path, encoding: .utf8).split(separator: "\n")
            let shorter = lines.filter { !$0.hasPrefix(old) }.joined(separator: "\n")
            try Data(shorter.utf8).write(to: URL(fileURLWithPath: file.path))
            let last = try await ColumnEncryption.open(settings, database: database)
            let id = try #require(try await database.texts("id", of: "sessions").first)
            #expect(try await SessionRepository(database, cipher: last.cipher).session(id: id)?.answers == "said")
            #expect(Set(try await database.texts("key_id", of: "column_keys")) == [new, "index"])
        }
    }

    @Test func `keys of the environment are not rotated here`() async throws {
        let folder = try TemporaryDirectory()
        try await PrivateFixtures.withDatabase { database in
            let settings = EncryptionSettings(keys: "k1 \(PrivateFixtures.secrets[0])", dataDirectory: folder.url.path)
            let sealer = try #require(try await ColumnEncryption.open(settings, database: database).sealer)
            var generator = SystemRandomNumberGenerator()
            do {
                _ = try await KeyRotation(database, sealer: sealer).addKey(using: &generator)
                Issue.record("a key was added to the environment")
            } catch let error as KeyRingError {
                #expect(error.code == .settings)
            }
        }
    }
}
