internal import Store

/// Where a call stands among the few that run at a time.
enum CallTurn: Sendable {
    case none
    /// It has a slot, and took it with this pace. Before its last rest it had run for `ran`.
    case running(since: ContinuousClock.Instant, ran: Duration, pace: CallPace)
    /// It waits for its provider, without a slot.
    case resting(ran: Duration)
}

/// A call has a slot while it talks to its provider, and none while it waits until that wants to be asked again: the slots
/// are shared with calls to another provider, which may be well.
extension LLMGateway {
    /// Runs `body` as one of the few calls at a time.
    ///
    /// - Throws: what `body` does; `LLMError.busy` where too many wait, or its turn comes too late for an answer by
    ///   `deadline`.
    func withSlot<Value: Sendable>(
        _ caller: Caller, before deadline: ContinuousClock.Instant,
        _ body: @Sendable () async throws(LLMError) -> Value
    ) async throws(LLMError) -> Value {
        switch await takeSlot(caller, before: deadline) {
        case .full, .tooLate: throw .busy
        case .cancelled: throw .cancelled
        case .acquired: break
        }
        do throws(LLMError) {
            let value = try await body()
            endTurn(caller, isWhole: true)
            return value
        } catch {
            endTurn(caller, isWhole: error != .timedOut && error != .cancelled)
            throw error
        }
    }

    /// Waits for a slot that is of use until `deadline`; after a rest, anew.
    func takeSlot(_ caller: Caller, before deadline: ContinuousClock.Instant) async -> CallSlots.Outcome {
        let rested = caller.turn.withLock { turn -> Duration? in
            guard case .resting(let ran) = turn else { return nil }
            turn = .none
            return ran
        }
        let arrival = time.now()
        let total = deadline - arrival
        let expected = pace.withLock { $0 }
        let outcome = await slots.acquire(of: total, pace: expected, isBack: rested != nil)
        guard outcome == .acquired else { return outcome }
        let now = time.now()
        // Those before it may have shown meanwhile that calls take longer.
        if pace.withLock({ $0.isTooLate(after: now - arrival, of: total) }) {
            slots.release(pace: expected)
            return .tooLate
        }
        caller.turn.withLock { $0 = .running(since: now, ran: rested ?? .zero, pace: expected) }
        return .acquired
    }

    /// Gives the call's slot to others for as long as its provider wants to be left alone. Where as many wait as may, it
    /// keeps the slot.
    func rest(_ caller: Caller) {
        guard case .running(let since, let ran, let expected) = caller.turn.withLock({ $0 }),
            slots.rest(pace: expected)
        else { return }
        let soFar = ran + (time.now() - since)
        caller.turn.withLock { $0 = .resting(ran: soFar) }
    }

    /// - Parameter isWhole: whether the call ended by itself.
    private func endTurn(_ caller: Caller, isWhole: Bool) {
        let turn = caller.turn.withLock { turn -> CallTurn in
            defer { turn = .none }
            return turn
        }
        switch turn {
        case .none: break
        // It shows nothing of what a call takes.
        case .resting: slots.leave()
        case .running(let since, let ran, let expected):
            let took = ran + (time.now() - since)
            // First, for who gets the slot next.
            pace.withLock { $0.note(took, isWhole: isWhole) }
            slots.release(pace: expected)
        }
    }
}
