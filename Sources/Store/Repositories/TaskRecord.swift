package import Foundation

/// Where a task stands.
package enum TaskState: String, Sendable, CaseIterable {
    /// For its time, or for a worker.
    case waiting
    /// A worker has it, under a lease.
    case running
    case done
    /// Its last attempt failed; somebody has to look at it, and may retry it.
    case dead
    case cancelled

    /// Whether nothing happens to it any more unless somebody retries it.
    package var isOver: Bool { self != .waiting && self != .running }
}

/// A piece of work, as it is stored.
package struct TaskRecord: Sendable, Equatable {
    package let id: String
    /// Which handler does it.
    package let kind: String
    /// JSON, for the handler.
    package let payload: String
    /// While it waits or runs, no other task has this key.
    package let uniqueKey: String?
    /// Greater is more urgent.
    package let priority: Int
    package let state: TaskState
    /// How often it was begun, the present attempt included.
    package let attempts: Int
    package let maximumAttempts: Int
    package let dueAt: Date
    /// The worker that has it.
    package let leaseOwner: String?
    package let leaseUntil: Date?
    /// JSON of the handler's, about the present or last attempt.
    package let progress: String?
    package let isCancelRequested: Bool
    /// Why the last attempt that failed did.
    package let lastError: String?
    /// JSON of the handler's.
    package let result: String?
    package let createdAt: Date
    /// Of the last attempt.
    package let startedAt: Date?
    package let finishedAt: Date?

    static let columns = """
        id, kind, payload, unique_key, priority, state, attempts, maximum_attempts, due_at, lease_owner, lease_until, \
        progress, cancel_requested, last_error, result, created_at, started_at, finished_at
        """

    init(_ row: SQLRow) throws {
        id = try row.text("id")
        kind = try row.text("kind")
        payload = try row.text("payload")
        uniqueKey = try row.optionalText("unique_key")
        priority = try row.int("priority")
        state = try row.taskState("state")
        attempts = try row.int("attempts")
        maximumAttempts = try row.int("maximum_attempts")
        dueAt = try row.time("due_at")
        leaseOwner = try row.optionalText("lease_owner")
        leaseUntil = try row.optionalTime("lease_until")
        progress = try row.optionalText("progress")
        isCancelRequested = try row.bool("cancel_requested")
        lastError = try row.optionalText("last_error")
        result = try row.optionalText("result")
        createdAt = try row.time("created_at")
        startedAt = try row.optionalTime("started_at")
        finishedAt = try row.optionalTime("finished_at")
    }
}

extension SQLRow {
    func taskState(_ name: String) throws -> TaskState {
        let text = try text(name)
        guard let state = TaskState(rawValue: text) else {
            throw StoreError(.unexpectedValue, "column \(name) holds “\(text)”, which is no state of a task")
        }
        return state
    }
}

/// A task that is to be stored.
package struct NewTask: Sendable, Equatable {
    package let kind: String
    package let payload: String
    package let uniqueKey: String?
    package let priority: Int
    package let maximumAttempts: Int
    /// Nil for at once.
    package let dueAt: Date?

    package init(
        kind: String, payload: String = "{}", uniqueKey: String? = nil, priority: Int = 0, maximumAttempts: Int = 10,
        dueAt: Date? = nil
    ) {
        precondition(maximumAttempts >= 1, "a task is tried at least once")
        self.kind = kind
        self.payload = payload
        self.uniqueKey = uniqueKey
        self.priority = priority
        self.maximumAttempts = maximumAttempts
        self.dueAt = dueAt
    }
}

/// What became of a wish to queue a task.
package enum Enqueued: Sendable, Equatable {
    case queued(id: String)
    /// A task with that unique key waits or runs.
    case alreadyQueued(id: String)

    /// Of the task that is there now.
    package var id: String {
        switch self {
        case .queued(let id), .alreadyQueued(let id): id
        }
    }
}

/// The right of one worker to a task, which ends with the time it was given for, unless prolonged.
package struct TaskLease: Sendable, Hashable {
    package let taskID: String
    /// New at each taking, so that a worker that lost its lease cannot end what another began.
    package let token: String

    package init(taskID: String, token: String) {
        self.taskID = taskID
        self.token = token
    }
}

/// A task with the lease under which it was taken.
package struct TakenTask: Sendable, Equatable {
    package let record: TaskRecord
    package let lease: TaskLease
}

/// Which of some leases still hold.
package struct LeaseReport: Sendable, Equatable {
    /// Ids of the tasks whose lease holds.
    package internal(set) var held: Set<String> = []
    /// Ids of those among `held` that somebody wants cancelled.
    package internal(set) var cancelRequested: Set<String> = []
}

/// What became of a wish to cancel a task.
package enum TaskCancellation: Sendable, Equatable {
    /// It waited, and is cancelled.
    case cancelled
    /// It runs; its worker is asked to stop.
    case asked
    /// It was over already.
    case over(TaskState)
}

/// What became of a wish to try a task again.
package enum TaskRetry: Sendable, Equatable {
    /// It waits, with all its attempts before it.
    case waiting
    /// Only what is dead or cancelled is tried again.
    case refused(TaskState)
    /// Another task with its unique key waits or runs.
    case keyHeld(by: String)
}

/// How many tasks of a kind stand where.
package struct TaskCount: Sendable, Equatable {
    package let kind: String
    package let state: TaskState
    package let count: Int

    package init(kind: String, state: TaskState, count: Int) {
        self.kind = kind
        self.state = state
        self.count = count
    }
}

/// Which tasks a list is asked for.
package struct TaskFilter: Sendable, Equatable {
    package var state: TaskState?
    package var kind: String?

    package init(state: TaskState? = nil, kind: String? = nil) {
        self.state = state
        self.kind = kind
    }
}
