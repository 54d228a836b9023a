import Logging
import ServiceLifecycle
import Synchronization
import Testing
import server

/// What happens between SIGTERM and the closing of the port.
struct DrainTests {
    /// Stands for the server: says when it was told to end.
    private final class Listener: Service {
        private let ended = Atomic(false)
        var hasEnded: Bool { ended.load(ordering: .sequentiallyConsistent) }

        func run() async throws {
            try? await gracefulShutdown()
            ended.store(true, ordering: .sequentiallyConsistent)
        }
    }

    @Test func `the port stays open while the service says that it is about to go`() async throws {
        let listener = Listener()
        let seen = Mutex<(pause: Duration, listenerHadEnded: Bool)?>(nil)
        let box = GateBox()
        let gate = DrainGate(pause: .seconds(3)) { pause in
            #expect(box.gate.withLock { $0?.isDraining } == true)
            seen.withLock { $0 = (pause, listener.hasEnded) }
        }
        box.gate.withLock { $0 = gate }
        #expect(!gate.isDraining)
        try gate.refuseIfDraining()
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: listener), .init(service: gate)], logger: Logger(label: "test")))
        async let end: Void = group.run()
        await group.triggerGracefulShutdown()
        try await end
        let found = try #require(seen.withLock { $0 })
        #expect(throws: HTTPProblem.self) { try gate.refuseIfDraining() }
        #expect(found.pause == .seconds(3) && !found.listenerHadEnded)
        #expect(listener.hasEnded)
    }

    @Test func `without a pause the port closes at once`() async throws {
        let gate = DrainGate(pause: .zero) { _ in Issue.record("it paused") }
        let group = ServiceGroup(
            configuration: .init(services: [.init(service: gate)], logger: Logger(label: "test")))
        async let end: Void = group.run()
        await group.triggerGracefulShutdown()
        try await end
        #expect(gate.isDraining)
    }

    private final class GateBox: Sendable {
        let gate = Mutex<DrainGate?>(nil)
    }
}
