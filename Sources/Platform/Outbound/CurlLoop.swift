internal import CCurl
internal import Foundation
internal import Glibc

/// What the engine's thread does: takes orders, lets curl work, tells who waits.
final class CurlLoop {
    struct Orders {
        let starts: [(id: UInt64, plan: TransferPlan)]
        let aborts: [UInt64]
        let isClosed: Bool
    }

    private let multi: CurlMulti
    private let orders: () -> Orders
    private let finish: (UInt64, TransferOutcome) -> Void
    private var transfers: [UInt64: CurlTransfer] = [:]
    /// By the easy handle's address.
    private var ids: [Int: UInt64] = [:]

    init(
        multi: CurlMulti, orders: @escaping () -> Orders, finish: @escaping (UInt64, TransferOutcome) -> Void
    ) {
        self.multi = multi
        self.orders = orders
        self.finish = finish
    }

    func run() {
        Self.blockSignals()
        while step() {}
        for id in transfers.keys.sorted() { drop(id, telling: .failed(OutboundError(.closed, "closed"))) }
        multi.end()
    }

    /// - Returns: whether to go on.
    private func step() -> Bool {
        let orders = orders()
        for id in orders.aborts { drop(id, telling: .failed(OutboundError(.cancelled, "given up"))) }
        guard !orders.isClosed else { return false }
        for (id, plan) in orders.starts { start(id, plan) }
        let isWell = multi.perform()
        while let (easy, code) = unsafe multi.nextFinished() {
            if let id = ids[Int(bitPattern: easy)], let transfer = transfers[id] {
                drop(id, telling: transfer.outcome(code))
            }
        }
        // Nobody waits long where curl is unwell, and the thread does not spin.
        if !isWell { failAll() }
        if !multi.wait(milliseconds: transfers.isEmpty ? 60_000 : 1_000) { usleep(10_000) }
        return true
    }

    private func start(_ id: UInt64, _ plan: TransferPlan) {
        let transfer: CurlTransfer
        do throws(OutboundError) {
            transfer = try CurlTransfer(plan)
        } catch {
            finish(id, .failed(error))
            return
        }
        unsafe ids[Int(bitPattern: transfer.easy)] = id
        transfers[id] = transfer
        if unsafe !multi.add(transfer.easy) {
            drop(id, telling: .failed(OutboundError(.other, "curl does not take the transfer")))
        }
    }

    private func failAll() {
        for id in transfers.keys.sorted() {
            drop(id, telling: .failed(OutboundError(.other, "curl's set of transfers failed")))
        }
    }

    /// Takes a transfer out of curl, and only then lets its callbacks' context go.
    private func drop(_ id: UInt64, telling outcome: TransferOutcome) {
        if let transfer = transfers[id] {
            unsafe multi.remove(transfer.easy)
            unsafe ids[Int(bitPattern: transfer.easy)] = nil
            transfers[id] = nil
        }
        finish(id, outcome)
    }

    /// Signals are for other threads, and one that a peer's closed socket raises for none. Resolver threads inherit it.
    private static func blockSignals() {
        var all = sigset_t()
        // SAFETY: both fill or read the set that they are given.
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
    }
}
