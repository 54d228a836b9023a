import Synchronization
import VectorMath

// Who uses the cores: one text's work, or several texts side by side.

/// Whether a text's work is split over the cores or stays on its caller's.
///
/// A single text is soonest done with its work split. Many texts are soonest done side by side, each on one core:
/// nobody waits for anybody.
package enum EncoderThreads {
    private static let sideBySideCount = Atomic(0)
    private static let runningCount = Atomic(0)

    /// Runs `work` with each text's work on one thread; meanwhile single texts run so too. Nests, and may run several
    /// times at once.
    package static func sideBySide<Value>(_ work: () throws -> Value) rethrows -> Value {
        sideBySideCount.add(1, ordering: .relaxed)
        defer { sideBySideCount.subtract(1, ordering: .relaxed) }
        return try work()
    }

    /// The same for work that waits in between.
    package static func sideBySide<Value>(
        isolation: isolated (any Actor)? = #isolation, _ work: () async throws -> Value
    ) async rethrows -> Value {
        sideBySideCount.add(1, ordering: .relaxed)
        defer { sideBySideCount.subtract(1, ordering: .relaxed) }
        return try await work()
    }

    /// Counts one more batch that is being computed, and says how many lanes it may have: all cores if it is alone.
    static func begin() -> Int {
        let others = runningCount.add(1, ordering: .relaxed).oldValue
        guard sideBySideCount.load(ordering: .relaxed) == 0 else { return 1 }
        return max(1, WorkerThreads.processorCount / (others + 1))
    }

    static func end() { runningCount.subtract(1, ordering: .relaxed) }
}
