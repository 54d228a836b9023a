/// Who wants to know how long the database takes for what the present task does.
///
/// Bound around a task's work, not handed down, because the many repositories between have no use for it. Where nobody
/// watches, a call costs one look-up.
package struct SQLCallWatch: Sendable {
    /// Nil where nobody wants to know.
    @TaskLocal package static var current: SQLCallWatch?

    /// Takes note of a call as it ends; must be quick.
    let ended: @Sendable (SQLCall) -> Void

    package init(ended: @escaping @Sendable (SQLCall) -> Void) { self.ended = ended }
}

/// How one call of `read` or `write` went. It has neither statements nor values.
package struct SQLCall: Sendable {
    package let isWrite: Bool
    package let start: ContinuousClock.Instant
    /// When it had its turn; nil where it never came.
    package let begun: ContinuousClock.Instant?
    /// Of a write, when it was durable.
    package let end: ContinuousClock.Instant
    package let hasFailed: Bool
}

/// A call that is under way and watched.
final class WatchedCall: Sendable {
    private let watch: SQLCallWatch
    private let isWrite: Bool
    private let start = ContinuousClock.now
    private let begun = Guarded<ContinuousClock.Instant?>(nil)

    private init(_ watch: SQLCallWatch, isWrite: Bool) {
        self.watch = watch
        self.isWrite = isWrite
    }

    /// Nil, and nothing made, where nobody watches. An initialiser that fails would have allocated before.
    static func start(isWrite: Bool) -> WatchedCall? {
        SQLCallWatch.current.map { WatchedCall($0, isWrite: isWrite) }
    }

    /// The call has its connection; only the first time counts.
    func begin() { begun.withLock { $0 = $0 ?? .now } }

    func end(hasFailed: Bool) {
        watch.ended(
            SQLCall(isWrite: isWrite, start: start, begun: begun.withLock { $0 }, end: .now, hasFailed: hasFailed))
    }
}
