package import Foundation
import GRDB

/// Copies of a database in one file each, made beside those who write.
package enum SQLiteBackup {
    /// Pages copied between two reports: 1 MiB.
    package static let pagesPerStep = 256

    /// Writes one committed state of a database to a file that needs nothing else, and looks the file over.
    ///
    /// The copy is of the moment when it begins; what is committed meanwhile is not in it, and the log cannot begin anew
    /// until it ends. An existing file stays until the new one is whole.
    ///
    /// - Parameters:
    ///   - program: name and version, for the manifest.
    ///   - progress: pages copied and pages in all, on a thread of the driver.
    /// - Throws: `StoreError`: `conflict` where the file exists and is not to be replaced, `damaged` where the database
    ///   is; no file is left then.
    package static func make(
        of database: String, to file: String, replacing: Bool = false, program: String,
        clock: @escaping @Sendable () -> Date = { Date() }, pagesPerStep: Int = pagesPerStep,
        progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
    ) async throws -> BackupManifest {
        try await OwnThread.run {
            guard try DurableFile.status(of: database) != nil else {
                throw StoreError(
                    .cannotOpen, "there is no database", location: database, mend: "Name its folder with --data.")
            }
            let lock = try FolderLock.share(DurableFile.folder(of: database))
            defer { lock.release() }
            try refuse(file, of: database, replacing: replacing)
            let partial = try PartialFile(file + ".partial")
            do {
                let manifest = try fill(
                    partial.path, from: database, program: program, clock: clock, pagesPerStep: pagesPerStep,
                    progress: progress)
                do {
                    _ = try look(partial.path, known: nil)
                } catch let error as StoreError where error.code == .damaged {
                    throw StoreError(
                        .damaged, error.message, location: database,
                        mend: "No backup was made. Keep the last good one; “pathlight doctor” says more.",
                        cause: error.cause)
                }
                try refuse(file, of: database, replacing: replacing)
                try partial.publish(as: file)
                return manifest
            } catch {
                partial.discard()
                throw error
            }
        }
    }

    /// Looks a backup over without changing it.
    ///
    /// - Throws: `StoreError` that names the file and says what is wrong with it.
    package static func check(_ file: String, known: [Migration] = Migration.all) async throws -> BackupCheck {
        try await OwnThread.run { try look(file, known: known) }
    }

    /// - Parameter known: nil takes the schema for right, whatever it is: an older program may save a newer database.
    static func look(_ file: String, known: [Migration]?) throws -> BackupCheck {
        try opening(file, configuration(readOnly: true)) { queue in
            try queue.read { database in
                try BackupCheck.read(database, at: file, known: known)
            }
        }
    }

    /// Copies every page as one read sees it.
    ///
    /// - Throws: `StoreError` that names `source` or `target`.
    static func copy(
        _ source: String, readOnly: Bool, to target: String, pagesPerStep: Int,
        progress: @escaping @Sendable (Int, Int) -> Void
    ) throws {
        try opening(target, configuration(readOnly: false)) { target in
            try opening(source, configuration(readOnly: readOnly)) { source in
                do {
                    try copy(source, to: target, pagesPerStep: pagesPerStep, progress: progress)
                } catch let error as DatabaseError where !isOfReading(error) {
                    throw StoreError(error, at: target.path)
                }
            }
        }
    }

    private static func copy(
        _ source: DatabaseQueue, to target: DatabaseQueue, pagesPerStep: Int,
        progress: @escaping @Sendable (Int, Int) -> Void
    ) throws {
        try target.writeWithoutTransaction { target in
            // Nothing to go back to, and one wait for the disk at the end.
            try target.execute(sql: "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
            try source.read { source in
                // SQLite copies what each step finds, and begins anew when others have written, unless a
                // transaction holds one state for all of them. It begins with its first read.
                _ = try Int.fetchOne(source, sql: "SELECT COUNT(*) FROM sqlite_schema")
                try source.backup(to: target, pagesPerStep: CInt(clamping: max(1, pagesPerStep))) { step in
                    progress(step.completedPageCount, step.totalPageCount)
                }
            }
        }
    }

    /// Whether a failed copy is its source's fault; SQLite does not say it.
    private static func isOfReading(_ error: DatabaseError) -> Bool {
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_BUSY: true
        case .SQLITE_IOERR:
            [.SQLITE_IOERR_READ, .SQLITE_IOERR_SHORT_READ].contains(error.extendedResultCode)
        default: false
        }
    }

    /// Opens a database for the time of `body`.
    static func opening<T>(
        _ path: String, _ configuration: Configuration, _ body: (DatabaseQueue) throws -> T
    ) throws -> T {
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            let result: T
            do {
                result = try body(queue)
            } catch {
                try? queue.close()
                throw error
            }
            try queue.close()
            return result
        } catch let error as DatabaseError {
            throw StoreError(error, at: path)
        }
    }

    static func configuration(readOnly: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.label = "pathlight.backup"
        configuration.readonly = readOnly
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            // Damaged pages are found when they are read, and a schema cannot call what it should not.
            try database.execute(sql: "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF")
        }
        return configuration
    }

    private static func fill(
        _ path: String, from database: String, program: String, clock: () -> Date, pagesPerStep: Int,
        progress: @escaping @Sendable (Int, Int) -> Void
    ) throws -> BackupManifest {
        let time = clock()
        try copy(database, readOnly: false, to: path, pagesPerStep: pagesPerStep, progress: progress)
        return try opening(path, configuration(readOnly: false)) { queue in
            try queue.writeWithoutTransaction { copy in
                // One file: without this, readers would want a log beside it.
                try copy.execute(sql: "PRAGMA journal_mode = DELETE")
                let manifest = try BackupManifest.make(of: copy, program: program, at: time)
                try copy.inTransaction {
                    try manifest.write(to: copy)
                    return .commit
                }
                return manifest
            }
        }
    }

    private static func refuse(_ file: String, of database: String, replacing: Bool) throws {
        guard let there = try DurableFile.status(of: file) else { return }
        for suffix in ["", "-wal", "-shm"]
        where try DurableFile.status(of: database + suffix)?.identity == there.identity {
            throw StoreError(.conflict, "that is the database itself", location: file, mend: "Name another file.")
        }
        guard there.isPlain else {
            throw StoreError(.conflict, "that is no plain file", location: file, mend: "Name a file.")
        }
        guard replacing else {
            throw StoreError(.conflict, "the file exists", location: file, mend: "Name another, or add --force.")
        }
    }
}
