package import Foundation
import GRDB
import Glibc

/// What a restore did.
package struct RestoreReport: Sendable, Equatable {
    package let check: BackupCheck
    /// Where the database that was there before is kept; nil where there was none.
    package let kept: String?
}

/// Puts a backup in the place of a database.
///
/// The order of the steps is such that the process may be killed, or the power fail, between any two of them; running
/// the same restore again always mends what was left.
///
/// 1. The folder is held alone, and nobody may have the database open.
/// 2. The backup is copied to `pathlight.db.restoring` and that copy is looked over: what was checked is what is used.
///    Until here nothing of the old has been touched.
/// 3. The old database takes in its log (SQLite does that whole or not at all), so that it is one file.
/// 4. The old file gets a second name, `pathlight.db.before-restore-TIME`. Where it is too damaged for step 3, its log
///    gets a name beside, and only then loses the first: a log that stayed would be taken for the new database's.
/// 5. The copy takes the name `pathlight.db`. There is no moment without a file of that name.
package enum SQLiteRestore {
    /// - Parameters:
    ///   - file: a backup, or a database file that nothing has open.
    ///   - known: the schema's steps; older ones than the last are brought up to date by the next start.
    ///   - progress: pages copied and pages in all, on a thread of the driver.
    /// - Throws: `StoreError`: `busy` where a service or command uses the data, else what is wrong with the backup; the
    ///   database is then as it was.
    package static func restore(
        _ file: String, over database: String, clock: @escaping @Sendable () -> Date = { Date() },
        known: [Migration] = Migration.all, pagesPerStep: Int = SQLiteBackup.pagesPerStep,
        progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
    ) async throws -> RestoreReport {
        try await OwnThread.run {
            guard let source = try DurableFile.status(of: file) else {
                throw StoreError(.cannotOpen, "there is no such file", location: file, mend: "Name a backup.")
            }
            let folder = DurableFile.folder(of: database)
            try makeFolder(folder)
            let lock = try FolderLock.hold(folder)
            defer { lock.release() }
            let old = try DurableFile.status(of: database)
            guard source.identity != old?.identity else {
                throw StoreError(
                    .conflict, "that is the database itself", location: file, mend: "Name a backup.")
            }
            if old != nil { try refuseUse(of: database) }
            let partial = try PartialFile(database + ".restoring")
            do {
                let check = try stage(file, in: partial, known: known, pagesPerStep: pagesPerStep, progress: progress)
                if let owner = try DurableFile.status(of: folder) { try partial.give(to: owner.owner, owner.group) }
                let kept = try setAside(database, at: clock())
                try partial.publish(as: database)
                return RestoreReport(check: check, kept: kept)
            } catch {
                partial.discard()
                throw error
            }
        }
    }

    // MARK: The new

    private static func stage(
        _ file: String, in partial: PartialFile, known: [Migration], pagesPerStep: Int,
        progress: @escaping @Sendable (Int, Int) -> Void
    ) throws -> BackupCheck {
        do {
            try SQLiteBackup.copy(
                file, readOnly: true, to: partial.path, pagesPerStep: pagesPerStep, progress: progress)
            return try SQLiteBackup.opening(partial.path, SQLiteBackup.configuration(readOnly: false)) { queue in
                try queue.writeWithoutTransaction { copy in
                    try copy.execute(sql: "PRAGMA journal_mode = DELETE")
                    let check = try BackupCheck.read(copy, at: file, known: known)
                    try BackupManifest.remove(from: copy)
                    return check
                }
            }
        } catch let error as StoreError where [.damaged, .notADatabase, .foreignDatabase].contains(error.code) {
            throw StoreError(
                error.code, error.code == .damaged ? "the backup is damaged: \(error.message)" : error.message,
                location: file, mend: "Nothing was changed. Restore another backup.", cause: error.cause)
        }
    }

    // MARK: The old

    /// SQLite's byte range of shared locks (sqlite.org/fileformat2.html#the_lock_byte_page): whoever has a database in
    /// write-ahead mode open holds one. This finds programs that know nothing of `FolderLock` as well.
    private static func refuseUse(of database: String) throws {
        // SAFETY: open reads the path as a C string for the time of the call.
        let file = unsafe open(database, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { throw StoreError.system("it cannot be opened", at: database) }
        defer { close(file) }
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = 0x4000_0000
        lock.l_len = 512
        // SAFETY: the structure is read and written during the call alone.
        guard unsafe fcntl(file, F_GETLK, &lock) == 0 else {
            throw StoreError.system("its locks cannot be looked at", at: database)
        }
        guard lock.l_type == Int16(F_UNLCK) else {
            // 0 for a process outside this container.
            throw FolderLock.inUse(database, by: lock.l_pid > 0 ? lock.l_pid : nil)
        }
    }

    /// Steps 3 and 4.
    ///
    /// - Returns: the name under which the old database is kept.
    private static func setAside(_ database: String, at time: Date) throws -> String? {
        let old = try DurableFile.status(of: database)
        if old != nil { try takeInLog(database) }
        let companions = try ["-wal", "-journal"].filter { try (DurableFile.status(of: database + $0)?.bytes ?? 0) > 0 }
        guard old != nil || !companions.isEmpty else {
            try removeCompanions(of: database)
            return nil
        }
        let kept = try name(for: database, identity: old?.identity, at: time)
        if old != nil, try DurableFile.status(of: kept) == nil { try DurableFile.link(database, to: kept) }
        for suffix in companions { try DurableFile.link(database + suffix, to: kept + suffix) }
        try DurableFile.synchronise(DurableFile.folder(of: database))
        try removeCompanions(of: database)
        return kept
    }

    private static func removeCompanions(of database: String) throws {
        for suffix in ["-wal", "-shm", "-journal"] { try DurableFile.remove(database + suffix) }
        try DurableFile.synchronise(DurableFile.folder(of: database))
    }

    /// Makes the database one file, unless it is too damaged for that.
    private static func takeInLog(_ database: String) throws {
        // SQLite removes the log of a file that it does not know for a database.
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: database))
        let head = try file.read(upToCount: 16)
        try file.close()
        guard head == Data("SQLite format 3\0".utf8) else { return }
        do {
            try SQLiteBackup.opening(database, SQLiteBackup.configuration(readOnly: false)) { queue in
                try queue.writeWithoutTransaction { database in
                    try database.execute(sql: "PRAGMA journal_mode = DELETE")
                }
            }
        } catch let error as StoreError where [.damaged, .notADatabase, .inputOutput].contains(error.code) {
            // What cannot be read is kept as it is, log and all.
        }
    }

    /// A name that nothing has, or the one that a restore which was cut off has given the old file already.
    private static func name(for database: String, identity: DurableFile.Identity?, at time: Date) throws -> String {
        let start = database + ".before-restore-"
        let folder = DurableFile.folder(of: database)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
            let path = URL(fileURLWithPath: folder).appendingPathComponent(name).path
            guard path.hasPrefix(start), let identity else { continue }
            if try DurableFile.status(of: path)?.identity == identity { return path }
        }
        // 2026-02-26T09:30:00.125Z: without the punctuation, which shells and other systems dislike.
        let stamp = SQLTime.text(of: time).filter { $0.isNumber || $0 == "T" }.prefix(15) + "Z"
        var path = start + stamp
        var number = 2
        while try DurableFile.status(of: path) != nil {
            path = "\(start)\(stamp)-\(number)"
            number += 1
        }
        return path
    }

    private static func makeFolder(_ folder: String) throws {
        do throws(FileOwnership.Failure) {
            try FileOwnership.makeFolder(folder)
        } catch {
            throw StoreError(
                .notWritable, "the folder cannot be made", location: folder,
                mend: "Make it so that this user may write in it, or name another data folder.", cause: error.reason)
        }
    }
}
