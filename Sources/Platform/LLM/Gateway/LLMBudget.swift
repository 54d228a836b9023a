package import Foundation
package import Store

/// The day's budget, as the gateway uses it: look, set aside, settle.
package struct LLMBudget: Sendable {
    /// What one call has set aside.
    package struct Reservation: Sendable, Equatable {
        let id: String
        /// The day that pays, also where the call ends on the next.
        let day: String
        /// In billionths of a dollar.
        var amount: Int64
    }

    /// What the last call that was to cost something met with.
    private struct Outcome: Sendable {
        let day: String
        let limit: Int64
        let isRefused: Bool
    }

    /// How much longer than its deadline a reservation is kept for a call that nobody settles.
    private static let grace: TimeInterval = 120

    private let repository: LLMBudgetRepository
    private let date: @Sendable () -> Date
    private let makeID: @Sendable () -> String
    private let tell: @Sendable (LLMBudgetAlert) -> Void
    private let last = Guarded<Outcome?>(nil)
    /// Of a day, in billionths of a dollar, where no administrator stored another.
    package let dailyLimit: Int64

    /// - Parameter tell: hears of each alert, once a day.
    package init(
        _ database: any SQLDatabase, dailyLimit: Int64, time: LLMTime,
        makeID: @escaping @Sendable () -> String = { RandomID.make() },
        tell: @escaping @Sendable (LLMBudgetAlert) -> Void = { _ in }
    ) {
        repository = LLMBudgetRepository(database)
        self.dailyLimit = dailyLimit
        date = time.date
        self.makeID = makeID
        self.tell = tell
    }

    /// The day in UTC: `2026-02-26`.
    package static func day(of date: Date) -> String { String(SQLTime.text(of: date).prefix(10)) }

    package func state() async throws(LLMError) -> LLMBudgetState {
        do { return try await repository.state(of: Self.day(of: date()), limit: dailyLimit) } catch {
            throw Self.failure(error)
        }
    }

    /// Whether calls that cost something are refused, as far as is known: the limit is spent, or the last such call
    /// found too little left and the limit is no higher since. Where this process has made none today, the database
    /// tells of others.
    package func isUsedUp(_ state: LLMBudgetState) -> Bool {
        if state.spent > 0, state.spent >= state.limit { return true }
        guard let last = self.last.withLock({ $0 }), last.day == state.day else { return state.wasUsedUp }
        return last.isRefused && state.limit <= last.limit
    }

    /// Looks whether a call that can cost so much may be made now; nothing is set aside.
    ///
    /// - Throws: `LLMError.overBudget`, `storeFailed`
    func check(_ amount: Int64) async throws(LLMError) {
        let state = try await state()
        guard amount > state.remaining else { return }
        note(state, isRefused: true)
        if let alerts = try? await repository.refuse(day: state.day, limit: dailyLimit) { alerts.forEach(tell) }
        throw .overBudget(limitNanodollars: state.limit)
    }

    /// Sets aside the most that a call can cost.
    ///
    /// - Parameter usage: whose call it is, of what day.
    /// - Throws: `LLMError.overBudget`, or `storeFailed`: what cannot be accounted for is not spent.
    func reserve(
        _ amount: Int64, until seconds: Double, usage: (_ day: String) -> LLMUsageRecord
    ) async throws(LLMError) -> Reservation {
        let now = date()
        let reservation = Reservation(id: makeID(), day: Self.day(of: now), amount: amount)
        let outcome: (isReserved: Bool, state: LLMBudgetState, alerts: [LLMBudgetAlert])
        do {
            outcome = try await repository.reserve(
                amount, id: reservation.id, day: reservation.day, limit: dailyLimit, now: now,
                expiresAt: now.addingTimeInterval(max(0, seconds) + Self.grace), usage: usage(reservation.day))
        } catch {
            throw Self.failure(error)
        }
        // What costs nothing is never refused, and says nothing of what does.
        if amount > 0 { note(outcome.state, isRefused: !outcome.isReserved) }
        outcome.alerts.forEach(tell)
        guard outcome.isReserved else { throw .overBudget(limitNanodollars: outcome.state.limit) }
        return reservation
    }

    /// Sets aside more for a call whose exchanges failed and were paid for.
    ///
    /// - Returns: whether `amount` is set aside in all; where not, the call must cost no more than before.
    func extend(_ reservation: inout Reservation, to amount: Int64) async -> Bool {
        guard amount > reservation.amount else { return true }
        let outcome = try? await repository.extend(
            id: reservation.id, to: amount, day: reservation.day, limit: dailyLimit)
        guard let outcome else { return false }
        outcome.alerts.forEach(tell)
        if outcome.isReserved { reservation.amount = amount }
        return outcome.isReserved
    }

    /// Ends a reservation and accounts for what the call used.
    ///
    /// - Parameter usage: nil where the provider was not asked.
    func settle(_ reservation: Reservation, usage: LLMUsageRecord?) async throws(LLMError) {
        do {
            let alerts = try await repository.settle(
                id: reservation.id, day: reservation.day, usage: usage, limit: dailyLimit)
            alerts.forEach(tell)
        } catch {
            throw Self.failure(error)
        }
    }

    private func note(_ state: LLMBudgetState, isRefused: Bool) {
        last.withLock { $0 = Outcome(day: state.day, limit: state.limit, isRefused: isRefused) }
    }

    private static func failure(_ error: any Error) -> LLMError {
        if error is CancellationError { return .cancelled }
        return .storeFailed((error as? StoreError)?.code.rawValue ?? "other")
    }
}
