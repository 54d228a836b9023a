import Foundation
import Store
import Testing

@Suite struct `Locks of a database` {
    @Test func `one at a time, by name, until it is given back`() async throws {
        let database = try await SQLiteDatabase.temporary()
        let first = try #require(try database.lock("work"))
        #expect(try database.lock("work") == nil)
        let other = try #require(try database.lock("other work"))
        first.release()
        first.release()
        let second = try #require(try database.lock("work"))
        other.release()
        second.release()
    }

    @Test func `a lock that nobody keeps is free`() async throws {
        let database = try await SQLiteDatabase.temporary()
        do { _ = try #require(try database.lock("work")) }
        #expect(try database.lock("work") != nil)
    }

    @Test func `the death of its process frees it`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lock-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("a.db").path
        let database = try await SQLiteDatabase.open(SQLiteSettings(path: path))
        // util-linux's flock(1) holds the same lock as another process would; -F keeps it to one process.
        let holder = Process()
        holder.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
        holder.arguments = ["-F", "\(path).work.lock", "sh", "-c", "echo locked; exec sleep 60"]
        let output = Pipe()
        holder.standardOutput = output
        try holder.run()
        _ = try output.fileHandleForReading.read(upToCount: 6)
        #expect(try database.lock("work") == nil)
        kill(holder.processIdentifier, SIGKILL)
        holder.waitUntilExit()
        #expect(try database.lock("work") != nil)
        try await database.close()
    }
}
