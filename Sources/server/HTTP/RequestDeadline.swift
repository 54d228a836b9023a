import ServiceLifecycle
import Synchronization

/// The moment by which a request must be answered, and whether it has passed.
package final class RequestDeadline: Sendable {
    /// A deadline that never comes.
    package static let none = RequestDeadline(instant: nil)

    package let instant: ContinuousClock.Instant?
    private let expired = Atomic<Bool>(false)

    package init(instant: ContinuousClock.Instant?) {
        self.instant = instant
    }

    package var isExpired: Bool { expired.load(ordering: .acquiring) }

    func expire() { expired.store(true, ordering: .releasing) }
}

/// Cancels the handlers of requests that take too long.
///
/// One loop looks at all requests in flight four times a second. A sleeping task for each request was the
/// alternative; a cancelled sleep stays in the executor's queue until its time comes, which at ten thousand
/// requests a second and 30 s is 300,000 dead timers.
package final class DeadlineKeeper: Service {
    package static let period = Duration.milliseconds(250)

    private struct Entry {
        let deadline: RequestDeadline
        let cancel: @Sendable () -> Void
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var next: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Requests under way.
    package var count: Int { state.withLock { $0.entries.count } }

    /// Runs `operation` in a task of its own, cancelled when the deadline passes or the caller is cancelled.
    ///
    /// It returns when the operation does: a handler that ignores cancellation is late, but nothing runs on
    /// behind a finished request.
    package func run<Value: Sendable>(
        before deadline: RequestDeadline, _ operation: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let task = Task(operation: operation)
        let ticket = state.withLock { state in
            state.next += 1
            state.entries[state.next] = Entry(deadline: deadline, cancel: { task.cancel() })
            return state.next
        }
        defer { _ = state.withLock { $0.entries.removeValue(forKey: ticket) } }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Expires and cancels what is due at `now`.
    package func sweep(now: ContinuousClock.Instant = .now) {
        let due = state.withLock { state in
            state.entries.values.filter { entry in
                guard let instant = entry.deadline.instant, !entry.deadline.isExpired else { return false }
                return instant <= now
            }
        }
        for entry in due {
            entry.deadline.expire()
            entry.cancel()
        }
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.period)
                self.sweep()
            }
        }
    }
}
