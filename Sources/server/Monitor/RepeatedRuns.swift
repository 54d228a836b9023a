/// Runs again and again in a process that does nothing else: what a service does meanwhile is done before each run.
package enum RepeatedRuns {
    package typealias Step = @Sendable () async throws -> Void

    /// Runs now and then again after so long, until the Swift task is cancelled.
    ///
    /// - Parameters:
    ///   - before: steps that precede each run. One that fails keeps neither the others nor the run from their turn: old
    ///     careers are better than none.
    ///   - sleep: until then.
    ///   - problem: told of what fails; the next time may be better.
    /// - Throws: `CancellationError`.
    package static func run(
        every interval: Duration, before: [Step],
        sleep: (ContinuousClock.Instant) async throws -> Void = { try await Task.sleep(until: $0, clock: .continuous) },
        problem: (any Error) -> Void, run: () async throws -> Void
    ) async throws {
        while true {
            let began = ContinuousClock.now
            for step in before { try await attempt(step, problem) }
            try await attempt(run, problem)
            try await sleep(began + interval)
        }
    }

    private static func attempt(_ work: () async throws -> Void, _ problem: (any Error) -> Void) async throws {
        do {
            try await work()
        } catch let error where !(error is CancellationError) {
            problem(error)
        }
    }
}
