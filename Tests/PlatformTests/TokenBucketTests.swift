import Platform
import Synchronization
import TestSupport
import Testing

/// The textbook's bucket: credit in nanoseconds, filled by looking at the clock. Exact, since all of it is whole numbers.
private struct NaiveBucket {
    let cost: Int64
    let capacity: Int64
    var credit: Int64
    var updatedAt: Int64 = 0

    init(cost: Int64, burst: Int) {
        self.cost = cost
        capacity = cost * Int64(burst)
        credit = capacity
    }

    /// Nil where allowed, else the nanoseconds to wait.
    mutating func take(at now: Int64) -> Int64? {
        credit = min(capacity, credit + (now - updatedAt))
        updatedAt = now
        guard credit >= cost else { return cost - credit }
        credit -= cost
        return nil
    }

    static func decision(_ wait: Int64?) -> TokenBucket.Decision { wait.map { .wait(.nanoseconds($0)) } ?? .allowed }
}

struct TokenBucketTests {
    @Test func `a burst passes, then one a period`() {
        let rate = TokenBucket.Rate(perSecond: 2, burst: 3)
        var bucket = TokenBucket()
        for _ in 0..<3 { #expect(bucket.take(rate, at: 0) == .allowed) }
        #expect(bucket.take(rate, at: 0) == .wait(.milliseconds(500)))
        #expect(bucket.take(rate, at: 400_000_000) == .wait(.milliseconds(100)))
        #expect(bucket.take(rate, at: 500_000_000) == .allowed)
        #expect(bucket.take(rate, at: 500_000_000) == .wait(.milliseconds(500)))
    }

    @Test func `a refused request costs nothing`() {
        let rate = TokenBucket.Rate(perSecond: 1, burst: 1)
        var bucket = TokenBucket()
        #expect(bucket.take(rate, at: 0) == .allowed)
        for now in stride(from: Int64(0), to: 1_000_000_000, by: 10_000_000) {
            #expect(bucket.take(rate, at: now) == .wait(.nanoseconds(1_000_000_000 - now)))
        }
        #expect(bucket.take(rate, at: 1_000_000_000) == .allowed)
    }

    @Test func `no more is saved up than a burst`() {
        let rate = TokenBucket.Rate(perSecond: 10, burst: 4)
        var bucket = TokenBucket()
        _ = bucket.take(rate, at: 0)
        let later: Int64 = 3_600_000_000_000
        #expect(bucket.isFull(at: later))
        for _ in 0..<4 { #expect(bucket.take(rate, at: later) == .allowed) }
        #expect(bucket.take(rate, at: later) != .allowed)
    }

    @Test(arguments: [(0.001, 1_000_000), (1_000_000, 1), (1_000_000, 1_000_000), (0.001, 1), (3, 7)])
    func `the limits of rate and burst do not overflow`(perSecond: Double, burst: Int) {
        let rate = TokenBucket.Rate(perSecond: perSecond, burst: burst)
        var bucket = TokenBucket()
        // A clock that has run for a century.
        let now: Int64 = 3_155_760_000_000_000_000
        for _ in 0..<min(burst, 1_000) { #expect(bucket.take(rate, at: now) == .allowed) }
        if burst <= 1_000 { #expect(bucket.take(rate, at: now) != .allowed) }
    }

    @Test func `decides as the textbook's bucket at any times`() {
        var generator = SeededGenerator()
        for _ in 0..<200 {
            let (perSecond, burst) = (
                Double(Int.random(in: 1...2_000, using: &generator)), Int.random(in: 1...20, using: &generator)
            )
            let rate = TokenBucket.Rate(perSecond: perSecond, burst: burst)
            let cost = Int64((1e9 / perSecond).rounded(.up))
            var (bucket, naive) = (TokenBucket(), NaiveBucket(cost: cost, burst: burst))
            var (now, allowed) = (Int64(0), [Int64]())
            for _ in 0..<300 {
                now += Int64.random(in: 0...(2 * cost), using: &generator)
                if Int.random(in: 0..<20, using: &generator) == 0 { now += cost * Int64(burst) }
                let decision = bucket.take(rate, at: now)
                #expect(decision == NaiveBucket.decision(naive.take(at: now)), "\(generator)")
                if decision == .allowed { allowed.append(now) }
            }
            // What the rate means: in no span are there more than a burst and the span's own.
            for (place, start) in allowed.enumerated() {
                for (count, end) in zip(1..., allowed[place...]) {
                    #expect(Int64(count) <= Int64(burst) + (end - start) / cost, "\(generator)")
                }
            }
        }
    }
}

struct TokenBucketTableTests {
    private final class Clock: Sendable {
        private let now = Mutex<Int64>(0)
        var read: @Sendable () -> Int64 { { self.now.withLock { $0 } } }
        func advance(_ nanoseconds: Int64) { now.withLock { $0 += nanoseconds } }
    }

    @Test func `one key's requests do not count for another's`() {
        let clock = Clock()
        let table = TokenBucketTable(rate: .init(perSecond: 1, burst: 1), clock: clock.read)
        #expect(table.take(.name("a")) == .allowed)
        #expect(table.take(.name("a")) == .wait(.seconds(1)))
        #expect(table.take(.name("b")) == .allowed)
        #expect(table.take(.address(0, 1)) == .allowed)
        #expect(table.take(.address(1, 0)) == .allowed)
        #expect(table.statistics == .init(buckets: 4, refused: 1))
    }

    @Test func `decides as a table that forgets nothing`() {
        var generator = SeededGenerator()
        for _ in 0..<50 {
            let clock = Clock()
            let burst = Int.random(in: 1...5, using: &generator)
            let cost: Int64 = 10_000_000
            let table = TokenBucketTable(rate: .init(perSecond: 100, burst: burst), clock: clock.read)
            var naive: [Int: NaiveBucket] = [:]
            var now: Int64 = 0
            for _ in 0..<2_000 {
                let step = Int64.random(in: 0...(cost / 2), using: &generator)
                let pause = Int.random(in: 0..<50, using: &generator) == 0 ? 3 * cost * Int64(burst) : 0
                clock.advance(step + pause)
                now += step + pause
                let key = Int.random(in: 0..<12, using: &generator)
                let wait = naive[key, default: NaiveBucket(cost: cost, burst: burst)].take(at: now)
                #expect(table.take(.address(0, UInt64(key))) == NaiveBucket.decision(wait), "\(generator)")
            }
        }
    }

    @Test func `forgets buckets that are full again`() {
        let clock = Clock()
        let table = TokenBucketTable(rate: .init(perSecond: 10, burst: 10), clock: clock.read)
        for number in 0..<1_000 { _ = table.take(.address(0, UInt64(number))) }
        #expect(table.statistics.buckets == 1_000)
        // From empty to full is a second; two turns later nothing of the thousand is left.
        for _ in 0..<2 {
            clock.advance(1_000_000_000)
            _ = table.take(.name("late"))
        }
        #expect(table.statistics.buckets == 1)
    }

    @Test func `never keeps more buckets than its bound`() {
        let clock = Clock()
        let table = TokenBucketTable(rate: .init(perSecond: 0.001, burst: 1), maximum: 100, clock: clock.read)
        for number in 0..<10_000 {
            #expect(table.take(.address(0, UInt64(number))) == .allowed)
            #expect(table.statistics.buckets <= 100)
        }
        // Those that asked last are still known.
        #expect(table.take(.address(0, 9_999)) != .allowed)
    }

    @Test func `many threads take no more than there is`() async {
        let clock = Clock()
        let table = TokenBucketTable(rate: .init(perSecond: 1, burst: 100), clock: clock.read)
        let allowed = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask { (0..<100).count { _ in table.take(.name("one")) == .allowed } }
            }
            return await group.reduce(0, +)
        }
        #expect(allowed == 100)
        #expect(table.statistics.refused == 700)
    }
}
