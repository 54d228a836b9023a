import Platform
import TestSupport
import Testing

struct OutboundLedgerTests {
    private typealias Ledger = TransferLedger<String, Int>

    private func finish(_ ledger: inout Ledger, _ id: UInt64) -> Int? {
        ledger.finish(id, failure: nil, sentBytes: 1, receivedBytes: 2)
    }

    @Test func `transfers start in order, as many as may be under way`() {
        var ledger = Ledger(maximumTransfers: 10, maximumUnderWay: 2)
        let ids = (0..<4).map { _ in ledger.makeID() }
        for (place, id) in ids.enumerated() { #expect(ledger.submit(id, "\(place)", place) == nil) }
        #expect(ledger.takeOrders().starts.map(\.plan) == ["0", "1"])
        #expect(ledger.statistics.underWay == 2 && ledger.statistics.waiting == 2)
        #expect(ledger.takeOrders().starts.isEmpty)
        #expect(finish(&ledger, ids[1]) == 1 && finish(&ledger, ids[1]) == nil)
        #expect(ledger.takeOrders().starts.map(\.plan) == ["2"])
        #expect(ledger.statistics.transfers == ["ok": 1] && ledger.statistics.receivedBytes == 2)
    }

    @Test func `what is abandoned with the thread is aborted there, and what waits never starts`() {
        var ledger = Ledger(maximumTransfers: 10, maximumUnderWay: 1)
        let first = ledger.makeID()
        let second = ledger.makeID()
        _ = ledger.submit(first, "1", 1)
        _ = ledger.submit(second, "2", 2)
        _ = ledger.takeOrders()
        let error = OutboundError(.cancelled, "")
        #expect(ledger.abandon(first, error) == 1 && ledger.abandon(first, error) == nil)
        #expect(ledger.abandon(second, error) == 2)
        let orders = ledger.takeOrders()
        #expect(orders.aborts == [first] && orders.starts.isEmpty)
        // The place is free only when the thread has let go.
        #expect(ledger.statistics.underWay == 1)
        #expect(finish(&ledger, first) == nil && ledger.statistics.underWay == 0)
        #expect(ledger.takeOrders().aborts.isEmpty)
    }

    @Test func `what is abandoned while none may start leaves nothing behind`() {
        var ledger = Ledger(maximumTransfers: 10, maximumUnderWay: 1)
        let first = ledger.makeID()
        _ = ledger.submit(first, "1", 1)
        _ = ledger.takeOrders()
        let kept = ledger.makeID()
        #expect(ledger.submit(kept, "kept", 2) == nil)
        for _ in 0..<1_000 {
            let id = ledger.makeID()
            #expect(ledger.submit(id, "", 3) == nil)
            #expect(ledger.takeOrders().starts.isEmpty)
            #expect(ledger.abandon(id, OutboundError(.timedOut, "")) == 3)
        }
        #expect(ledger.queued == 1)
        _ = finish(&ledger, first)
        #expect(ledger.takeOrders().starts.map(\.plan) == ["kept"] && ledger.queued == 0)
    }

    @Test func `closing releases all and refuses the rest`() {
        var ledger = Ledger(maximumTransfers: 10, maximumUnderWay: 1)
        let ids = (0..<3).map { _ in ledger.makeID() }
        for id in ids { _ = ledger.submit(id, "", Int(id)) }
        _ = ledger.takeOrders()
        let error = OutboundError(.closed, "")
        #expect(ledger.close(error) == ids.map { Int($0) } && ledger.close(error).isEmpty)
        let orders = ledger.takeOrders()
        #expect(orders.isClosed && orders.starts.isEmpty && orders.aborts == [ids[0]])
        #expect(ledger.submit(ledger.makeID(), "", 9)?.code == .closed)
    }

    @Test func `every waiter comes out exactly once, whatever happens in whatever order`() {
        var generator = SeededGenerator(seed: 77)
        for _ in 0..<300 {
            var ledger = Ledger(maximumTransfers: 8, maximumUnderWay: 3)
            var taken: Set<Int> = []
            var released: [Int] = []
            var withThread: Set<UInt64> = []
            var last: UInt64 = 0
            for _ in 0..<60 {
                switch Int.random(in: 0..<5, using: &generator) {
                case 0, 1:
                    last = ledger.makeID()
                    if ledger.submit(last, "", Int(last)) == nil { taken.insert(Int(last)) }
                case 2:
                    let orders = ledger.takeOrders()
                    for id in orders.aborts {
                        withThread.remove(id)
                        released += [finish(&ledger, id)].compactMap { $0 }
                    }
                    withThread.formUnion(orders.starts.map(\.id))
                    #expect(withThread.count <= 3 + orders.aborts.count, "\(generator)")
                case 3:
                    guard let id = withThread.randomElement(using: &generator) else { continue }
                    withThread.remove(id)
                    released += [finish(&ledger, id)].compactMap { $0 }
                default:
                    let id = UInt64.random(in: 0...last, using: &generator)
                    released += [ledger.abandon(id, OutboundError(.cancelled, ""))].compactMap { $0 }
                }
            }
            released += ledger.close(OutboundError(.closed, ""))
            #expect(released.count == Set(released).count && Set(released) == taken, "\(generator)")
        }
    }
}
