import Synchronization
import VectorMath

// Who uses the cores: one text's products, or several texts side by side.

/// Whether matrix products are split over the cores or each stays on its caller's.
///
/// A single text is soonest done with its products split. Many texts are soonest done side by side, each on one core:
/// nobody waits for anybody, and what lies between the products runs on all cores too (measured: 1.2 times the texts
/// a second on two idle cores, 1.4 times on busy ones, where OpenBLAS's threads wait for each other by spinning).
package enum EncoderThreads {
    private struct State {
        var sideBySide = 0
        var splitCount = 1
    }

    private static let state = Mutex(State())

    /// Runs `work` with products on one thread each; meanwhile single texts run so too. Nests, and may run several
    /// times at once.
    package static func sideBySide<Value>(
        isolation: isolated (any Actor)? = #isolation, _ work: () async throws -> Value
    ) async rethrows -> Value {
        state.withLock { state in
            if state.sideBySide == 0 {
                state.splitCount = DenseMath.threadCount
                DenseMath.setThreadCount(1)
            }
            state.sideBySide += 1
        }
        defer {
            state.withLock { state in
                state.sideBySide -= 1
                if state.sideBySide == 0 { DenseMath.setThreadCount(state.splitCount) }
            }
        }
        return try await work()
    }
}
