import Dispatch
import Synchronization

/// Token buckets by who asks, all of one rate, in bounded memory.
///
/// Buckets that are full again are forgotten without a search for them: there are two generations, and a bucket that
/// is used moves to the young one. After as long as an empty bucket takes to fill, whatever is still in the old one is full,
/// and goes as a whole. Only where the bound on the number is reached does the old generation go before its time: who
/// asks from so many addresses gets bursts from a bucket each in any case, and the bound on requests under way holds.
package final class TokenBucketTable: Sendable {
    /// Whose bucket it is. Two forms, so that an address needs no text.
    package enum Key: Hashable, Sendable {
        /// The two halves of a network address.
        case address(UInt64, UInt64)
        /// A key or a user, by id.
        case name(String)
    }

    package static let defaultMaximum = 100_000

    private struct State {
        var young: [Key: TokenBucket] = [:]
        var old: [Key: TokenBucket] = [:]
        var youngSince: Int64 = 0
        var refused = 0
    }

    package let rate: TokenBucket.Rate
    /// Buckets that are kept at most.
    package let maximum: Int
    private let clock: @Sendable () -> Int64
    private let state = Mutex(State())

    /// - Parameter clock: nanoseconds of a clock that never goes back, from 0.
    package init(
        rate: TokenBucket.Rate, maximum: Int = defaultMaximum,
        clock: @escaping @Sendable () -> Int64 = { Int64(clamping: DispatchTime.now().uptimeNanoseconds) }
    ) {
        precondition(maximum >= 2, "each of the two generations holds one bucket at least")
        self.rate = rate
        self.maximum = maximum
        self.clock = clock
    }

    /// Takes a token from `key`'s bucket.
    package func take(_ key: Key) -> TokenBucket.Decision {
        let now = clock()
        // What is dropped is freed outside the lock: tens of thousands of entries take a while.
        let (decision, dropped) = state.withLock { state in
            let dropped = Self.turn(&state, at: now, every: rate.capacity, maximum: maximum, for: key)
            var bucket = state.young[key] ?? state.old.removeValue(forKey: key) ?? TokenBucket()
            let decision = bucket.take(rate, at: now)
            state.young[key] = bucket
            if decision != .allowed { state.refused += 1 }
            return (decision, dropped)
        }
        _ = dropped
        return decision
    }

    /// Makes the young generation the old one where it is time, or where `key` would be one too many.
    ///
    /// - Returns: the generation that went.
    private static func turn(
        _ state: inout State, at now: Int64, every period: Int64, maximum: Int, for key: Key
    ) -> [Key: TokenBucket] {
        let isDue = now - state.youngSince >= period
        let isFull = state.young.count >= maximum / 2 && state.young[key] == nil
        guard isDue || isFull else { return [:] }
        let dropped = state.old
        // Whatever comes after one period turns the table, so that after two the last use is at least one ago.
        state.old = now - state.youngSince >= 2 * period ? [:] : state.young
        state.young = [:]
        state.youngSince = now
        return dropped
    }

    /// Buckets that are kept, and requests that were refused since the start.
    package struct Statistics: Sendable, Equatable {
        package let buckets: Int
        package let refused: Int

        package init(buckets: Int, refused: Int) {
            self.buckets = buckets
            self.refused = refused
        }
    }

    package var statistics: Statistics {
        state.withLock { Statistics(buckets: $0.young.count + $0.old.count, refused: $0.refused) }
    }
}
