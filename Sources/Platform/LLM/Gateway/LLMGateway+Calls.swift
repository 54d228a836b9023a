internal import Foundation
internal import Store

/// An answer and what it cost, with the attempts that failed.
struct Paid<Value: Sendable>: Sendable {
    let value: Value
    let usage: LLMUsage
    /// In billionths of a dollar.
    let cost: Int64
}

/// The paid part: a slot, the money set aside, exchanges until one succeeds, the account.
extension LLMGateway {
    /// Refuses early what would be refused later: nobody is to wait for a slot for nothing.
    ///
    /// - Parameter bound: no exchange uses more.
    /// - Throws: `LLMError.overBudget` where less is left of the day's budget, `breakerOpen`, or what the provider refused
    ///   another call with that it asked to wait beyond `deadline`.
    func requireBudget(
        for bound: LLMUsage, model: String, before deadline: ContinuousClock.Instant
    ) async throws(LLMError) {
        try await budget.check(cost(of: bound, model: model))
        let now = time.now()
        let (refusal, hold) = breaker.withLock { ($0.refusal(at: now), $0.hold(at: now)) }
        if let refusal { throw .breakerOpen(retryAfter: refusal) }
        if let hold, hold.until >= deadline { throw hold.error }
    }

    /// Makes the row that a call is accounted to: once, before it waits for its slot. Were the row made with what is set
    /// aside, which happens after that wait and again for a repair, who is erased meanwhile would come back.
    func open(_ caller: Caller, model: String) async throws(LLMError) {
        guard caller.userID != nil else { return }
        let opened = try await budget.open { day in record(.none, cost: 0, calls: 0, model: model, day: day, caller) }
        caller.opened.withLock { $0 = opened }
    }

    /// Sets aside what an exchange can cost at most, exchanges until one succeeds or none may, and accounts for it.
    ///
    /// - Parameter bound: no exchange uses more. It counts for one whose answer never came: the provider may have done all
    ///   of the work.
    func pay<Value: Sendable>(
        model: String, bound: LLMUsage, _ caller: Caller, deadline: ContinuousClock.Instant,
        _ exchange: (Duration) async throws(ProviderFailure) -> (Value, LLMUsage)
    ) async throws(LLMError) -> Paid<Value> {
        // What an exchange before this one set aside and did not use is free again.
        await caller.writes.finish()
        let remaining = (deadline - time.now()).inSeconds
        var reservation = try await budget.reserve(
            cost(of: bound, model: model), until: remaining, opened: caller.opened.withLock { $0 })
        let now = time.now()
        let ticket: CircuitBreaker.Ticket
        switch breaker.withLock({ $0.admit(at: now) }) {
        case .admitted(let admitted): ticket = admitted
        case .refused(let pause):
            settle(reservation, usage: nil, caller)
            throw .breakerOpen(retryAfter: pause)
        }
        let course = await attempts(
            &reservation, model: model, bound: bound, caller, deadline: deadline, exchange)
        report(course.verdict, ticket)
        let (usage, cost) = (course.usage, cost(of: course.usage, model: model))
        if course.exchanges > 0 {
            observe(.paid(LLMPayment(provider: provider?.name ?? "none", model: model, usage: usage, cost: cost)))
            let record = record(usage, cost: cost, calls: 1, model: model, day: reservation.day, caller)
            settle(reservation, usage: record, caller)
        } else {
            settle(reservation, usage: nil, caller)
        }
        return Paid(value: try course.result.get(), usage: usage, cost: cost)
    }

    /// What exchanges have shown of the provider.
    private enum Verdict {
        case nothing
        case well
        case unwell
    }

    /// How exchanges for one answer went.
    private struct Course<Value> {
        var result: Result<Value, LLMError> = .failure(.cancelled)
        var exchanges = 0
        /// Of all of them.
        var usage = LLMUsage.none
        var verdict = Verdict.nothing

        func failed(_ error: LLMError) -> Course {
            var course = self
            course.result = .failure(error)
            return course
        }
    }

