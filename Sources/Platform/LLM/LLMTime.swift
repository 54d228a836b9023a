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
}
