import GRDB

/// Joins writes that come at the same time into one transaction, so that they share one wait for the disk.
///
/// Each body runs in a savepoint of its own, in the order of arrival; one that fails undoes itself alone.
/// Nobody hears of a result, good or bad, before the commit, for what a body saw of the others in its group
/// counts only then. Where the commit fails, all of the group get its error.
final class GroupCommitter: Sendable {
    /// A write that waits: `run` gives the closure that hands the result to the caller.
    struct Write: Sendable {
        let run: @Sendable (any SQLConnection) throws -> @Sendable () -> Void
        let fail: @Sendable (any Error) -> Void
    }

    private struct State: Sendable {
        var waiting = Queue<Write>()
        /// Whether a group runs or is about to.
        var isScheduled = false
        var isClosed = false
        var statistics = WriteStatistics()
        private(set) var failure: StoreError.Code?

        /// Remembers what became of a write; that the file is broken stands until the database is opened anew.
        mutating func note(_ failure: StoreError.Code?) {
            if self.failure?.isLasting != true { self.failure = failure }
        }
    }

    private let location: String
    private let maximumGroup: Int
    private let maximumWaiting: Int
    /// Called after each commit, once those who wait for it have been told.
    private let afterCommit: @Sendable (Database) -> Void
    private let state = Guarded(State())

    init(
        location: String, maximumGroup: Int, maximumWaiting: Int,
        afterCommit: @escaping @Sendable (Database) -> Void
    ) {
        self.location = location
        self.maximumGroup = maximumGroup
        self.maximumWaiting = maximumWaiting
        self.afterCommit = afterCommit
    }

    var statistics: WriteStatistics { state.withLock { $0.statistics } }

    /// Why the last write was not stored that had something to store; nil where it was. Neither a write that waited too
    /// long nor one that the rules of the data refused counts. A broken file stays the reason, whatever is stored after.
    var failure: StoreError.Code? { state.withLock { $0.failure } }

    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Queues a write and starts a group on `pool` unless one is under way.
    ///
    /// - Throws: `StoreError` of code `closed` or `overloaded`; the write is then not queued.
    func submit(_ write: Write, to pool: DatabasePool) throws {
        let mustSchedule = try state.withLock { state in
            guard !state.isClosed else { throw StoreError(.closed, "the database is closed", location: location) }
            guard state.waiting.count < maximumWaiting else {
                throw StoreError(
                    .overloaded, "\(maximumWaiting) writes wait already", location: location, mend: "Try again later.")
            }
            state.waiting.append(write)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if mustSchedule { schedule(on: pool) }
    }

    /// Refuses new writes and runs those that wait, on the writing connection.
    func finish(_ database: Database) {
        state.withLock { $0.isClosed = true }
        while state.withLock({ !$0.waiting.isEmpty }) { commitGroup(database) }
    }

    private func schedule(on pool: DatabasePool) {
        // One group for each turn of the queue: a checkpoint or a close gets its turn between two.
        pool.asyncWriteWithoutTransaction { database in
            self.commitGroup(database)
            let goesOn = self.state.withLock { state in
                state.isScheduled = !state.waiting.isEmpty
                return state.isScheduled
            }
            if goesOn { self.schedule(on: pool) }
        }
    }

    private func commitGroup(_ database: Database) {
        let waiting = state.withLock { $0.waiting.count }
        guard waiting > 0 else { return }
        do {
            try database.beginTransaction(.immediate)
        } catch {
            // All that were here before the wait for the lock began have waited as long as is allowed.
            return fail(take(waiting), with: error)
        }
        var group: [Write] = []
        var outcomes: [@Sendable () -> Void] = []
        var rejected = 0
        var failure: StoreError.Code?
        var hasChanges = false
        let connection = SQLiteConnection(database, location: location)
        // Writes that arrive while earlier bodies run still join.
        while group.count < maximumGroup, let write = take(1).first {
            group.append(write)
            do {
                let before = database.totalChangesCount
                outcomes.append(try connection.savepoint { try write.run(connection) })
                // A commit of nothing succeeds on a full disk as well.
                if database.totalChangesCount != before { hasChanges = true }
            } catch {
                rejected += 1
                if let error = error as? StoreError, error.saysNothingIsStored, failure?.isLasting != true {
                    failure = error.code
                }
                outcomes.append { write.fail(error) }
                // A full disk and its like undo the whole transaction, and what went before with it.
                guard database.isInsideTransaction else { return fail(group, with: error) }
                // What cannot be undone alone must not be committed with the others.
                guard !connection.isAborted else {
                    rollBack(database)
                    return fail(group, with: error)
                }
            }
        }
        do {
            try database.commit()
        } catch {
            rollBack(database)
            return fail(group, with: error)
        }
        state.withLock { state in
            state.statistics.addCommit(of: group.count - rejected, rejected: rejected)
            if failure != nil || hasChanges { state.note(failure) }
        }
        for tell in outcomes { tell() }
        afterCommit(database)
    }

    private func rollBack(_ database: Database) {
        // There is nothing to do about a failed rollback: the connection's next BEGIN reports it.
        try? database.rollback()
    }

    private func take(_ count: Int) -> [Write] {
        state.withLock { state in
            var writes: [Write] = []
            while writes.count < count, let write = state.waiting.popFirst() { writes.append(write) }
            return writes
        }
    }

    private func fail(_ writes: [Write], with error: any Error) {
        let typed: any Error = (error as? DatabaseError).map { StoreError($0, at: location) } ?? error
        let failure = (typed as? StoreError).flatMap { $0.saysNothingIsStored ? $0.code : nil }
        state.withLock { state in
            state.statistics.failed += writes.count
            if let failure { state.note(failure) }
        }
        for write in writes { write.fail(typed) }
    }
}

/// What the writing side of a database has done since it was opened.
package struct WriteStatistics: Sendable, Equatable {
    /// Bodies committed.
    package internal(set) var writes = 0
    /// Transactions that committed them.
    package internal(set) var commits = 0
    /// Bodies that threw, and were undone alone.
    package internal(set) var rejected = 0
    /// Bodies lost to a lock that was not got or a commit that failed.
    package internal(set) var failed = 0
    /// Bodies in the largest transaction.
    package internal(set) var largestGroup = 0

    mutating func addCommit(of writes: Int, rejected: Int) {
        self.writes += writes
        self.rejected += rejected
        commits += 1
        largestGroup = max(largestGroup, writes)
    }
}

/// First in, first out, in amortised constant time.
private struct Queue<Element: Sendable>: Sendable {
    private var incoming: [Element] = []
    /// Last is first.
    private var outgoing: [Element] = []

    var count: Int { incoming.count + outgoing.count }
    var isEmpty: Bool { incoming.isEmpty && outgoing.isEmpty }

    mutating func append(_ element: Element) { incoming.append(element) }

    mutating func popFirst() -> Element? {
        if outgoing.isEmpty {
            outgoing = incoming.reversed()
            incoming.removeAll(keepingCapacity: true)
        }
        return outgoing.popLast()
    }
}
