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
    /// - Throws: `LLMError.overBudget` where nothing is left of the day's budget.
    func requireBudget() async throws(LLMError) {
        let state = try await budget.state()
        guard state.remaining > 0 else { throw .overBudget(limitNanodollars: state.limit) }
        // Before anybody waits for a slot: while the breaker is open there is nothing to wait for.
        let now = time.now()
        if let refusal = breaker.withLock({ $0.refusal(at: now) }) { throw .breakerOpen(retryAfter: refusal) }
    }

    /// Runs `body` as one of the few calls at a time.
    func withSlot<Value: Sendable>(
        _ body: @Sendable () async throws(LLMError) -> Value
    ) async throws(LLMError) -> Value {
        switch await slots.acquire() {
        case .full: throw .busy
        case .cancelled: throw .cancelled
        case .acquired: break
        }
        defer { slots.release() }
        return try await body()
    }

    /// Sets aside what a call can cost at most, exchanges until one succeeds or none may, and accounts for it.
    ///
    /// - Parameters:
    ///   - bound: no call uses more.
    ///   - unknown: what counts for an exchange whose answer never came. The provider may have done the work.
    func pay<Value: Sendable>(
        model: String, bound: LLMUsage, unknown: LLMUsage, _ caller: Caller, deadline: ContinuousClock.Instant,
        _ exchange: (Duration) async throws(ProviderFailure) -> (Value, LLMUsage)
    ) async throws(LLMError) -> Paid<Value> {
        let remaining = (deadline - time.now()).inSeconds
        let reservation = try await budget.reserve(cost(of: bound, model: model), until: remaining)
        let now = time.now()
        let ticket: CircuitBreaker.Ticket
        switch breaker.withLock({ $0.admit(at: now) }) {
        case .admitted(let admitted): ticket = admitted
        case .refused(let pause):
            _ = await budget.settle(reservation, usage: nil)
            throw .breakerOpen(retryAfter: pause)
        }
        let (result, lost) = await attempts(unknown: unknown, deadline: deadline, exchange)
        report(result, ticket, deadline: deadline)
        var usage = lost
        if case .success(let (_, used)) = result { usage = usage + used }
        let cost = cost(of: usage, model: model)
        await settle(reservation, usage, cost, model: model, caller)
        switch result {
        case .success(let (value, _)): return Paid(value: value, usage: usage, cost: cost)
        case .failure(let error): throw error
        }
    }

    /// - Returns: the first success or the last failure, and what the exchanges that failed used.
    private func attempts<Value: Sendable>(
        unknown: LLMUsage, deadline: ContinuousClock.Instant,
        _ exchange: (Duration) async throws(ProviderFailure) -> (Value, LLMUsage)
    ) async -> (result: Result<(Value, LLMUsage), LLMError>, lost: LLMUsage) {
        var lost = LLMUsage.none
        var failures = 0
        while true {
            let remaining = deadline - time.now()
            guard remaining > .zero, !Task.isCancelled else { return (.failure(ended(deadline)), lost) }
            let failure: ProviderFailure
            do throws(ProviderFailure) {
                return (.success(try await exchange(min(remaining, settings.attemptTimeout))), lost)
            } catch {
                failure = error
            }
            failures += 1
            lost = lost + (failure.usage ?? unknown)
            let error = failure.error == .cancelled ? ended(deadline) : failure.error
            guard failure.isRetryable, failures < settings.attempts, !Task.isCancelled else {
                return (.failure(error), lost)
            }
            // Not before the provider wants it, and not together with everybody else whom it refused.
            let pause = settings.backOff.wait(afterFailures: failures, random: time.random())
            let wait = max(failure.retryAfter ?? .zero, pause)
            // An answer after the deadline would serve nobody; the failure says more than "timed out".
            guard time.now() + wait < deadline else { return (.failure(error), lost) }
            do { try await time.pause(wait) } catch { return (.failure(ended(deadline)), lost) }
        }
    }

    /// Why a call was cancelled: its time was up, or nobody waits for it any more.
    private func ended(_ deadline: ContinuousClock.Instant) -> LLMError {
        time.now() >= deadline ? .timedOut : .cancelled
    }

    private func report<Value>(
        _ result: Result<Value, LLMError>, _ ticket: CircuitBreaker.Ticket, deadline: ContinuousClock.Instant
    ) {
        let now = time.now()
        breaker.withLock { breaker in
            switch result {
            case .success: breaker.succeeded(ticket)
            case .failure(let error) where error.isProvidersFault: breaker.failed(ticket, at: now)
            // It did answer, if not what was wanted.
            case .failure(.badReply), .failure(.blocked): breaker.succeeded(ticket)
            case .failure: breaker.abandoned(ticket)
            }
        }
    }

    private func settle(
        _ reservation: LLMBudget.Reservation, _ usage: LLMUsage, _ cost: Int64, model: String, _ caller: Caller
    ) async {
        let record = LLMUsageRecord(
            day: reservation.day, userID: caller.userID, feature: caller.feature, provider: provider?.name ?? "",
            model: model, calls: 1, inputTokens: Int64(clamping: usage.inputTokens),
            outputTokens: Int64(clamping: usage.outputTokens), cost: cost)
        switch await budget.settle(reservation, usage: record) {
        case .success(let alerts): for alert in alerts { observe(.alert(alert)) }
        case .failure(let error): observe(.unaccounted(error))
        }
    }
}
