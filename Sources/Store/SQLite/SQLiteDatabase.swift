import Foundation
import GRDB

/// A database in one SQLite file: many readers beside one writer (write-ahead log), writes committed in groups.
///
/// Other processes may read and write the same file at the same time.
package final class SQLiteDatabase: SQLDatabase {
    /// Reads under way, so that closing can wait for them.
    private struct Gate: Sendable {
        var reads = 0
        var isClosing = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    package let settings: SQLiteSettings
    private let pool: DatabasePool
    private let committer: GroupCommitter
    private let logKeeper: LogKeeper
    private let gate = Guarded(Gate())
    /// Removed with everything in it when this goes, where the database is a temporary one.
    private let temporaryFolder: String?
    /// Keeps a restore away until the database is closed.
    private let folderLock: DatabaseLock
    let heldFiles = HeldFiles()

    package var dialect: SQLDialect { .sqlite }
    package var location: String { settings.path }

    /// What the writing side has done since the database was opened.
    package var writeStatistics: WriteStatistics { committer.statistics }

    /// Why the last write that had something to store was not stored; nil where it was. That the file is broken stays the
    /// reason as long as the database is open.
    package var writeFailure: StoreError.Code? { committer.failure }

    /// Writes that wait for their transaction now.
    package var waitingWrites: Int { committer.waitingCount }

    init(
        pool: DatabasePool, logKeeper: LogKeeper, settings: SQLiteSettings, temporaryFolder: String?,
        folderLock: DatabaseLock
    ) {
        self.pool = pool
        self.logKeeper = logKeeper
        self.settings = settings
        self.temporaryFolder = temporaryFolder
        self.folderLock = folderLock
        committer = GroupCommitter(
            location: settings.path, maximumGroup: settings.maximumGroup, maximumWaiting: settings.maximumWaiting,
            afterCommit: logKeeper.noteCommit)
    }

    deinit {
        guard let temporaryFolder else { return }
        try? FileManager.default.removeItem(atPath: temporaryFolder)
    }

    package func read<T: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> T
    ) async throws -> T {
        let watched = WatchedCall.start(isWrite: false)
        var hasFailed = true
        defer { watched?.end(hasFailed: hasFailed) }
        try enter()
        defer { leave() }
        do {
            let result = try await pool.read { [location] in
                watched?.begin()
                return try body(SQLiteConnection($0, location: location))
            }
            hasFailed = false
            return result
        } catch let error as DatabaseError {
            throw StoreError(error, at: location)
        }
    }

    @discardableResult
    package func write<T: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> T
    ) async throws -> T {
        try Task.checkCancellation()
        let watched = WatchedCall.start(isWrite: true)
        var hasFailed = true
        defer { watched?.end(hasFailed: hasFailed) }
        let result = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<T, any Error>) in
            let write = GroupCommitter.Write(
                run: { connection in
                    watched?.begin()
                    let result = try body(connection)
                    return { continuation.resume(returning: result) }
                },
                fail: { continuation.resume(throwing: $0) })
            do {
                try committer.submit(write, to: pool)
            } catch {
                continuation.resume(throwing: error)
            }
        }
        hasFailed = false
        return result
    }

    package func check() async throws -> [String] {
        do {
            return try await read { [location] connection in
                var problems = try connection.query("PRAGMA quick_check").map { try $0.text("quick_check") }
                if problems == ["ok"] { problems = [] }
                problems += try Self.partialPage(connection, path: location)
                let orphans = try connection.query("PRAGMA foreign_key_check")
                problems += try orphans.map { row in
                    "a row of \(try row.text("table")) refers to a row of \(try row.text("parent")) that is not there"
                }
                return problems
            }
        } catch let error as StoreError where error.code == .damaged || error.code == .notADatabase {
            return [error.description]
        }
    }

    package func close() async throws {
        let isFirst = gate.withLock { gate in
            defer { gate.isClosing = true }
            return !gate.isClosing
        }
        guard isFirst else { return }
        await withCheckedContinuation { continuation in
            let isIdle = gate.withLock { gate in
                if gate.reads > 0 { gate.waiting.append(continuation) }
                return gate.reads == 0
            }
            if isIdle { continuation.resume() }
        }
        try await OwnThread.runInAnyCase { [pool, committer, logKeeper, location, folderLock, heldFiles] in
            defer { folderLock.release() }
            do {
                pool.writeWithoutTransaction { database in
                    committer.finish(database)
                }
                // Before the last connection goes, which takes the log away.
                try logKeeper.close()
                pool.writeWithoutTransaction { database in
                    // Leaves one whole file behind. Where another process reads, the log stays, and is as good.
                    _ = try? database.checkpoint(.truncate)
                }
                try pool.close()
                heldFiles.release()
            } catch let error as DatabaseError {
                throw StoreError(error, at: location)
            }
        }
    }

    /// SQLite fills a page that the file holds in part with zeros, and takes it for sound.
    private static func partialPage(_ connection: any SQLConnection, path: String) throws -> [String] {
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber
        guard let size, let page = try connection.first("PRAGMA page_size")?.integer("page_size"), page > 0,
            !size.int64Value.isMultiple(of: page)
        else { return [] }
        return ["the file ends in the middle of a page; its end is lost"]
    }

    private func enter() throws {
        try gate.withLock { gate in
            guard !gate.isClosing else { throw StoreError(.closed, "the database is closed", location: location) }
            gate.reads += 1
        }
    }

    private func leave() {
        let waiting = gate.withLock { gate in
            gate.reads -= 1
            guard gate.reads == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { gate.waiting = [] }
            return gate.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
