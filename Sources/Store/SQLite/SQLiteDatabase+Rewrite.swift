import GRDB

/// Getting rid of what deleted rows leave behind in the files.
extension SQLiteDatabase {
    /// Copies the whole write-ahead log into the database and cuts it to nothing.
    ///
    /// - Throws: `StoreError` of code `busy` where others read an older state for longer than the time allowed.
    package func emptyLog() async throws {
        try await onConnection { database in
            let result = try database.checkpoint(.truncate)
            guard result.walFrameCount == 0 else {
                throw StoreError(
                    .busy, "the write-ahead log is in use and cannot be emptied",
                    mend: "Stop the service, then try again.")
            }
        }
    }

    /// Writes the database anew without its free space, and empties the log. Writers wait for as long as it takes,
    /// about a second for 200 MB.
    ///
    /// - Throws: `StoreError` of code `busy` as `emptyLog`, and of `diskFull` where there is no room for a second copy.
    package func rewrite() async throws {
        try await onConnection { try $0.execute(sql: "VACUUM") }
        try await emptyLog()
    }

    /// Runs `body` outside any transaction, on a connection of its own that closes afterwards.
    private func onConnection(_ body: @escaping @Sendable (Database) throws -> Void) async throws {
        let settings = settings
        try await OwnThread.run {
            do {
                var configuration = Configuration()
                configuration.label = "pathlight.rewrite"
                configuration.busyMode = .timeout(settings.busyTimeout / .seconds(1))
                configuration.prepareDatabase { try $0.execute(sql: "PRAGMA wal_autocheckpoint = 0") }
                let queue = try DatabaseQueue(path: settings.path, configuration: configuration)
                try queue.writeWithoutTransaction(body)
                try queue.close()
            } catch let error as DatabaseError {
                throw StoreError(error, at: settings.path)
            } catch let error as StoreError {
                throw error.at(settings.path)
            }
        }
    }
}
