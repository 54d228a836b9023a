import Foundation
import Glibc
import Store
import Testing

/// What the superuser makes in somebody else's folder. Others cannot give files away, and have nothing to show here.
@Suite(.enabled(if: geteuid() == 0))
struct FileOwnershipTests {
    /// “nobody”.
    private static let owner: uid_t = 65_534

    private func owner(of path: String) -> uid_t? {
        var found = stat()
        return lstat(path, &found) == 0 ? found.st_uid : nil
    }

    private func give(_ path: String) throws { try #require(chown(path, Self.owner, Self.owner) == 0) }

    @Test func `a database is its folder's owner's, folders and companions too`() async throws {
        try await Scratch.use { folder in
            try give(folder)
            let path = folder + "/data/deep/pathlight.db"
            let database = try await SQLiteDatabase.open(SQLiteSettings(path: path))
            _ = try await SchemaMigrator().migrate(database)
            for made in [folder + "/data", folder + "/data/deep", path, path + "-wal", path + "-shm"] {
                #expect(owner(of: made) == Self.owner, "\(made)")
            }
            try await database.close()
        }
    }

    @Test func `a lock is the database's owner's, one that was left behind too`() async throws {
        try await Scratch.use { folder in
            try give(folder)
            let path = folder + "/pathlight.db"
            let database = try await SQLiteDatabase.open(SQLiteSettings(path: path))
            try #require(FileManager.default.createFile(atPath: path + ".old.lock", contents: nil))
            #expect(owner(of: path + ".old.lock") == 0)
            for name in ["new", "old"] {
                let lock = try #require(try database.lock(name))
                #expect(owner(of: "\(path).\(name).lock") == Self.owner, "\(name)")
                lock.release()
            }
            try await database.close()
        }
    }

    @Test func `what has another name too, or is a link, is not given away`() async throws {
        try await Scratch.use { folder in
            let database = try await SQLiteDatabase.open(SQLiteSettings(path: folder + "/pathlight.db"))
            try give(folder + "/pathlight.db")
            let own = folder + "/own"
            try #require(FileManager.default.createFile(atPath: own, contents: nil))
            try #require(link(own, folder + "/pathlight.db.a.lock") == 0)
            try #require(symlink(own, folder + "/pathlight.db.b.lock") == 0)
            _ = try database.lock("a")
            #expect(throws: StoreError.self) { try database.lock("b") }
            #expect(owner(of: own) == 0)
            try await database.close()
        }
    }

    @Test func `a restored database is its folder's owner's, the folder that is made for it too`() async throws {
        try await Scratch.use { folder in
            let source = try await SQLiteDatabase.open(SQLiteSettings(path: folder + "/a.db"))
            _ = try await SchemaMigrator().migrate(source)
            try await source.close()
            let home = folder + "/home"
            try #require(mkdir(home, 0o755) == 0)
            try give(home)
            _ = try await SQLiteRestore.restore(folder + "/a.db", over: home + "/data/pathlight.db")
            #expect(owner(of: home + "/data") == Self.owner && owner(of: home + "/data/pathlight.db") == Self.owner)
        }
    }
}
