import Foundation
import Synchronization
import VectorIndex

/// Searches that arrive at a constant rate, at rest and while items of the index are replaced at another.
struct UpsertLoad {
    let index: LiveIndex
    let rows: Int
    let upsertsPerSecond: Int
    let searchesPerSecond: Double
    let seconds: Double
    let item: @Sendable (Int) -> IndexItem
    let requests: [SearchRequest]

    /// What is printed; milliseconds from when a search was due.
    struct Answer: Encodable {
        var rows: Int
        var searchesPerSecond: Double
        var upsertsPerSecond: Int
        /// What the writer came to.
        var upsertsDonePerSecond: Double
        var slowestUpsertMs: Double
        var rest: Measurement
        var restMaxMs: Double
        var during: Measurement
        var duringMaxMs: Double
        var ratioP50: Double
        var ratioP99: Double
        /// Whether each search proved its hits.
        var exact: Bool
    }

    /// Half of the time at rest is before the writes, half after: a neighbour shows as a difference.
    func run() throws -> Answer {
        _ = searches(seconds: 1)
        let before = searches(seconds: seconds / 2)
        let writer = Writer(index: index, rows: rows, perSecond: upsertsPerSecond, item: item)
        writer.start()
        let during = searches(seconds: seconds)
        let (done, slowest, time) = try writer.stop()
        let after = searches(seconds: seconds / 2)
        let rest = before + after
        let restTime = Measurement(rest.map(\.took))
        let duringTime = Measurement(during.map(\.took))
        return Answer(
            rows: rows, searchesPerSecond: searchesPerSecond, upsertsPerSecond: upsertsPerSecond,
            upsertsDonePerSecond: Double(done) / (time / .seconds(1)), slowestUpsertMs: slowest / .milliseconds(1),
            rest: restTime, restMaxMs: (rest.map(\.took).max() ?? .zero) / .milliseconds(1), during: duringTime,
            duringMaxMs: (during.map(\.took).max() ?? .zero) / .milliseconds(1),
            ratioP50: duringTime.p50Ms / restTime.p50Ms, ratioP99: duringTime.p99Ms / restTime.p99Ms,
            exact: (rest + during).allSatisfy { $0.outcome == .good })
    }

    private func searches(seconds: Double) -> [OpenLoop.Sample] {
        let (index, requests) = (index, requests)
        return OpenLoop(rate: searchesPerSecond, seconds: seconds).run(workers: 8) { _ in
            { number in
                let found = try? index.current.search(requests[number % requests.count])
                return found?.exact == true ? .good : .failed
            }
        }
    }

    /// Replaces items of the index, ten at a time where so many are asked for.
    private final class Writer: Sendable {
        private struct State {
            var done = 0
            var slowest = Duration.zero
            var failure: (any Error)?
            var began: ContinuousClock.Instant?
        }

        private let index: LiveIndex
        private let rows: Int
        private let perSecond: Int
        private let group: Int
        private let item: @Sendable (Int) -> IndexItem
        private let state = Mutex(State())
        private let isEnding = Atomic(false)
        private let ended = DispatchSemaphore(value: 0)

        init(index: LiveIndex, rows: Int, perSecond: Int, item: @escaping @Sendable (Int) -> IndexItem) {
            self.index = index
            self.rows = rows
            self.item = item
            self.perSecond = perSecond
            group = min(10, perSecond)
        }

        func start() {
            Thread { [self] in
                write()
                ended.signal()
            }.start()
        }

        func stop() throws -> (done: Int, slowest: Duration, time: Duration) {
            isEnding.store(true, ordering: .relaxed)
            ended.wait()
            let state = state.withLock { $0 }
            if let failure = state.failure { throw failure }
            let began = state.began ?? ContinuousClock.now
            return (state.done, state.slowest, ContinuousClock.now - began)
        }

        private func write() {
            let clock = ContinuousClock()
            let began = clock.now
            state.withLock { $0.began = began }
            var random = SplitMix64(state: 5)
            var done = 0
            while !isEnding.load(ordering: .relaxed) {
                let items = (0..<group).map { _ in
                    // The vectors of an item that is not there under the id of one that is.
                    var item = item(rows + Int(random.next() % 1_000_000))
                    item.id = ItemID("i\(random.next() % UInt64(rows))")
                    return item
                }
                do {
                    let time = try clock.measure { try index.apply(upserting: Self.distinct(items)) }
                    state.withLock {
                        $0.done += items.count
                        $0.slowest = max($0.slowest, time)
                    }
                } catch {
                    state.withLock { $0.failure = error }
                    return
                }
                // From the count and not from group to group: a late one does not put off those after it.
                done += items.count
                let due = began + .seconds(Double(done) / Double(perSecond))
                let left = clock.now.duration(to: due)
                if left > .zero { Thread.sleep(forTimeInterval: left / .seconds(1)) }
            }
        }

        /// The last of each id: a change names none twice.
        private static func distinct(_ items: [IndexItem]) -> [IndexItem] {
            Array(Dictionary(items.map { ($0.id, $0) }, uniquingKeysWith: { $1 }).values)
        }
    }
}
