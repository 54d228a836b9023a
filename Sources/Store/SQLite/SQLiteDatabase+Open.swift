import Foundation
import GRDB
import Glibc

extension SQLiteDatabase {
    /// "plit" in ASCII: tells this program's files from other SQLite databases.
    private static let applicationID: Int64 = 1_886_153_076

    /// Opens the file of `settings`, making it and its folder (for this user alone) where they are missing.
    ///
    /// The schema is not touched: `SchemaMigrator` brings it up to date.
    ///
    /// - Throws: `StoreError` that names the file and says how to mend it: `notADatabase`, `foreignDatabase`,
    ///   `damaged`, `notWritable`, `cannotOpen`, `diskFull` or `busy`.
    package static func open(_ settings: SQLiteSettings) async throws -> SQLiteDatabase {
        try await OwnThread.run { try SQLiteDatabase(opening: settings, temporaryFolder: nil) }
    }

    /// A database of its own in a new folder, which goes when the object does; for tests and trials.
    package static func temporary(durability: SQLiteSettings.Durability = .normal) async throws -> SQLiteDatabase {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pathlight-\(UUID().uuidString)")
        let settings = SQLiteSettings(path: folder.appendingPathComponent("pathlight.sqlite").path)
        return try await OwnThread.run {
            try SQLiteDatabase(opening: settings, durability: durability, temporaryFolder: folder.path)
        }
    }

    private convenience init(
        opening settings: SQLiteSettings, durability: SQLiteSettings.Durability? = nil, temporaryFolder: String?
    ) throws {
        var settings = settings
        if let durability { settings.durability = durability }
        try Self.prepareFolder(of: settings.path)
        let folderLock = try FolderLock.share(DurableFile.folder(of: settings.path))
        try Self.prepareFile(settings.path)
        do {
            let (pool, logKeeper) = try Self.retryingWhileBusy(for: settings.busyTimeout) {
                let pool = try Self.openPool(settings)
                return (pool, try LogKeeper(path: settings.path, configuration: Self.configuration(settings)))
            }
            self.init(
                pool: pool, logKeeper: logKeeper, settings: settings, temporaryFolder: temporaryFolder,
                folderLock: folderLock)
        } catch let error as DatabaseError {
            throw StoreError(error, at: settings.path)
        }
    }

    private static func configuration(_ settings: SQLiteSettings) -> Configuration {
        var configuration = Configuration()
        configuration.label = "pathlight"
        configuration.maximumReaderCount = settings.readers
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(settings.busyTimeout / .seconds(1))
        let milliseconds = Int(settings.busyTimeout / .milliseconds(1))
        configuration.prepareDatabase { database in
            // GRDB gives readers a time-out of its own.
            try database.execute(sql: "PRAGMA busy_timeout = \(milliseconds)")
            // Damaged pages are found when they are read, and a schema cannot call what it should not.
            try database.execute(sql: "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF")
        }
        return configuration
    }

    private static func openPool(_ settings: SQLiteSettings) throws -> DatabasePool {
        let pool = try DatabasePool(path: settings.path, configuration: configuration(settings))
        try pool.writeWithoutTransaction { database in
            // After the pool was made: GRDB itself chooses NORMAL for a write-ahead log.
            try database.execute(
                sql: "PRAGMA synchronous = \(settings.durability == .full ? "FULL" : "NORMAL")")
            // `LogKeeper` copies the log instead.
            try database.execute(sql: "PRAGMA wal_autocheckpoint = 0")
            // A log that a long read let grow is cut back at the next checkpoint.
            try database.execute(sql: "PRAGMA journal_size_limit = 67108864")
            try claim(database, path: settings.path)
        }
        return pool
    }

    /// Marks an empty database as this program's, and refuses another program's.
    private static func claim(_ database: Database, path: String) throws {
        let found = try Int64.fetchOne(database, sql: "PRAGMA application_id")
        guard found != applicationID else { return }
        try database.inTransaction(.immediate) {
            let isMarked = try Int64.fetchOne(database, sql: "PRAGMA application_id") == applicationID
            let tables = try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM sqlite_master") ?? 0
            guard isMarked || (found == 0 && tables == 0) else {
                throw StoreError(
                    .foreignDatabase, "the file is another program's SQLite database", location: path,
                    mend: "Name another data folder, or move the file away.")
            }
            if !isMarked { try database.execute(sql: "PRAGMA application_id = \(applicationID)") }
            return .commit
        }
    }

    /// Two processes that open a new file together meet in the change to the write-ahead log, where SQLite
    /// does not wait by itself.
    private static func retryingWhileBusy<T>(for timeout: Duration, _ body: () throws -> T) throws -> T {
        let deadline = ContinuousClock.now + timeout
        while true {
            do {
                return try body()
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
                guard ContinuousClock.now < deadline else { throw error }
                Thread.sleep(forTimeInterval: 0.01)
            }
        }
    }

    private static func prepareFolder(of path: String) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        do throws(FileOwnership.Failure) {
            try FileOwnership.makeFolder(folder)
        } catch {
            if kind(of: error.folder) == .file {
                throw StoreError(
                    .cannotOpen, "\(error.folder) is a file where a folder is needed", location: error.folder,
                    mend: "Name another data folder.")
            }
            let above = DurableFile.folder(of: error.folder)
            if FileAccess.refusal(of: above, W_OK) == .readOnlyFileSystem {
                throw StoreError(
                    .notWritable, "the folder \(folder) cannot be made: \(above) \(FileAccess.readOnly)",
                    location: path, mend: FileAccess.readOnlyMend)
            }
            throw StoreError(
                .notWritable, "the folder \(folder) cannot be made", location: path,
                mend: "Make it so that this user may write in it, or name another data folder.", cause: error.reason)
        }
        switch FileAccess.refusal(of: folder, W_OK) {
        case nil: break
        case .readOnlyFileSystem:
            throw StoreError(
                .notWritable, "the folder \(folder) \(FileAccess.readOnly)", location: path,
                mend: FileAccess.readOnlyMend)
        case .notAllowed:
            throw StoreError(
                .notWritable, "the folder \(folder) may not be written by this user", location: path,
                mend: "Change its owner or its rights (chmod u+rwx), or name another data folder.")
        }
    }

    private static func prepareFile(_ path: String) throws {
        switch kind(of: path) {
        case .missing:
            // `mknod`, because opening and closing the file here would drop the locks that another connection of
            // this process may hold on it by then (POSIX advisory locks; sqlite.org/howtocorrupt.html, 2.2).
            // Where it is refused, SQLite makes the file by itself. SAFETY: the string lives through the call.
            if unsafe mknod(path, S_IFREG | 0o600, 0) == 0 {
                FileOwnership.giveEmptyFile(path, likeThatOf: DurableFile.folder(of: path))
            }
        case .folder:
            throw StoreError(
                .cannotOpen, "a folder is where the database file should be", location: path,
                mend: "Name another data folder, or move it away.")
        case .file:
            let manager = FileManager.default
            guard manager.isReadableFile(atPath: path), manager.isWritableFile(atPath: path) else {
                throw StoreError(
                    .notWritable, "the database file may not be read and written by this user", location: path,
                    mend: "Change its owner or its rights (chmod u+rw), or name another data folder.")
            }
        }
    }

    private enum Kind { case missing, file, folder }

    private static func kind(of path: String) -> Kind {
        var isFolder: ObjCBool = false
        // SAFETY: the pointer to `isFolder` is used during the call alone.
        guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return .missing }
        return isFolder.boolValue ? .folder : .file
    }
}
