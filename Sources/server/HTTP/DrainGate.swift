import HTTPTypes
import ServiceLifecycle
import Synchronization

/// The time between SIGTERM and the closing of the port, in which the service answers as before and `/readyz` says that
/// it is about to go: who balances load looks there, and sends the next request elsewhere.
///
/// Without it the port closes at once, and what was sent to it in the moment before is refused.
package final class DrainGate: Service {
    private let hasBegun = Atomic(false)
    private let pause: Duration
    private let sleep: @Sendable (Duration) async throws -> Void

    /// - Parameter pause: from SIGTERM to the closing; zero closes at once.
    package init(
        pause: Duration, sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.pause = pause
        self.sleep = sleep
    }

    /// Whether the service is about to go.
    package var isDraining: Bool { hasBegun.load(ordering: .acquiring) }

    /// To be run as the last of its group, whose services end in reverse order: the others go on while this one pauses.
    package func run() async throws {
        try? await gracefulShutdown()
        hasBegun.store(true, ordering: .releasing)
        guard pause > .zero else { return }
        // Cancelled where the whole shutdown takes too long.
        try? await sleep(pause)
    }
}

extension ProblemCode {
    package static let draining = ProblemCode("draining", .serviceUnavailable, "The service is about to stop")
}

extension DrainGate {
    /// For `/readyz` alone: every other route answers until the port closes.
    ///
    /// - Throws: `HTTPProblem` while the service is about to go.
    package func refuseIfDraining() throws {
        guard isDraining else { return }
        throw HTTPProblem(.draining, "The service is about to stop; send requests to another one.")
    }
}
