/// The right to do something alone among all processes on one database, until `release` or the end of the process.
///
/// Not a row with an expiry: the system gives the lock back when its holder dies, however it dies, so nobody waits for
/// the dead. (In PostgreSQL: an advisory lock of a session.)
package final class DatabaseLock: Sendable {
    private let giveBack: Guarded<(@Sendable () -> Void)?>

    init(giveBack: @escaping @Sendable () -> Void) { self.giveBack = Guarded(giveBack) }

    /// Gives the lock back; a second call does nothing.
    package func release() {
        giveBack.withLock { giveBack in
            giveBack?()
            giveBack = nil
        }
    }

    deinit { release() }
}
