import GRDB
import GRDBSQLite

/// Copies what the write-ahead log holds into the database file, beside those who write.
///
/// SQLite by itself does so within a commit whenever the log has grown by a thousand pages; one reply in a hundred, whose
/// session was stored by that commit, came 1.4 ms later than the others.
final class LogKeeper: Sendable {
    private struct State: Sendable {
        /// Written by this connection until the log was last copied.
        var pagesCopied: Int32 = 0
        var isCopying = false
        /// Whether the log must begin anew: who writes without a pause lets no copy beside reach its end.
        var isLong = false
    }

    private enum Action { case none, copyBeside, copyHere }

    /// Pages, 8 MB: with a session a commit of nine pages, one reply in two hundred may meet the copy at the disk. With
    /// twice as many the slowest replies became slower, since the disk takes them all at once.
    private static let mostPages: Int32 = 2_000
    /// Pages, 32 MB.
    private static let longLog = 8_000

    private let queue: DatabaseQueue
    private let state = Guarded(State())

    /// - Parameter configuration: of the connections of the same database.
    init(path: String, configuration: Configuration) throws {
        var configuration = configuration
        configuration.label = "pathlight.log"
        queue = try DatabaseQueue(path: path, configuration: configuration)
    }

    /// To be called after each commit, on the writing connection.
    func noteCommit(_ database: Database) {
        let pages = Self.pagesWritten(database)
        let action = state.withLock { state in
            guard !state.isCopying else { return Action.none }
            if state.isLong {
                state.isLong = false
                return .copyHere
            }
            guard pages &- state.pagesCopied >= Self.mostPages else { return .none }
            state.pagesCopied = pages
            state.isCopying = true
            return .copyBeside
        }
        switch action {
        case .none: break
        // A copy that fails does no harm: the log keeps what it has, and the next copy comes.
        case .copyHere: _ = try? database.checkpoint(.passive)
        case .copyBeside: copyBeside()
        }
    }

    private func copyBeside() {
        queue.asyncWriteWithoutTransaction { [state] database in
            let pages = (try? database.checkpoint(.passive))?.walFrameCount ?? 0
            state.withLock { state in
                state.isCopying = false
                state.isLong = pages >= Self.longLog
            }
        }
    }

    /// Pages that the connection has written to the log since it was opened.
    private static func pagesWritten(_ database: Database) -> Int32 {
        var written: Int32 = 0
        var unused: Int32 = 0
        // SAFETY: both numbers live for the time of the call, on the queue of the connection.
        unsafe _ = sqlite3_db_status(database.sqliteConnection, SQLITE_DBSTATUS_CACHE_WRITE, &written, &unused, 0)
        // The counter has 32 bits and may pass their end: what counts is the difference.
        return written
    }

    /// Waits for the copy under way and closes the connection.
    func close() throws { try queue.close() }
}
