import CoreFoundation
import Dispatch
import Foundation
import Glibc
import Platform
import Store
import TestSupport
import Testing

/// What erasing and exporting do beside the tables: messages that lie as files, other databases, readers in the way.
struct PersonFilesTests {
    /// A database in a folder with a folder for mail, an account of Ada and a session of hers.
    private func withAda(
        _ body: (SQLiteDatabase, _ ada: String, _ folder: String) async throws -> Void
    ) async throws {
        let folder = try TemporaryDirectory()
        let database = try await SQLiteDatabase.open(
            SQLiteSettings(path: folder.path + "/pathlight.db", busyTimeout: .milliseconds(200)))
        _ = try await SchemaMigrator().migrate(database)
        let ada = try await UserRepository(database, cipher: PlainColumns()).create(
            email: "ada@example.org", name: "Ada", role: "user", passwordHash: nil)
        _ = try await SessionRepository(database).create(kind: "quiz", owner: ada.id, answers: "{}")
        do {
            try await body(database, ada.id, folder.path)
        } catch {
            try? await database.close()
            throw error
        }
        try await database.close()
    }

    private func leave(_ text: String, to: String, in folder: String) async throws {
        let outcome = await FolderMailer(folder: folder).send(try MailFixture.message(to: to, text: text))
        guard case .sent = outcome else { throw POSIXError(.EIO) }
    }

    private func erasure(_ database: SQLiteDatabase, _ folder: String) -> PersonErasure {
        PersonErasure(database, cipher: PlainColumns(), mailFolder: folder + "/mail")
    }

    @Test func `messages to somebody are exported and go, and those that name them are told of`() async throws {
        try await withAda { database, ada, folder in
            try await leave("Grüße, and a link", to: "Ada <Ada@Example.org>", in: folder + "/mail")
            try await leave("Nothing of anybody", to: "Eve <eve@example.org>", in: folder + "/mail")
            // In a body that is encoded, since it has letters beyond ASCII.
            try await leave("Grüße von ada@example.org", to: "Bob <bob@example.org>", in: folder + "/mail")
            let export = PersonExport(database, cipher: PlainColumns(), mailFolder: folder + "/mail")
            let text = try #require(try await export.document(of: ada))
            let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            let messages = try #require(document["messages"] as? [[String: String]])
            #expect(messages.count == 1 && messages.first?["text"]?.contains("Ada@example.org") == true)
            #expect(messages.first?["file"]?.hasSuffix(".eml") == true)

            let report = try await erasure(database, folder).erase(ada)
            #expect(report.removedMessages.count == 1 && report.remains.isEmpty && report.doubts.isEmpty)
            let left = try FileManager.default.contentsOfDirectory(atPath: folder + "/mail")
            #expect(left.count == 2)
            let bob = try #require(report.files.first)
            #expect(report.files.count == 1 && !report.isProven)
            #expect(try String(contentsOfFile: bob, encoding: .utf8).contains("bob@example.org"))
            #expect(!report.isOfIDAlone)
        }
    }

    @Test(
        arguments: ["https://careers.example.org", "https://a-school-with-a-rather-long-name.example.org/careers"],
        // The encoding writes an F otherwise where a line begins.
        ["Ab_-0123456789abcdefghijklmnopqrstuvwxyzABC", String(repeating: "F", count: 43)])
    func `the secrets of links are not in the export`(base: String, secret: String) async throws {
        try await withAda { database, ada, folder in
            let link = "\(base)/reset-password?token=\(secret)"
            let message = try MailFixture.message(
                text: "Grüße. Open this:\n\n\(link)\n\nNo secret: token=short\n",
                html: "<p><a href=\"\(link)\">\(link)</a></p>")
            let outcome = await FolderMailer(folder: folder + "/mail").send(message)
            guard case .sent = outcome else { throw POSIXError(.EIO) }
            let export = PersonExport(database, cipher: PlainColumns(), mailFolder: folder + "/mail")
            let text = try #require(try await export.document(of: ada))
            let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            let messages = try #require(document["messages"] as? [[String: String]])
            // Without the breaks that the encoding puts into lines.
            let shown = try #require(messages.first?["text"]).replacing("=\r\n", with: "")
            #expect(!shown.contains(secret.prefix(8)) && !shown.contains(secret.suffix(8)))
            let asterisks = String(repeating: "*", count: 43)
            #expect(shown.split(separator: "reset-password?token=3D\(asterisks)").count == 4)
            #expect(shown.contains("token=3Dshort"))
        }
    }

