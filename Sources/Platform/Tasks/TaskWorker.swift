import Foundation
import Store

/// Does the tasks of a queue, a bounded number at a time, until it is told to stop.
///
/// `run` is made of steps that can be called one by one: `fill` takes what is due, `tick` looks after what runs, `stop`
/// ends it all. Each attempt runs in a Swift task of its own, so that a handler that does not end keeps nobody else.
package final class TaskWorker: Sendable {
    package struct Settings: Sendable, Equatable {
        /// Attempts that run at a time.
        package var maximumRunning = 4
        /// The time after which others may take a task that this worker does not prolong.
        package var lease = Duration.seconds(60)
        /// Between two looks for tasks that other processes queued.
        package var pollInterval = Duration.seconds(1)
        /// What handlers get to end in once they are told to.
        package var stopGrace = Duration.seconds(10)
        package var backOff = BackOff(first: .seconds(5), longest: .seconds(3600))

        package init() {}
    }

    struct Running: Sendable {
        let context: TaskContext
        let start: ContinuousClock.Instant
        let deadline: ContinuousClock.Instant
        let work: Task<TaskOutcome, any Error>
        /// It does not heed that it was told to stop: it keeps neither its lease nor its place.
        var isAbandoned = false
    }

    private struct State: Sendable {
        var running: [TaskLease: Running] = [:]
        var waiting: [CheckedContinuation<Void, Never>] = []
        /// When the leases were last known to hold.
        var prolonged: ContinuousClock.Instant?
        /// When tasks were last looked for that wait for the time of a clock that was ahead.
        var mended: ContinuousClock.Instant?
        var isStopping = false
        /// Nobody waits for what still runs.
        var hasGivenUp = false
    }

    /// Between two looks for times of a clock that was ahead.
    private static let mendInterval = Duration.seconds(60)

    /// Whose leases its are, for people: host and process.
    package let owner: String
    let queue: TaskQueue
    let settings: Settings
    let now: @Sendable () -> ContinuousClock.Instant
    let random: @Sendable () -> Double
    let observe: @Sendable (TaskEvent) -> Void
    private let handlers: [String: any TaskHandler]
    private let events: (stream: AsyncStream<Void>, continuation: AsyncStream<Void>.Continuation)
    private let state = Guarded(State())

    var tasks: TaskRepository { queue.tasks }

    /// - Parameters:
    ///   - handlers: of distinct kinds; tasks of other kinds are left to other workers.
    ///   - now: a clock that does not jump, for deadlines and leases' halves.
    ///   - random: numbers from 0 up to but not including 1.
    ///   - observe: hears of every attempt's end; it must not block.
    package init(
        _ queue: TaskQueue, handlers: [any TaskHandler], settings: Settings = Settings(), owner: String,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        random: @escaping @Sendable () -> Double = { .random(in: 0..<1) },
        observe: @escaping @Sendable (TaskEvent) -> Void = { _ in }
    ) {
        precondition(settings.maximumRunning >= 1, "a worker does at least one task at a time")
        precondition(Set(handlers.map(\.kind)).count == handlers.count, "each kind of task has one handler")
        self.queue = queue
        self.handlers = Dictionary(uniqueKeysWithValues: handlers.map { ($0.kind, $0) })
        self.settings = settings
        self.owner = owner
        self.now = now
        self.random = random
        self.observe = observe
        events = queue.listen()
    }

    deinit { events.continuation.finish() }

    /// The kinds of tasks that it does.
    package var kinds: [String] { handlers.keys.sorted() }

    /// Attempts under way.
    package var runningCount: Int { state.withLock { $0.running.count } }

    /// Does tasks until the Swift task is cancelled; then ends what runs, and gives back what does not end well.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // Replicas that start together do not go on asking together.
                while (try? await Task.sleep(for: self.settings.pollInterval * (0.75 + 0.5 * self.random()))) != nil {
                    await self.tick()
                    self.events.continuation.yield()
                }
            }
            await fill()
            // New tasks, ended attempts and ticks, whichever comes.
            for await _ in events.stream { await fill() }
            group.cancelAll()
        }
        // What follows has to be done though this task is cancelled.
        await Task { await self.stop() }.value
    }

    // MARK: Taking

    /// Takes as many due tasks as there is room for, and begins them.
    ///
    /// - Returns: how many it began.
    @discardableResult
    package func fill() async -> Int {
        await mendTimes()
        var begun = 0
        while true {
            let room = state.withLock { $0.isStopping ? 0 : places(beside: $0.running) }
            guard room > 0, !Task.isCancelled else { return begun }
            do {
                let taken = try await tasks.take(
                    kinds: kinds, limit: room, owner: owner, for: settings.lease / .seconds(1))
                guard !taken.isEmpty else { return begun }
                for task in taken { begin(task) }
                begun += taken.count
            } catch is CancellationError {
                return begun
            } catch {
                observe(.storeFailed(doing: "taking tasks", error))
                return begun
            }
        }
    }

    /// What is abandoned takes no room, so that handlers that never end do not keep the others; but only as many of them
    /// as may run, so that they do not become any number.
    private func places(beside running: [TaskLease: Running]) -> Int {
        let abandoned = running.values.count { $0.isAbandoned }
        return settings.maximumRunning - (running.count - abandoned) - max(0, abandoned - settings.maximumRunning)
    }

    private func mendTimes() async {
        let now = now()
        let isDue = state.withLock { state in
            if let mended = state.mended, now - mended < Self.mendInterval { return false }
            state.mended = now
            return true
        }
        guard isDue, !Task.isCancelled else { return }
        do {
            try await tasks.mendTimes()
        } catch is CancellationError {
            return
        } catch {
            observe(.storeFailed(doing: "mending times", error))
        }
    }

    private func begin(_ taken: TakenTask) {
        // The store gives only kinds that were asked for.
        guard let handler = handlers[taken.record.kind] else { return }
        let start = now()
        let context = TaskContext(taken, tasks: tasks, now: now)
        let work = Task { try await handler.perform(context) }
        let running = Running(context: context, start: start, deadline: start + handler.deadline, work: work)
        let isStopping = state.withLock { state in
            state.running[taken.lease] = running
            if state.prolonged == nil { state.prolonged = start }
            return state.isStopping
        }
        if isStopping { Self.stop(running, .stopping) }
        Task {
            let result = await work.result
            await self.conclude(context, result, duration: self.now() - start)
            self.forget(taken.lease)
        }
    }

    private func forget(_ lease: TaskLease) {
        let waiting = state.withLock { state in
            state.running[lease] = nil
            guard state.running.isEmpty else { return [CheckedContinuation<Void, Never>]() }
            state.prolonged = nil
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
        events.continuation.yield()
    }

    /// Waits until no attempt is under way.
    package func settle() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.running.isEmpty || state.hasGivenUp { return true }
                state.waiting.append(continuation)
                return false
            }
            if isIdle { continuation.resume() }
        }
    }

    // MARK: Looking after what runs

    /// Stops what is over time or not wanted any more, gives up what does not stop, and prolongs leases of which a third
    /// is over.
    package func tick() async {
        let now = now()
        abandon(at: now)
        let (running, mustProlong) = state.withLock { state in
            (
                state.running.filter { !$0.value.isAbandoned },
                state.prolonged.map { now - $0 >= settings.lease / 3 } ?? false
            )
        }
        guard !running.isEmpty else { return }
        for attempt in running.values where now >= attempt.deadline { Self.stop(attempt, .deadline) }
        do {
            let leases = Array(running.keys)
            let report =
                mustProlong
                ? try await tasks.prolong(leases, for: settings.lease / .seconds(1))
                : try await tasks.look(at: leases)
            if mustProlong { state.withLock { if $0.prolonged != nil { $0.prolonged = now } } }
            for (lease, attempt) in running {
                // One that ended meanwhile has no lease any more, and nobody to stop.
                if !report.held.contains(lease.taskID) { Self.stop(attempt, .leaseLost) }
                if report.cancelRequested.contains(lease.taskID) { Self.stop(attempt, .cancelled) }
            }
        } catch is CancellationError {
            return
        } catch {
            observe(.storeFailed(doing: "keeping leases", error))
        }
    }

    /// Gives up the attempts that were told to stop longer ago than the grace.
    private func abandon(at now: ContinuousClock.Instant) {
        let deaf = state.withLock { state in
            let deaf = state.running.filter { _, attempt in
                guard !attempt.isAbandoned, let stopped = attempt.context.stoppedAt else { return false }
                return now - stopped > settings.stopGrace
            }
            for lease in deaf.keys { state.running[lease]?.isAbandoned = true }
            return deaf.values
        }
        for attempt in deaf {
            let context = attempt.context
            observe(
                .abandoned(
                    TaskEvent.Attempt(
                        id: context.id, kind: context.kind, number: context.attempt, duration: now - attempt.start)))
        }
    }

    private static func stop(_ attempt: Running, _ reason: TaskContext.StopReason) {
        attempt.context.stop(reason)
        attempt.work.cancel()
    }

    // MARK: Stopping

    /// Takes no more tasks, stops those that run and gives them back. A handler that does not end within the grace keeps
    /// its lease until that runs out.
    package func stop() async {
        let running = state.withLock { state in
            state.isStopping = true
            return state.running
        }
        for attempt in running.values { Self.stop(attempt, .stopping) }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.settle() }
            group.addTask { try? await Task.sleep(for: self.settings.stopGrace) }
            await group.next()
            // Whoever waits in `settle` is let go, or this group would wait for it.
            self.giveUpWaiting()
            group.cancelAll()
        }
    }

    private func giveUpWaiting() {
        let waiting = state.withLock { state in
            defer {
                state.waiting = []
                state.hasGivenUp = true
            }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
