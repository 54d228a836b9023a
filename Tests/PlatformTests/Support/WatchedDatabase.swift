import Store

/// A database whose writes can be held, as by another process that has the lock, and whose reads are counted.
final class WatchedDatabase: SQLDatabase {
    private struct State {
        var isHeld = false
        var held: [CheckedContinuation<Void, Never>] = []
        var reads = 0
    }

    private let inner: any SQLDatabase
    private let state = Guarded(State())
    private let changes: AsyncStream<Void>
    private let change: AsyncStream<Void>.Continuation

    init(_ inner: any SQLDatabase) {
        self.inner = inner
        (changes, change) = AsyncStream.makeStream()
    }

    /// An empty one with the schema.
    static func migrated() async throws -> WatchedDatabase {
        let database = try await SQLiteDatabase.temporary()
        _ = try await SchemaMigrator().migrate(database)
        return WatchedDatabase(database)
    }

    /// Lets no write begin until `release`; not even for who is cancelled, as it is with a lock.
    func hold() { state.withLock { $0.isHeld = true } }

    func release() {
        let held = state.withLock { state in
            state.isHeld = false
            defer { state.held = [] }
            return state.held
        }
        for continuation in held { continuation.resume() }
    }

    /// Waits until so many writes are held.
    func waitForHeld(_ count: Int) async { await wait { $0.held.count >= count } }

    /// Waits until so many reads have ended.
    func waitForReads(_ count: Int) async { await wait { $0.reads >= count } }

    private func wait(until isReached: (State) -> Bool) async {
        var iterator = changes.makeAsyncIterator()
        // No more than the test's time.
        while !state.withLock({ isReached($0) }), await iterator.next() != nil {}
    }

    var dialect: SQLDialect { inner.dialect }
    var location: String { inner.location }

    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> T) async throws -> T {
        defer {
            state.withLock { $0.reads += 1 }
            change.yield()
        }
        return try await inner.read(body)
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> T) async throws -> T {
        try Task.checkCancellation()
        await withCheckedContinuation { continuation in
            let goesOn = state.withLock { state in
                guard state.isHeld else { return true }
                state.held.append(continuation)
                return false
            }
            if goesOn { continuation.resume() }
            change.yield()
        }
        // As a write that waits for the lock: it runs, whatever became of who wanted it.
        return try await Task { try await self.inner.write(body) }.value
    }

    func lock(_ name: String) throws -> DatabaseLock? { try inner.lock(name) }
    func check() async throws -> [String] { try await inner.check() }
    func close() async throws { try await inner.close() }
}
