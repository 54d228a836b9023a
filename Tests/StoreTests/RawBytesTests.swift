import Foundation
import Glibc
import Store
import Testing

/// Reading a database's file beside open connections.
struct RawBytesTests {
    /// Looks from outside for locks on a byte of a file. Its descriptor stays open: closing it would drop the locks.
    private final class Watcher {
        private let file: Int32

        init(_ path: String) throws {
            file = open(path, O_RDONLY | O_CLOEXEC)
            try #require(file >= 0)
        }

        /// F_OFD_GETLK asks for an open file and not for a process, and so sees this process's own locks.
        func isLocked(at byte: Int) throws -> Bool {
            var lock = flock()
            lock.l_type = Int16(F_WRLCK)
            lock.l_whence = Int16(SEEK_SET)
            lock.l_start = off_t(byte)
            lock.l_len = 1
            try #require(fcntl(file, 36, &lock) == 0)
            return lock.l_type != Int16(F_UNLCK)
        }

        deinit { close(file) }
    }

    /// Where a connection has a shared lock as long as it is open: on the database and on the index of its log
    /// (sqlite.org/fileformat2.html#the_lock_byte_page, sqlite.org/walformat.html#wal_locks).
    private static let places = [("", 0x4000_0002), ("-shm", 128)]

    @Test func `the bytes of a file are read to their end, or until enough was seen`() async throws {
        try await Scratch.use { folder in
            let database = try await SQLiteDatabase.open(SQLiteSettings(path: folder + "/a.db"))
            let content = (0..<(1 << 20) + 77).map { UInt8(truncatingIfNeeded: $0 * 31) }
            try Data(content).write(to: URL(fileURLWithPath: folder + "/other"))
            var read: [UInt8] = []
            try database.readBytes(of: folder + "/other") { piece in
                read += piece
                return true
            }
            #expect(read == content)
            var pieces = 0
            try database.readBytes(of: folder + "/other") { _ in
                pieces += 1
                return false
            }
            #expect(pieces == 1)
            try database.readBytes(of: folder + "/none") { _ in
                pieces += 1
                return true
            }
            #expect(pieces == 1)
            #expect(throws: StoreError.self) { try database.readBytes(of: folder) { _ in true } }
            try await database.close()
        }
    }

    @Test func `no lock of an open connection goes with reading, under another name neither`() async throws {
        try await Scratch.use { folder in
            let path = folder + "/a.db"
            let database = try await SQLiteDatabase.open(SQLiteSettings(path: path))
            _ = try await SchemaMigrator().migrate(database)
            try #require(link(path, path + ".before-restore") == 0)
            let watchers = try Self.places.map { (try Watcher(path + $0.0), $0.1) }
            #expect(try watchers.allSatisfy { try $0.isLocked(at: $1) })
            for name in [path, path + ".before-restore", path + "-shm", path + "-wal"] {
                try database.readBytes(of: name) { _ in true }
                #expect(try watchers.allSatisfy { try $0.isLocked(at: $1) }, "\(name)")
            }
            try await database.close()
            #expect(try watchers.allSatisfy { try !$0.isLocked(at: $1) })
        }
    }
}
