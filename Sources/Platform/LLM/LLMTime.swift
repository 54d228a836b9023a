package import Foundation

/// Clocks, waits and chance, so that tests give their own.
package struct LLMTime: Sendable {
    /// For deadlines and pauses; never goes back.
    package var now: @Sendable () -> ContinuousClock.Instant
    /// For days and expiries.
    package var date: @Sendable () -> Date
    /// Waits between attempts; throws where the task is cancelled.
    package var pause: @Sendable (Duration) async throws -> Void
    /// Waits for a deadline; throws where the task is cancelled.
    package var wait: @Sendable (ContinuousClock.Instant) async throws -> Void
    /// From 0 up to but not including 1.
    package var random: @Sendable () -> Double

    package init(
        now: @escaping @Sendable () -> ContinuousClock.Instant, date: @escaping @Sendable () -> Date,
        pause: @escaping @Sendable (Duration) async throws -> Void,
        wait: @escaping @Sendable (ContinuousClock.Instant) async throws -> Void,
        random: @escaping @Sendable () -> Double
    ) {
        self.now = now
        self.date = date
        self.pause = pause
        self.wait = wait
        self.random = random
    }

    package static let live = LLMTime(
        now: { .now }, date: { Date() }, pause: { try await Task.sleep(for: $0) },
        wait: { try await Task.sleep(until: $0, clock: .continuous) }, random: { .random(in: 0..<1) })

    /// Runs `body` and cancels it at `deadline`.
    ///
    /// - Returns: what `body` returned, also where it was just in time; `timedOut`, or `cancelled` where the caller was.
    func run<Value: Sendable>(
        before deadline: ContinuousClock.Instant, _ body: @escaping @Sendable () async -> Result<Value, LLMError>
    ) async -> Result<Value, LLMError> {
        await withTaskGroup(of: Result<Value, LLMError>?.self) { group in
            group.addTask { await body() }
            group.addTask {
                try? await wait(deadline)
                return nil
            }
            if let first = await group.next(), let result = first {
                group.cancelAll()
                return result
            }
            let isAbandoned = Task.isCancelled
            group.cancelAll()
            if let late = await group.next(), let result = late, case .success = result { return result }
            return .failure(isAbandoned ? .cancelled : .timedOut)
        }
    }
}
