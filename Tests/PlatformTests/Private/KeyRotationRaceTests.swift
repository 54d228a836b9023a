import Foundation
import Platform
import Store
import TestSupport
import Testing

/// Several processes that change the keys of one database, or start beside one that does.
struct KeyRotationRaceTests {
    @Test func `rotations at once lose no key`() async throws {
        let folder = try TemporaryDirectory()
        try await PrivateFixtures.withDatabase { database in
            let settings = EncryptionSettings(dataDirectory: folder.path)
            let first = try #require(try await ColumnEncryption.open(settings, database: database).sealer).currentID
            let added = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        guard let sealer = try await ColumnEncryption.open(settings, database: database).sealer else {
                            throw KeyRingError(.noKey, "there is no key")
                        }
                        var generator = SystemRandomNumberGenerator()
                        return try await KeyRotation(database, sealer: sealer).addKey(using: &generator)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let ring = try KeyFile(settings.defaultKeyFile).read()
            #expect(Set(ring.ids) == Set(added + [first]) && ring.ids.count == 9)
            #expect(Set(try await database.texts("key_id", of: "column_keys")) == Set(ring.ids + ["index"]))
        }
    }

    @Test func `a start in the middle of a rotation does not forget the new key`() async throws {
        let folder = try TemporaryDirectory()
        let inner = try await SQLiteDatabase.temporary()
        _ = try await SchemaMigrator().migrate(inner)
        let settings = EncryptionSettings(dataDirectory: folder.path)
        _ = try await ColumnEncryption.open(settings, database: inner)
        var generator = SystemRandomNumberGenerator()
        let file = KeyFile(settings.defaultKeyFile)
        let ring = try file.read().adding(at: PrivateFixtures.now, using: &generator)
        // As far as a rotation is between its row and its file.
        let lock = try #require(try inner.lock("keys"))
        let check = try ColumnSealer(ring).seal("pathlight", column: "column_keys.check_value")
        try await inner.run(
            "INSERT INTO column_keys (key_id, check_value, created_at) VALUES (?, ?, ?)",
            [.text(ring.currentID), .text(check), .time(PrivateFixtures.now)])
        let database = LockWatch(inner)
        async let opened = {
            defer { database.end() }
            return try await ColumnEncryption.open(settings, database: database)
        }()
        // Until it asks again, and so waits; or until it has not waited.
        var attempts = 0
        for await _ in database.attempts {
            attempts += 1
            if attempts == 2 { break }
        }
        try file.replace(with: ring)
        lock.release()
        let sealer = try #require(try await opened.sealer)
        #expect(sealer.currentID == ring.currentID)
        #expect(try await inner.texts("key_id", of: "column_keys").contains(ring.currentID))
        try await inner.close()
    }

    @Test func `a key that nobody is adding is forgotten as before`() async throws {
        let folder = try TemporaryDirectory()
        try await PrivateFixtures.withDatabase { database in
            let settings = EncryptionSettings(dataDirectory: folder.path)
            _ = try await ColumnEncryption.open(settings, database: database)
            let killed = try PrivateFixtures.ring("k5")
            try await database.run(
                "INSERT INTO column_keys (key_id, check_value, created_at) VALUES ('k5', ?, ?)",
                [
                    .text(try ColumnSealer(killed).seal("pathlight", column: "column_keys.check_value")),
                    .time(PrivateFixtures.now),
                ])
            _ = try await ColumnEncryption.open(settings, database: database)
            #expect(try await !database.texts("key_id", of: "column_keys").contains("k5"))
        }
    }
}

/// A database that tells how often somebody asks for a lock.
private final class LockWatch: SQLDatabase {
    let attempts: AsyncStream<Void>
    private let attempt: AsyncStream<Void>.Continuation
    private let inner: SQLiteDatabase

    init(_ inner: SQLiteDatabase) {
        self.inner = inner
        (attempts, attempt) = AsyncStream.makeStream()
    }

    /// There will be no further ones.
    func end() { attempt.finish() }

    func lock(_ name: String) throws -> DatabaseLock? {
        attempt.yield()
        return try inner.lock(name)
    }

    var dialect: SQLDialect { inner.dialect }
    var location: String { inner.location }

    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> T) async throws -> T {
        try await inner.read(body)
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> T) async throws -> T {
        try await inner.write(body)
    }

    func check() async throws -> [String] { try await inner.check() }
    func close() async throws { try await inner.close() }
}
