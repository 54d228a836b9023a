import CoreMetrics
import Synchronization

/// A count that only grows.
package final class CounterSeries: CounterHandler, FloatingPointCounterHandler {
    private let bits = Atomic<UInt64>(0)

    package var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    package func increment(by amount: Int64) { increment(by: Double(amount)) }

    /// Adds a finite amount of at least 0; anything else would break what a counter promises.
    package func increment(by amount: Double) {
        guard amount.isFinite, amount > 0 else { return }
        bits.update { $0 + amount }
    }

    package func reset() { bits.store(0, ordering: .relaxed) }
}

/// A value that goes up and down.
package final class GaugeSeries: MeterHandler, RecorderHandler {
    private let bits = Atomic<UInt64>(0)

    package var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    package func set(_ value: Int64) { set(Double(value)) }
    package func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    package func increment(by amount: Double) { bits.update { $0 + amount } }
    package func decrement(by amount: Double) { bits.update { $0 - amount } }
    package func record(_ value: Int64) { set(Double(value)) }
    package func record(_ value: Double) { set(value) }
}

/// A distribution: how many values lie at or below each bound, their number and their sum.
package final class HistogramSeries: TimerHandler, RecorderHandler {
    /// From 100 µs to 10 s, about three bounds a decade.
    package static let secondsBounds: [Double] = [
        0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
    /// For sizes and counts.
    package static let magnitudeBounds: [Double] = (0...10).map { Double(1 << (2 * $0)) }

    package struct Snapshot: Sendable {
        /// Values in each bucket, not summed up; the last one is above every bound.
        package var counts: [UInt64]
        package var sum = 0.0
        package var count: UInt64 { counts.reduce(0, +) }
    }

    package let bounds: [Double]
    private let state: Mutex<Snapshot>

    package init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(Snapshot(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    package var snapshot: Snapshot { state.withLock { $0 } }

    package func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    package func record(_ value: Int64) { record(Double(value)) }

    package func record(_ value: Double) {
        guard value.isFinite else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }
}

extension Atomic<UInt64> {
    /// Replaces the 64-bit float in these bits without a lock.
    fileprivate func update(_ change: (Double) -> Double) {
        var old = load(ordering: .relaxed)
        while true {
            let new = change(Double(bitPattern: old)).bitPattern
            let (exchanged, original) = weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = original
        }
    }
}
