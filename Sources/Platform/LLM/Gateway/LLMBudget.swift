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

    /// How much longer than its deadline a reservation is kept for a call that nobody settles.
    private static let grace: TimeInterval = 120

    private let repository: LLMBudgetRepository
    private let usages: LLMUsageRepository
    private let date: @Sendable () -> Date
    private let makeID: @Sendable () -> String
    private let tell: @Sendable (LLMBudgetAlert) -> Void
    /// Of a day, in billionths of a dollar, where no administrator stored another.
    package let dailyLimit: Int64
    /// What a call of the usual size may cost, in billionths of a dollar. That a dearer one is refused says nothing of the
    /// day.
    package let usualCost: Int64

    /// - Parameter tell: hears of each alert, once a day.
    package init(
        _ database: any SQLDatabase, dailyLimit: Int64, usualCost: Int64 = 0, time: LLMTime,
        makeID: @escaping @Sendable () -> String = { RandomID.make() },
        tell: @escaping @Sendable (LLMBudgetAlert) -> Void = { _ in }
    ) {
        repository = LLMBudgetRepository(database)
        usages = LLMUsageRepository(database)
        self.dailyLimit = dailyLimit
        self.usualCost = usualCost
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

    /// Whether calls of the usual size are refused, or nearly so: the limit is spent; or a call was refused today, by
    /// whichever gateway and process, and next to nothing is left. What calls under way have set aside is not spent yet.
    package func isUsedUp(_ state: LLMBudgetState) -> Bool {
        if state.spent > 0, state.spent >= state.limit { return true }
        return state.wasUsedUp && state.isLittle(state.limit - state.spent, usual: usualCost)
    }

    /// Makes today's row of who asks.
    func open(_ usage: (_ day: String) -> LLMUsageRecord) async throws(LLMError) -> LLMUsageRecord {
        let record = usage(Self.day(of: date()))
        do { try await usages.open(record) } catch { throw Self.failure(error) }
        return record
    }

    /// Looks whether a call that can cost so much may be made now; nothing is set aside.
    ///
    /// - Throws: `LLMError.overBudget`, `storeFailed`
    func check(_ amount: Int64) async throws(LLMError) {
        let state = try await state()
        guard amount > state.remaining else { return }
        if let alerts = try? await repository.refuse(day: state.day, limit: dailyLimit, usual: usualCost) {
            alerts.forEach(tell)
        }
        throw .overBudget(limitNanodollars: state.limit)
    }

    /// Sets aside the most that a call can cost.
    ///
    /// - Parameter opened: what `open` gave for the call; nil for one that is nobody's.
    /// - Throws: `LLMError.overBudget`, or `storeFailed`: what cannot be accounted for is not spent.
    func reserve(
        _ amount: Int64, until seconds: Double, opened: LLMUsageRecord?
    ) async throws(LLMError) -> Reservation {
        let now = date()
        let reservation = Reservation(id: makeID(), day: Self.day(of: now), amount: amount)
        let outcome: (isReserved: Bool, state: LLMBudgetState, alerts: [LLMBudgetAlert])
        do {
            outcome = try await repository.reserve(
                amount, id: reservation.id, day: reservation.day, limit: dailyLimit, usual: usualCost, now: now,
                expiresAt: now.addingTimeInterval(max(0, seconds) + Self.grace), opened: opened)
        } catch {
            throw Self.failure(error)
        }
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
            id: reservation.id, to: amount, day: reservation.day, limit: dailyLimit, usual: usualCost)
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

    private static func failure(_ error: any Error) -> LLMError {
        if error is CancellationError { return .cancelled }
        return .storeFailed((error as? StoreError)?.code.rawValue ?? "other")
    }
}
