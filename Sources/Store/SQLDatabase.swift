/// A connection inside one transaction, lent to a body and not to be kept beyond it.
///
/// Statements are portable SQL with `?` for arguments. As in PostgreSQL, a statement that fails aborts its
/// transaction: later statements throw `transactionAborted`. To go on after a failure, try inside `savepoint`.
package protocol SQLConnection {
    var dialect: SQLDialect { get }

    /// Hands every row of the result to `body` in turn, without holding them all. `body` may not use the connection.
    func forEachRow(_ sql: String, _ arguments: [SQLValue], _ body: (SQLRow) throws -> Void) throws

    /// Runs one statement and returns how many rows it inserted, updated or deleted; cascades do not count.
    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int

    /// Runs one statement, prepared once, for each list of arguments, and returns the changed rows of all.
    @discardableResult
    func executeMany(_ sql: String, _ arguments: some Sequence<[SQLValue]>) throws -> Int

    /// Runs `body` so that its failure undoes only what it did itself.
    func savepoint<T>(_ body: () throws -> T) throws -> T
}

extension SQLConnection {
    /// Runs one statement and returns its rows.
    package func query(_ sql: String, _ arguments: [SQLValue] = []) throws -> [SQLRow] {
        var rows: [SQLRow] = []
        try forEachRow(sql, arguments) { rows.append($0) }
        return rows
    }

    /// The first row of a result, or nil where it is empty.
    package func first(_ sql: String, _ arguments: [SQLValue] = []) throws -> SQLRow? {
        try query(sql, arguments).first
    }

    @discardableResult
    package func execute(_ sql: String) throws -> Int { try execute(sql, []) }
}

/// A database: the one door through which every repository reads and writes, whatever the driver.
///
/// Bodies are synchronous and run on the driver's own threads, never on the cooperative pool. Writes are
/// serialisable: they come out as if each had run alone. SQLite runs each body once; a driver that has to try
/// again may run it more often, so a body has no effect but through its connection and its result.
package protocol SQLDatabase: Sendable {
    var dialect: SQLDialect { get }

    /// Where the data lies, for messages: a file, or a server and name without credentials.
    var location: String { get }

    /// Runs `body` in a transaction that sees one state of the database and cannot write.
    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> T) async throws -> T

    /// Runs `body` in a transaction and returns once it is durable; nothing of a failed body remains.
    ///
    /// - Throws: what `body` threw, or `StoreError` (`busy`, `diskFull`, …) where the commit failed. A caller
    ///   that is cancelled before its body was queued gets `CancellationError`; afterwards the write runs.
    @discardableResult
    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> T) async throws -> T

    /// Takes the lock of that name if nobody has it, in this process or another.
    ///
    /// - Returns: nil where somebody has it.
    func lock(_ name: String) throws -> DatabaseLock?

    /// Looks the whole database over and returns what is wrong with it, nothing where all is well.
    func check() async throws -> [String]

    /// Finishes the writes that wait, then closes; later calls throw `closed`. Closing twice is harmless.
    func close() async throws
}
