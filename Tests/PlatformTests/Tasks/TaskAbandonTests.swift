import Foundation
import Platform
import Store
import Testing

/// Handlers that do not heed that they were told to stop.
struct TaskAbandonTests {
    /// Goes on until the gate opens, whatever it is told.
    private func deaf(_ gate: DeafGate) -> ClosureHandler {
        ClosureHandler(deadline: .seconds(30)) { _ in
            await gate.pass()
            return .done
        }
    }

    @Test func `a task whose handler does not end when it should is another worker's after a lease`() async throws {
        try await TaskScene.run { scene in
            let (gate, log) = (DeafGate(), TaskLog())
            let first = scene.worker([deaf(gate)], owner: "one", log: log)
            let second = scene.worker([ClosureHandler { _ in .done }], owner: "two")
            let id = try await scene.queue.enqueue(kind: "k").id
            await first.fill()
            var taken: Int?
            for seconds in stride(from: 10, through: 200, by: 10) where taken == nil {
                scene.clock.advance(by: 10)
                await first.tick()
                if await second.fill() > 0 { taken = seconds }
            }
            await second.settle()
            // Its deadline, the grace, and a lease that was prolonged in between for the last time.
            #expect(taken == 30 + 10 + 60)
            #expect(log.abandoned.map(\.id) == [id])
            #expect(try await scene.state(id) == .done)
            #expect(try await scene.tasks.task(id: id)?.attempts == 2)
            gate.open()
            await first.settle()
            #expect(log.endings == [.lost])
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `handlers that never end leave their places to others, and do not become any number`() async throws {
        try await TaskScene.run { scene in
            let (gate, log) = (DeafGate(), TaskLog())
            let worker = scene.worker(
                [deaf(gate), ClosureHandler(kind: "l") { _ in .done }], maximumRunning: 2, log: log)
            for _ in 0..<9 { try await scene.queue.enqueue(kind: "k", priority: 1) }
            #expect(await worker.fill() == 2)
            let other = try await scene.queue.enqueue(kind: "l", priority: 2).id
            #expect(await worker.fill() == 0)
            for _ in 0..<5 {
                scene.clock.advance(by: 10)
                await worker.tick()
            }
            #expect(log.abandoned.count == 2)
            // Of the urgent one and one more that is deaf, the first ends.
            #expect(await worker.fill() >= 2)
            while try await scene.state(other) != .done { try Task.checkCancellation() }
            _ = await worker.fill()
            for _ in 0..<20 {
                scene.clock.advance(by: 10)
                await worker.tick()
                _ = await worker.fill()
            }
            #expect(worker.runningCount == 4)
            gate.open()
            await worker.settle()
        }
    }

    @Test func `who ends within the grace keeps its lease until then`() async throws {
        try await TaskScene.run { scene in
            let (gate, log) = (DeafGate(), TaskLog())
            let worker = scene.worker([deaf(gate)], log: log)
            let id = try await scene.queue.enqueue(kind: "k").id
            await worker.fill()
            for seconds in [30, 10] {
                scene.clock.advance(by: seconds)
                await worker.tick()
            }
            #expect(log.abandoned.isEmpty)
            gate.open()
            await worker.settle()
            #expect(try await scene.state(id) == .done)
        }
    }
}

/// Opens once; who waits for it hears of nothing else.
private final class DeafGate: Sendable {
    private struct State: Sendable {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Guarded(State())

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}
