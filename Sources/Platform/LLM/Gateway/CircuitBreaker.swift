/// Stops asking a provider that fails: after some failures in a row every call is refused for a while, then one is let
/// through to see. And knows until when a provider asked not to be asked, which holds for every call, not only for the one
/// that was told.
///
/// A value: its owner keeps it under a lock and tells it what happened. Results of calls that were let through before
/// the present state began say nothing of it and change nothing.
///
/// Source: M. Nygard, Release It!, 2nd edition, “Circuit Breaker”.
package struct CircuitBreaker: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable {
        case closed
        case open
        /// One call is under way to see whether the provider is well again, or may start.
        case halfOpen = "half_open"
    }

    /// Names the state that let a call through.
    package struct Ticket: Sendable, Equatable {
        fileprivate let epoch: UInt64
    }

    package enum Admission: Sendable, Equatable {
        case admitted(Ticket)
        case refused(retryAfter: Duration)
    }

    /// What a provider asked for by `Retry-After`.
    package struct Hold: Sendable, Equatable {
        package let until: ContinuousClock.Instant
        /// What it refused the call with that it told so.
        package let error: LLMError
    }

    /// A provider that asks for longer is asked again after so long: nobody would mend a mistake in a header.
    package static let longestHold = Duration.seconds(3600)

    package let failureLimit: Int
    package let pause: Duration
    private var epoch: UInt64 = 0
    private var failures = 0
    private var openUntil: ContinuousClock.Instant?
    private var isProbing = false
    private var hold: Hold?

    package init(failureLimit: Int, pause: Duration) {
        precondition(failureLimit >= 1 && pause > .zero, "a breaker opens after a failure, and for some time")
        self.failureLimit = failureLimit
        self.pause = pause
    }

    package func state(at now: ContinuousClock.Instant) -> State {
        guard let openUntil else { return .closed }
        return now < openUntil ? .open : .halfOpen
    }

    /// How long calls are refused yet; nil where one may be let through.
    package func refusal(at now: ContinuousClock.Instant) -> Duration? {
        guard let openUntil else { return nil }
        if now < openUntil { return openUntil - now }
        return isProbing ? .seconds(1) : nil
    }

    /// The provider asked to be left alone for so long.
    package mutating func hold(for pause: Duration, because error: LLMError, at now: ContinuousClock.Instant) {
        let until = now + min(pause, Self.longestHold)
        guard until > max(now, hold?.until ?? now) else { return }
        hold = Hold(until: until, error: error)
    }

    /// What the provider asked for, where its time is not over.
    package func hold(at now: ContinuousClock.Instant) -> Hold? { hold.flatMap { $0.until > now ? $0 : nil } }

    /// Lets a call through or refuses it. Who is let through must report how it went.
    package mutating func admit(at now: ContinuousClock.Instant) -> Admission {
        if let refusal = refusal(at: now) { return .refused(retryAfter: refusal) }
        if openUntil != nil {
            isProbing = true
            epoch += 1
        }
        return .admitted(Ticket(epoch: epoch))
    }

    package mutating func succeeded(_ ticket: Ticket) {
        guard ticket.epoch == epoch else { return }
        failures = 0
        if openUntil != nil {
            openUntil = nil
            isProbing = false
            epoch += 1
        }
    }

    package mutating func failed(_ ticket: Ticket, at now: ContinuousClock.Instant) {
        guard ticket.epoch == epoch else { return }
        failures += 1
        guard isProbing || failures >= failureLimit else { return }
        openUntil = now + pause
        isProbing = false
        failures = 0
        epoch += 1
    }

    /// The call ended without saying anything of the provider: it was cancelled, or refused for what it asked.
    package mutating func abandoned(_ ticket: Ticket) {
        guard ticket.epoch == epoch else { return }
        isProbing = false
    }
}
