import Foundation
import Store

/// From how a handler ended to how its task stands.
extension TaskWorker {
    /// Bytes of an error that are stored.
    private static let maximumErrorBytes = 2_000
    /// A store that is busy when an attempt ends is asked again: the end is worth more than a few seconds.
    private static let storeAttempts = 5

    func conclude(_ context: TaskContext, _ result: Result<TaskOutcome, any Error>, duration: Duration) async {
        let attempt = TaskEvent.Attempt(
            id: context.id, kind: context.kind, number: context.attempt, duration: duration)
        for number in 1...Self.storeAttempts {
            do {
                observe(.ended(attempt, try await ending(of: context, result)))
                return
            } catch {
                observe(.storeFailed(doing: "noting the end of task \(context.id)", error))
                guard number < Self.storeAttempts, (error as? StoreError)?.isTransient == true else { break }
                try? await Task.sleep(for: .milliseconds(100 << number))
            }
        }
        // Its lease runs out, and it is done again.
        observe(.ended(attempt, .lost))
    }

    /// Notes the end of an attempt in the store, and says what it was.
    private func ending(
        of context: TaskContext, _ result: Result<TaskOutcome, any Error>
    ) async throws -> TaskEvent.Ending {
        let lease = context.lease
        switch result {
        case .success(.done(let result)):
            return try await tasks.finish(lease, result: result) ? .done : .lost
        case .success(.completed):
            let isStillLeased = try await tasks.look(at: [lease]).held.contains(lease.taskID)
            guard isStillLeased else { return .done }
            return try await failure(of: context, TaskError.notCompleted(id: context.id))
        case .success(.postponed(let date)):
            guard let state = try await tasks.giveBack(lease, dueAt: date) else { return .lost }
            return state == .cancelled ? .cancelled : .postponed(until: date)
        case .failure(let error):
            switch context.stopReason {
            case .leaseLost: return .lost
            case .cancelled: return try await tasks.endCancelled(lease) ? .cancelled : .lost
            case .stopping:
                guard let state = try await tasks.giveBack(lease) else { return .lost }
                return state == .cancelled ? .cancelled : .givenBack
            case .deadline: return try await failure(of: context, DeadlineExceeded(error: error))
            case nil: return try await failure(of: context, error)
            }
        }
    }

    private struct DeadlineExceeded: Error, CustomStringConvertible {
        let error: any Error

        var description: String {
            "the attempt took longer than it may" + (error is CancellationError ? "" : ": \(error)")
        }
    }

    private func failure(of context: TaskContext, _ error: any Error) async throws -> TaskEvent.Ending {
        let text = Self.text(of: error)
        let wait = settings.backOff.wait(afterFailures: max(context.attempt, 1), random: random())
        let retryAt = tasks.now() + wait / .seconds(1)
        let isPermanent = error is PermanentTaskFailure
        switch try await tasks.fail(context.lease, error: text, retryAt: isPermanent ? nil : retryAt) {
        case .waiting: return .failed(text, retryAt: retryAt)
        case .dead: return .dead(text)
        case .cancelled: return .cancelled
        case .done, .running, nil: return .lost
        }
    }

    /// An error as it is stored: not too long, and without the one character that no database holds.
    private static func text(of error: any Error) -> String {
        var text = "\(error)".replacing("\0", with: "")
        while text.utf8.count > maximumErrorBytes { text.removeLast(max(1, (text.utf8.count - maximumErrorBytes) / 4)) }
        return text
    }
}
