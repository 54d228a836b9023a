internal import Dispatch
package import Store

/// Carries transfers out by curl's multi interface on one thread of its own.
///
/// Anybody submits; who waits is told at the transfer's end, at its deadline, on cancellation of the task or when the
/// engine closes, whichever comes first. curl keeps deadlines itself; a timer beside the thread holds them where the thread
/// is stuck inside curl.
package final class CurlEngine: Sendable {
    /// How long curl may be late before the timer answers in its place.
    private static let grace = Duration.milliseconds(100)

    /// Somebody to be told, and the socket to cut where curl may be waiting on its thread.
    private struct Waiter: Sendable {
        let continuation: CheckedContinuation<TransferOutcome, Never>
        let lifeline: SocketLifeline?

        func giveUp(_ error: OutboundError) {
            lifeline?.cut()
            continuation.resume(returning: .failed(error))
        }
    }

    private typealias Ledger = TransferLedger<TransferPlan, Waiter>

    private let ledger: Guarded<Ledger>
    private let multi: CurlMulti

    /// - Parameter threads: tests give their own.
    /// - Throws: `other` where curl gives nothing to work with, or the system no thread.
    package init(
        maximumTransfers: Int = 1024, maximumUnderWay: Int = 256, threads: ThreadStarter = .system
    ) throws(OutboundError) {
        let multi = try CurlMulti()
        let ledger = Guarded(Ledger(maximumTransfers: maximumTransfers, maximumUnderWay: maximumUnderWay))
        // The thread holds what it needs and not the engine, which may so come to its end and close.
        let isThere = threads.start("outbound") {
            CurlLoop(
                multi: multi,
                orders: {
                    let orders = ledger.withLock { $0.takeOrders() }
                    return CurlLoop.Orders(starts: orders.starts, aborts: orders.aborts, isClosed: orders.isClosed)
                },
                finish: { id, outcome in
                    let waiter = ledger.withLock {
                        $0.finish(
                            id, failure: outcome.failure, sentBytes: outcome.sentBytes,
                            receivedBytes: outcome.receivedBytes)
                    }
                    waiter?.continuation.resume(returning: outcome)
                }
            ).run()
        }
        guard isThere else {
            throw OutboundError(
                .other, "the system gives no thread for outbound transfers",
                mend: "Raise the limit of tasks of this process, or its memory.")
        }
        self.multi = multi
        self.ledger = ledger
    }

    deinit { close() }

    package var statistics: OutboundStatistics { ledger.withLock { $0.statistics } }

    /// Fails what is under way with `closed`. Closing twice is harmless.
    package func close() {
        let error = OutboundError(.closed, "the engine for outbound transfers was closed")
        let released = ledger.withLock { $0.close(error) }
        multi.wake()
        for waiter in released { waiter.giveUp(error) }
    }

    /// Carries one transfer out; the outcome says whether it failed.
    func perform(_ plan: TransferPlan) async -> TransferOutcome {
        let id = ledger.withLock { $0.makeID() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waiter = Waiter(continuation: continuation, lifeline: plan.lifeline)
                if let refusal = ledger.withLock({ $0.submit(id, plan, waiter) }) {
                    waiter.giveUp(refusal)
                    return
                }
                // A cancellation before the submission found nothing to abandon.
                if Task.isCancelled {
                    cancel(id)
                } else {
                    watch(id, until: plan.deadline)
                    multi.wake()
                }
            }
        } onCancel: {
            cancel(id)
        }
    }

    private func cancel(_ id: UInt64) {
        abandon(id, OutboundError(.cancelled, "the task that asked for the transfer was cancelled"))
    }

    private func watch(_ id: UInt64, until deadline: ContinuousClock.Instant) {
        let rest = ContinuousClock.now.duration(to: deadline) + Self.grace
        // Not taken back when the transfer ends: an id that is gone is looked up once, in vain.
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(max(1, rest.milliseconds))) { [weak self] in
            self?.abandon(id, OutboundError(.timedOut, "there was no whole answer within the time allowed"))
        }
    }

    private func abandon(_ id: UInt64, _ error: OutboundError) {
        guard let waiter = ledger.withLock({ $0.abandon(id, error) }) else { return }
        multi.wake()
        waiter.giveUp(error)
    }
}

extension Duration {
    /// Rounded up, so that a time that is left is never none.
    var milliseconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * 1_000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