    /// Exchanges until one succeeds, no other may help, or none can be paid for.
    private func attempts<Value: Sendable>(
        _ reservation: inout LLMBudget.Reservation, model: String, bound: LLMUsage, _ caller: Caller,
        deadline: ContinuousClock.Instant, _ exchange: (Duration) async throws(ProviderFailure) -> (Value, LLMUsage)
    ) async -> Course<Value> {
        var course = Course<Value>()
        var last: LLMError?
        while true {
            if let error = await pause(caller, afterFailures: course.exchanges, last, deadline: deadline) {
                return course.failed(error)
            }
            // Another exchange is not paid for out of what others have set aside.
            let most = cost(of: course.usage + bound, model: model)
            let isCovered = await budget.extend(&reservation, to: most)
            let remaining = deadline - time.now()
            guard remaining > .zero, !Task.isCancelled else { return course.failed(ended(deadline)) }
            if let last, !isCovered { return course.failed(last) }
            let given = min(remaining, settings.attemptTimeout)
            course.exchanges += 1
            do throws(ProviderFailure) {
                let (value, usage) = try await exchange(given)
                course.usage = course.usage + usage
                course.verdict = .well
                course.result = .success(value)
                return course
            } catch {
                course.usage = course.usage + (error.usage ?? bound)
                let reason = error.error == .cancelled ? ended(deadline) : error.error
                note(reason, after: given, in: &course.verdict)
                if let pause = error.retryAfter { hold(for: pause, because: reason) }
                guard error.isRetryable, course.exchanges < settings.attempts, !Task.isCancelled else {
                    return course.failed(reason)
                }
                last = reason
            }
        }
    }

    /// Waits before an exchange: longer after each failure, and not before the provider wants to be asked again, whichever
    /// call it told so. Then not together with everybody else who waits for the same moment. Others have its slot meanwhile.
    ///
    /// - Returns: why there is no exchange after it. What the last one said tells more than "timed out".
    private func pause(
        _ caller: Caller, afterFailures failures: Int, _ last: LLMError?, deadline: ContinuousClock.Instant
    ) async -> LLMError? {
        var isDue = failures > 0
        while true {
            let now = time.now()
            let hold = breaker.withLock { $0.hold(at: now) }
            guard isDue || hold != nil else {
                if case .running = caller.turn.withLock({ $0 }) { return nil }
                switch await takeSlot(caller, before: deadline) {
                // Meanwhile the provider may have asked others to wait.
                case .acquired: continue
                case .cancelled: return ended(deadline)
                case .full, .tooLate: return last ?? .busy
                }
            }
            let jitter = settings.backOff.wait(afterFailures: max(1, failures), random: time.random())
            let wait = (hold.map { $0.until - now } ?? .zero) + jitter
            // An answer after the deadline would serve nobody.
            guard now + wait < deadline else { return last ?? hold?.error ?? .timedOut }
            rest(caller)
            do { try await time.pause(wait) } catch { return ended(deadline) }
            isDue = false
        }
    }

    private func hold(for pause: Duration, because error: LLMError) {
        let now = time.now()
        breaker.withLock { $0.hold(for: pause, because: error, at: now) }
    }

    /// Why a call was cancelled: its time was up, or nobody waits for it any more.
    private func ended(_ deadline: ContinuousClock.Instant) -> LLMError {
        time.now() >= deadline ? .timedOut : .cancelled
    }

    private func note(_ error: LLMError, after given: Duration, in verdict: inout Verdict) {
        switch error {
        // Who gives a healthy provider no time says nothing of it.
        case .timedOut where given < min(settings.fairTime, settings.attemptTimeout): break
        case _ where error.isProvidersFault: verdict = .unwell
        // It did answer, if not what was wanted.
        case .badReply, .blocked: verdict = .well
        default: break
        }
    }

    private func report(_ verdict: Verdict, _ ticket: CircuitBreaker.Ticket) {
        let now = time.now()
        breaker.withLock { breaker in
            switch verdict {
            case .well: breaker.succeeded(ticket)
            case .unwell: breaker.failed(ticket, at: now)
            case .nothing: breaker.abandoned(ticket)
            }
        }
    }

    private func record(
        _ usage: LLMUsage, cost: Int64, calls: Int64, model: String, day: String, _ caller: Caller
    ) -> LLMUsageRecord {
        LLMUsageRecord(
            day: day, userID: caller.userID, feature: caller.feature, provider: provider?.name ?? "", model: model,
            calls: calls, inputTokens: Int64(clamping: usage.inputTokens),
            outputTokens: Int64(clamping: usage.outputTokens), cost: cost)
    }

    private func settle(_ reservation: LLMBudget.Reservation, usage: LLMUsageRecord?, _ caller: Caller) {
        caller.writes.add { [budget, observe] in
            do throws(LLMError) {
                try await budget.settle(reservation, usage: usage)
            } catch {
                if usage != nil { observe(.unaccounted(error)) }
            }
        }
    }
}
