/// How an SQLite database is opened and how much it may promise.
package struct SQLiteSettings: Sendable {
    /// What a confirmed write survives.
    package enum Durability: String, Sendable, CaseIterable {
        /// The loss of power: each commit waits for the disk.
        case full
        /// The death of the process, `kill -9` included; the last commits may go with the power.
        case normal
    }

    /// The database file; its folder is made where it is missing.
    package var path: String
    package var durability: Durability
    /// How long a transaction waits for another process's.
    package var busyTimeout: Duration
    /// Connections that read at once, besides the one that writes.
    package var readers: Int
    /// Writes that one transaction may join.
    package var maximumGroup: Int
    /// Writes that may wait; more are refused as `overloaded`.
    package var maximumWaiting: Int

    package init(
        path: String, durability: Durability = .full, busyTimeout: Duration = .seconds(5), readers: Int = 8,
        maximumGroup: Int = 128, maximumWaiting: Int = 8192
    ) {
        precondition(readers > 0 && maximumGroup > 0 && maximumWaiting > 0, "SQLite settings must be positive")
        self.path = path
        self.durability = durability
        self.busyTimeout = busyTimeout
        self.readers = readers
        self.maximumGroup = maximumGroup
        self.maximumWaiting = maximumWaiting
    }
}