    @Test func `without a folder for mail there are no messages`() async throws {
        try await withAda { database, ada, folder in
            let text = try #require(
                try await PersonExport(database, cipher: PlainColumns(), mailFolder: folder + "/mail").document(of: ada)
            )
            let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            #expect((document["messages"] as? [Any])?.isEmpty == true)
            #expect(try await erasure(database, folder).erase(ada).isProven)
        }
    }

    @Test func `a folder for mail that cannot be read keeps the rows, which alone know the address`() async throws {
        try await withAda { database, ada, folder in
            try Data().write(to: URL(fileURLWithPath: folder + "/mail"))
            let report = try await erasure(database, folder).erase(ada)
            #expect(report.removed.isEmpty && report.isHeldBack && !report.isProven)
            #expect(Array(report.doubts.keys) == [folder + "/mail"])
            try FileManager.default.removeItem(atPath: folder + "/mail")
            let again = try await erasure(database, folder).erase(ada)
            #expect(again.removed["users"] == 1 && again.isProven, "\(again)")
        }
    }

    @Test func `a message that stays keeps no other, and is found when they are erased again`() async throws {
        try await withAda { database, ada, folder in
            let mail = folder + "/mail"
            for text in ["one", "two", "three"] { try await leave(text, to: "ada@example.org", in: mail) }
            let messages = try FileManager.default.contentsOfDirectory(atPath: mail).sorted().map { "\(mail)/\($0)" }
            let stuck = try #require(messages.first)
            // Before all others; no user can read a folder as a file, root neither.
            let closed = mail + "/0.eml"
            try FileManager.default.createDirectory(atPath: closed, withIntermediateDirectories: false)
            // Has gone when it is looked at.
            try FileManager.default.createSymbolicLink(atPath: mail + "/1.eml", withDestinationPath: mail + "/gone")
            let hindered = PersonErasure(database, cipher: PlainColumns(), mailFolder: mail) { path in
                guard path != stuck else { throw POSIXError(.EPERM) }
                try FileManager.default.removeItem(atPath: path)
            }
            let first = try await hindered.erase(ada)
            #expect(Set(first.removedMessages) == Set(messages.dropFirst()))
            #expect(Set(first.doubts.keys) == [stuck, closed])
            #expect(first.isHeldBack && !first.isProven && first.removed.isEmpty)

            try FileManager.default.removeItem(atPath: closed)
            let second = try await erasure(database, folder).erase(ada)
            #expect(second.removedMessages == [stuck] && second.removed["users"] == 1, "\(second)")
            #expect(second.isProven && !second.isHeldBack, "\(second)")
        }
    }

    @Test func `the id alone proves nothing of messages`() async throws {
        try await withAda { database, ada, folder in
            let mail = folder + "/mail"
            try await leave("Nothing of anybody", to: "Eve <eve@example.org>", in: mail)
            let first = try await erasure(database, folder).erase(ada)
            #expect(first.isProven, "\(first)")
            // As one may have been left that an earlier version did not find.
            try await leave("Hello", to: "ada@example.org", in: mail)
            let second = try await erasure(database, folder).erase(ada)
            #expect(second.isOfIDAlone && !second.isProven && !second.isHeldBack, "\(second)")
            #expect(Array(second.doubts.keys) == [mail])
            for name in try FileManager.default.contentsOfDirectory(atPath: mail) {
                try FileManager.default.removeItem(atPath: "\(mail)/\(name)")
            }
            #expect(try await erasure(database, folder).erase(ada).isProven)
        }
    }

    @Test func `a database that a restore set aside is looked through`() async throws {
        try await withAda { database, ada, folder in
            let kept = database.location + ".before-restore-20260301T120000Z"
            _ = try await SQLiteBackup.make(of: database.location, to: kept, program: "test")
            #expect(try await erasure(database, folder).erase(ada).files == [kept])
            try FileManager.default.removeItem(atPath: kept)
            let again = try await erasure(database, folder).erase(ada)
            #expect(again.isProven, "\(again)")
        }
    }

    @Test func `a reader in the way leaves the proof open, and the report says what has gone`() async throws {
        try await withAda { database, ada, folder in
            let other = try await SQLiteDatabase.open(SQLiteSettings(path: database.location))
            let (begun, began) = AsyncStream<Void>.makeStream()
            let end = DispatchSemaphore(value: 0)
            async let reading: Int = other.read { connection in
                let count = try connection.first("SELECT COUNT(*) AS n FROM users")?.int("n") ?? 0
                began.finish()
                end.wait()
                return count
            }
            for await _ in begun {}
            let report = try await erasure(database, folder).erase(ada)
            end.signal()
            #expect(try await reading == 1)
            try await other.close()
            #expect(report.removed["users"] == 1 && report.removed["sessions"] == 1 && report.remains.isEmpty)
            #expect(!report.isProven && report.doubts[database.location]?.contains("backup") == true, "\(report)")

            // All that the next run knows is the id: the file is written anew, whatever it looks for.
            let second = try await erasure(database, folder).erase(ada)
            #expect(second.isProven && second.isRewritten && second.isOfIDAlone, "\(second)")
            for path in [database.location, database.location + "-wal"] {
                let bytes = FileManager.default.contents(atPath: path) ?? Data()
                for mark in [ada, "ada@example.org"] { #expect(bytes.range(of: Data(mark.utf8)) == nil, "\(mark)") }
            }
        }
    }

    @Test func `looking through its file leaves the database locked as it was`() async throws {
        try await withAda { database, ada, folder in
            // Open to the end, since closing it would drop the locks. F_OFD_GETLK sees those of this process as well.
            let file = open(database.location, O_RDONLY | O_CLOEXEC)
            try #require(file >= 0)
            defer { close(file) }
            func isLocked() throws -> Bool {
                var lock = flock()
                lock.l_type = Int16(F_WRLCK)
                lock.l_whence = Int16(SEEK_SET)
                lock.l_start = 0x4000_0002
                lock.l_len = 1
                try #require(fcntl(file, 36, &lock) == 0)
                return lock.l_type != Int16(F_UNLCK)
            }
            #expect(try isLocked())
            #expect(try await erasure(database, folder).erase(ada).isProven)
            #expect(try isLocked())
        }
    }
}
