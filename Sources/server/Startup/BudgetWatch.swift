package import Platform
import ServiceLifecycle
package import Store
internal import Synchronization

/// The day's budget as it was some seconds ago: neither `/readyz` nor `/metrics` waits for the database.
package final class BudgetWatch: Service {
    private static let interval = Duration.seconds(5)

    private let budget: LLMBudget
    private let state = Mutex<LLMBudgetState?>(nil)

    package init(_ budget: LLMBudget) { self.budget = budget }

    /// Nil until it was read for the first time.
    package var latest: LLMBudgetState? { state.withLock { $0 } }

    /// Whether calls of the usual size are refused, or nearly so.
    package var isUsedUp: Bool { latest.map { budget.isUsedUp($0) } ?? false }

    /// Reads it now.
    ///
    /// - Throws: `LLMError.storeFailed`, `cancelled`
    package func look() async throws {
        let read = try await budget.state()
        state.withLock { $0 = read }
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            // While the database fails, what was read last stands; that it fails, others say in the log.
            repeat { try? await self.look() } while (try? await Task.sleep(for: Self.interval)) != nil
        }
    }
}
