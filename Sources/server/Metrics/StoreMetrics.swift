internal import CoreFoundation
internal import CoreMetrics
internal import Foundation
internal import Glibc
internal import Store

/// What the database and its disk tell `/metrics`; read at each rendering.
enum StoreMetrics {
    static let databaseBytes = MetricDefinition("pathlight_database_bytes", "Size of the database file.")
    static let logBytes = MetricDefinition(
        "pathlight_database_log_bytes", "Size of the write-ahead log; it is cut back once nobody reads an older state.")
    static let freeBytes = MetricDefinition(
        "pathlight_data_free_bytes", "Room for this user on the disk of the data folder.")
    static let waitingWrites = MetricDefinition(
        "pathlight_database_waiting_writes", "Writes that wait for their transaction now.")
    static let writes = MetricDefinition(
        "pathlight_database_writes", "Writes by what became of them, since the start.")
    static let commits = MetricDefinition(
        "pathlight_database_commits", "Transactions that committed writes, since the start; writes share them.")
    static let definitions = [databaseBytes, logBytes, freeBytes, waitingWrites, writes, commits]

    /// - Parameter folder: of the data.
    static func register(_ database: any SQLDatabase, folder: String, in registry: MetricsRegistry) {
        registry.describe(definitions)
        func meter(_ definition: MetricDefinition, _ labels: [(String, String)] = []) -> Meter {
            Meter(label: definition.name, dimensions: labels, factory: registry)
        }
        let (size, log, free) = (meter(databaseBytes), meter(logBytes), meter(freeBytes))
        let (waiting, committed) = (meter(waitingWrites), meter(commits))
        let done = meter(writes, [("outcome", "committed")])
        let rejected = meter(writes, [("outcome", "rejected")])
        let failed = meter(writes, [("outcome", "failed")])
        let path = database.location
        registry.onRender {
            size.set(bytes(of: path))
            log.set(bytes(of: path + "-wal"))
            if let room = room(in: folder) { free.set(room) }
            guard let sqlite = database as? SQLiteDatabase else { return }
            let statistics = sqlite.writeStatistics
            waiting.set(sqlite.waitingWrites)
            done.set(statistics.writes)
            rejected.set(statistics.rejected)
            failed.set(statistics.failed)
            committed.set(statistics.commits)
        }
    }

    /// 0 where there is no such file.
    private static func bytes(of path: String) -> Int64 {
        var found = stat()
        // SAFETY: the path is read as a C string and the structure written during the call alone.
        return unsafe stat(path, &found) == 0 ? Int64(found.st_size) : 0
    }

    private static func room(in folder: String) -> Double? {
        var found = statvfs()
        // SAFETY: the path is read as a C string and the structure written during the call alone.
        guard unsafe statvfs(folder, &found) == 0 else { return nil }
        return Double(found.f_bavail) * Double(found.f_frsize)
    }
}
