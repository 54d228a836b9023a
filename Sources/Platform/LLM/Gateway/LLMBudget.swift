package import Foundation
package import Store

/// The day's budget, as the gateway uses it: look, set aside, settle.
package struct LLMBudget: Sendable {
    /// What one call has set aside.
    package struct Reservation: Sendable, Equatable {
        let id: String
        /// The day that pays, also where the call ends on the next.
        let day: String
    }

    /// How much longer than its deadline a reservation is kept for a call that nobody settles.
    private static let grace: TimeInterval = 120

    private let repository: LLMBudgetRepository
    private let date: @Sendable () -> Date
    private let makeID: @Sendable () -> String
    /// Of a day, in billionths of a dollar, where no administrator stored another.
    package let dailyLimit: Int64

    package init(
        _ database: any SQLDatabase, dailyLimit: Int64, time: LLMTime,
        makeID: @escaping @Sendable () -> String = { RandomID.make() }
    ) {
        repository = LLMBudgetRepository(database)
        self.dailyLimit = dailyLimit
        date = time.date
        self.makeID = makeID
    }

    /// The day in UTC: `2026-02-26`.
    package static func day(of date: Date) -> String { String(SQLTime.text(of: date).prefix(10)) }

    package func state() async throws(LLMError) -> LLMBudgetState {
        do { return try await repository.state(of: Self.day(of: date()), limit: dailyLimit) } catch {
            throw Self.failure(error)
        }
    }

    /// Sets aside the most that a call can cost.
    ///
    /// - Throws: `LLMError.overBudget`, or `storeFailed`: what cannot be accounted for is not spent.
    package func reserve(_ amount: Int64, until seconds: Double) async throws(LLMError) -> Reservation {
        let now = date()
        let reservation = Reservation(id: makeID(), day: Self.day(of: now))
        let outcome: (isReserved: Bool, state: LLMBudgetState)
        do {
            outcome = try await repository.reserve(
                amount, id: reservation.id, day: reservation.day, limit: dailyLimit, now: now,
                expiresAt: now.addingTimeInterval(max(0, seconds) + Self.grace))
        } catch {
            throw Self.failure(error)
        }
        guard outcome.isReserved else { throw .overBudget(limitNanodollars: outcome.state.limit) }
        return reservation
    }

    /// Ends a reservation and accounts for what the call used; also where the caller was cancelled meanwhile.
    ///
    /// - Parameter usage: nil where the provider was not asked.
    func settle(_ reservation: Reservation, usage: LLMUsageRecord?) async -> Result<[LLMBudgetAlert], LLMError> {
        let (repository, limit) = (repository, dailyLimit)
        // A task of its own: what was spent is written whatever becomes of who asked.
        return await Task {
            do {
                return .success(
                    try await repository.settle(id: reservation.id, day: reservation.day, usage: usage, limit: limit))
            } catch {
                return .failure(Self.failure(error))
            }
        }.value
    }

    private static func failure(_ error: any Error) -> LLMError {
        if error is CancellationError { return .cancelled }
        return .storeFailed((error as? StoreError)?.code.rawValue ?? "other")
    }
}
