import Dispatch
import Foundation
import Platform
import Store
import Testing

struct BoundedWorkTests {
    /// Bodies that run until they are let go, and in which order they began.
    private final class Gate: Sendable {
        private let begun = Guarded<[String]>([])
        private let semaphore = DispatchSemaphore(value: 0)

        var order: [String] { begun.withLock { $0 } }

        func body(_ name: String) -> @Sendable () -> String {
            {
                self.begun.withLock { $0.append(name) }
                self.semaphore.wait()
                return name
            }
        }

        func open(_ count: Int = 1) { for _ in 0..<count { semaphore.signal() } }
    }

    /// Waits for what other threads are about to do.
    private func until(_ condition: () -> Bool) async throws {
        for _ in 0..<5_000 where !condition() { try await Task.sleep(for: .milliseconds(1)) }
        #expect(condition(), "it did not come about")
    }

    /// On Linux the pool of tasks and Dispatch's queues of the same priority share a thread a processor.
    @Test func `tasks go on while as many compute as there are processors`() async throws {
        let processors = ProcessInfo.processInfo.activeProcessorCount
        let work = BoundedWork(label: "test", concurrency: processors, maximumWaiting: 0)
        let isDone = Guarded(false)
        let computing = (0..<processors).map { _ in
            Task {
                await work.run {
                    let end = ContinuousClock.now + .seconds(60)
                    var isLetGo = false
                    while !isLetGo, ContinuousClock.now < end { isLetGo = isDone.withLock { $0 } }
                    return isLetGo
                }
            }
        }
        try await until { work.load().running == processors }
        await Task.detached { await Task.yield() }.value
        isDone.withLock { $0 = true }
        for each in computing { #expect(await each.value == true, "no task ran while they computed") }
    }

    @Test func `as many run as may, the others in turn, and one too many is refused`() async throws {
        let (work, gate) = (BoundedWork(label: "test", concurrency: 1, maximumWaiting: 1), Gate())
        let first = Task { await work.run(gate.body("first")) }
        try await until { work.load().running == 1 }
        let second = Task { await work.run(gate.body("second")) }
        try await until { work.load().waiting == 1 }
        #expect(await work.run { "third" } == nil)
        gate.open(2)
        #expect(await first.value == "first")
        #expect(await second.value == "second")
        #expect(gate.order == ["first", "second"])
        #expect(await work.run { "fourth" } == "fourth")
    }

    @Test(.timeLimit(.minutes(1))) func `what waits for somebody who has gone is taken out and never runs`()
        async throws
    {
        let (work, gate) = (BoundedWork(label: "test", concurrency: 1, maximumWaiting: 1), Gate())
        let first = Task { await work.run(gate.body("first")) }
        try await until { work.load().running == 1 }
        let gone = Task { await work.run(gate.body("gone")) }
        try await until { work.load().waiting == 1 }
        gone.cancel()
        #expect(await gone.value == nil)
        #expect(work.load().waiting == 0)
        // Its place is free again.
        let next = Task { await work.run(gate.body("next")) }
        try await until { work.load().waiting == 1 }
        gate.open(2)
        #expect(await first.value == "first")
        #expect(await next.value == "next")
        #expect(gate.order == ["first", "next"])
    }

    @Test func `who has gone already gets no turn, and what runs runs to its end`() async throws {
        let (work, gate) = (BoundedWork(label: "test", concurrency: 1, maximumWaiting: 1), Gate())
        let late = Task {
            while !Task.isCancelled { await Task.yield() }
            return await work.run(gate.body("late"))
        }
        late.cancel()
        #expect(await late.value == nil)
        let running = Task { await work.run(gate.body("running")) }
        try await until { work.load().running == 1 }
        running.cancel()
        gate.open()
        #expect(await running.value == "running")
        #expect(gate.order == ["running"])
    }

    @Test func `a full side lane holds up nobody on the main one`() async throws {
        let (work, gate) = (BoundedWork(label: "test", concurrency: 2, maximumWaiting: 2), Gate())
        let sides = (0..<3).map { number in Task { await work.run(in: .side, gate.body("side \(number)")) } }
        try await until { work.load(of: .side) == (1, 2) }
        #expect(await work.run(in: .side) { "too many" } == nil)
        // One of the two places is kept free for it, although others wait.
        let mains = (0..<3).map { number in Task { await work.run(gate.body("main \(number)")) } }
        try await until { work.load() == (1, 2) }
        #expect(work.load(of: .side) == (1, 2))
        try await until { gate.order.count == 2 }
        gate.open(6)
        for task in sides + mains { #expect(await task.value != nil) }
        #expect(Set(gate.order.prefix(2).map { $0.prefix(4) }) == ["side", "main"])
        #expect(work.load() == (0, 0) && work.load(of: .side) == (0, 0))
    }

    @Test func `with one place the lanes take turns`() async throws {
        let (work, gate) = (BoundedWork(label: "test", concurrency: 1, maximumWaiting: 3), Gate())
        let first = Task { await work.run(in: .side, gate.body("side")) }
        try await until { work.load(of: .side).running == 1 }
        let sides = (0..<3).map { _ in Task { await work.run(in: .side, gate.body("side")) } }
        let mains = (0..<3).map { _ in Task { await work.run(gate.body("main")) } }
        try await until { work.load(of: .side).waiting == 3 && work.load().waiting == 3 }
        gate.open(7)
        for task in [first] + sides + mains { #expect(await task.value != nil) }
        #expect(gate.order == ["side", "main", "side", "main", "side", "main", "side"])
    }

    // MARK: Threads that the system refuses

    @Test(.timeLimit(.minutes(1)), arguments: BoundedWork.Lane.allCases)
    func `what gets no thread is given up, and costs no place`(lane: BoundedWork.Lane) async throws {
        let refusals = Guarded(0)
        let threads = ThreadStarter { name, body in
            let isRefused = refusals.withLock { left in
                defer { left = max(0, left - 1) }
                return left > 0
            }
            return !isRefused && ThreadStarter.system.start(name, body)
        }
        let work = BoundedWork(label: "test", concurrency: 2, maximumWaiting: 0, threads: threads)
        for _ in 0..<2 {
            refusals.withLock { $0 = 3 }
            for _ in 0..<3 { #expect(await work.run(in: lane) { true } == nil) }
            #expect(await work.run(in: lane) { true } == true)
            try await until { work.load(of: lane).running == 0 }
        }
    }

    @Test(.timeLimit(.minutes(1))) func `who waits for the turn of one that got no thread is let go`() async throws {
        let semaphore = DispatchSemaphore(value: 0)
        let threads = ThreadStarter { _, _ in
            // Not for ever: this is a thread of the pool.
            _ = semaphore.wait(timeout: .now() + .seconds(20))
            return false
        }
        let work = BoundedWork(label: "test", concurrency: 1, maximumWaiting: 1, threads: threads)
        let first = Task { await work.run { "first" } }
        try await until { work.load().running == 1 }
        let waiting = BoundedWork.Lane.allCases.map { lane in Task { await work.run(in: lane) { "waits" } } }
        try await until { BoundedWork.Lane.allCases.allSatisfy { work.load(of: $0).waiting == 1 } }
        semaphore.signal()
        for each in [first] + waiting { #expect(await each.value == nil) }
        #expect(BoundedWork.Lane.allCases.allSatisfy { work.load(of: $0) == (0, 0) })
    }
}
