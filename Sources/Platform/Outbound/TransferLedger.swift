/// Which transfers wait, are with the engine's thread, or are to be given up. A value: whoever holds it does outside the
/// lock what it returns.
///
/// Every waiter goes in once and comes out once, from `finish`, `abandon` or `close`.
package struct TransferLedger<Plan: Sendable, Waiter: Sendable>: Sendable {
    package typealias ID = UInt64

    package struct Orders: Sendable {
        package var starts: [(id: ID, plan: Plan)] = []
        package var aborts: [ID] = []
        package var isClosed = false
    }

    private struct Entry: Sendable {
        let waiter: Waiter
        /// Until the thread has taken it.
        var plan: Plan?
    }

    private let maximumTransfers: Int
    private let maximumUnderWay: Int
    private var lastID: ID = 0
    private var entries: [ID: Entry] = [:]
    /// Those that the thread has not taken yet, in order.
    private var queue: [ID] = []
    /// With the thread, abandoned or not.
    private var underWay: Set<ID> = []
    private var aborts: [ID] = []
    private var isClosed = false
    private var counts = OutboundStatistics()

    package init(maximumTransfers: Int, maximumUnderWay: Int) {
        precondition(maximumTransfers > 0 && maximumUnderWay > 0, "an engine carries out something")
        self.maximumTransfers = maximumTransfers
        self.maximumUnderWay = maximumUnderWay
    }

    /// How many ids wait to be taken.
    package var queued: Int { queue.count }

    package var statistics: OutboundStatistics {
        var statistics = counts
        statistics.underWay = underWay.count
        statistics.waiting = entries.values.count { $0.plan != nil }
        return statistics
    }

    package mutating func makeID() -> ID {
        lastID += 1
        return lastID
    }

    /// Takes a transfer in, or says why not; in that case the waiter stays with the caller.
    package mutating func submit(_ id: ID, _ plan: Plan, _ waiter: Waiter) -> OutboundError? {
        if isClosed { return refusal(.closed, "the engine for outbound transfers is closed") }
        guard entries.count < maximumTransfers else {
            return refusal(.overloaded, "\(maximumTransfers) outbound transfers wait or are under way")
        }
        entries[id] = Entry(waiter: waiter, plan: plan)
        queue.append(id)
        return nil
    }

    /// What the thread is to do now.
    package mutating func takeOrders() -> Orders {
        var orders = Orders(aborts: aborts, isClosed: isClosed)
        aborts = []
        let next = queue.prefix(max(0, maximumUnderWay - underWay.count))
        for id in next {
            guard let plan = entries[id]?.plan else { continue }
            entries[id]?.plan = nil
            underWay.insert(id)
            orders.starts.append((id, plan))
        }
        queue.removeFirst(next.count)
        return orders
    }

    /// The thread is done with a transfer; nil where its waiter has been told already.
    package mutating func finish(_ id: ID, failure: OutboundError?, sentBytes: Int, receivedBytes: Int) -> Waiter? {
        underWay.remove(id)
        guard let entry = entries.removeValue(forKey: id) else { return nil }
        counts.count(failure?.code, sentBytes: sentBytes, receivedBytes: receivedBytes)
        return entry.waiter
    }

    /// Somebody other than the thread ends a transfer; nil where it has ended already.
    package mutating func abandon(_ id: ID, _ error: OutboundError) -> Waiter? {
        guard let entry = entries.removeValue(forKey: id) else { return nil }
        if underWay.contains(id) { aborts.append(id) }
        // Of those that wait while none may start, nothing may pile up either.
        if entry.plan != nil { queue.removeAll { $0 == id } }
        counts.count(error.code)
        return entry.waiter
    }

    /// Ends everything; later submissions are refused.
    package mutating func close(_ error: OutboundError) -> [Waiter] {
        isClosed = true
        queue = []
        return entries.keys.sorted().compactMap { abandon($0, error) }
    }

    private mutating func refusal(_ code: OutboundError.Code, _ message: String) -> OutboundError {
        counts.count(code)
        return OutboundError(code, message)
    }
}
