package import Foundation
package import Store

/// What a worker has to say, for a log and for metrics.
package enum TaskEvent: Sendable {
    /// An attempt is over.
    case ended(Attempt, Ending)
    /// A handler was told to stop and goes on. Its lease is left to run out, so that others get the task.
    case abandoned(Attempt)
    /// The store could not be asked or told; the worker tries again.
    case storeFailed(doing: String, any Error)

    /// An attempt at a task.
    package struct Attempt: Sendable, Equatable {
        package let id: String
        package let kind: String
        /// From 1.
        package let number: Int
        package let duration: Duration

        package init(id: String, kind: String, number: Int, duration: Duration) {
            self.id = id
            self.kind = kind
            self.number = number
            self.duration = duration
        }
    }

    /// How an attempt ended.
    package enum Ending: Sendable, Equatable {
        case done
        case postponed(until: Date)
        /// It failed and is tried again.
        case failed(String, retryAt: Date)
        /// It failed for the last time.
        case dead(String)
        case cancelled
        /// The worker stopped; others go on.
        case givenBack
        /// The lease was lost meanwhile: what it did counts only where it was one transaction with its end.
        case lost

        /// A label of few values.
        package var name: String {
            switch self {
            case .done: "done"
            case .postponed: "postponed"
            case .failed: "failed"
            case .dead: "dead"
            case .cancelled: "cancelled"
            case .givenBack: "given_back"
            case .lost: "lost"
            }
        }
    }
}

/// How the queue stands, for metrics.
package struct TaskStatistics: Sendable, Equatable {
    package let counts: [TaskCount]
    /// Seconds for which the task that is due the longest has been waiting; 0 where none is due.
    package let oldestDueSeconds: Double
}

extension TaskQueue {
    /// Counts the tasks.
    package func statistics() async throws -> TaskStatistics {
        TaskStatistics(counts: try await tasks.counts(), oldestDueSeconds: try await tasks.oldestDueAge())
    }
}
