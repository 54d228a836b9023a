package import Foundation

/// How an attempt at a task ended.
package enum TaskOutcome: Sendable, Equatable {
    /// Well; the worker notes it. JSON of the handler's may go with it.
    case done(result: String?)
    /// Well, and the handler has ended the task already, in one transaction with its effect (`TaskContext.complete`).
    case completed
    /// Not yet: somebody else is not ready. It does not count as an attempt.
    case postponed(until: Date)

    /// Well, without anything to tell.
    package static let done = TaskOutcome.done(result: nil)
}

/// A failure that another attempt would meet again: the task is dead at once.
package struct PermanentTaskFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// Does the tasks of one kind.
///
/// A task runs at least once: a worker may be killed between the effect and the note of it. A handler therefore makes
/// both one transaction (`TaskContext.complete`), or has an effect that is the same the second time, keyed by the task's
/// id. It ends soon where its Swift task is cancelled, for it is then over time, not wanted any more, or the worker stops.
/// What it throws is stored and shown to administrators, and must hold no secrets.
package protocol TaskHandler: Sendable {
    var kind: String { get }

    /// The time that one attempt may take.
    var deadline: Duration { get }

    func perform(_ context: TaskContext) async throws -> TaskOutcome
}

extension TaskHandler {
    package var deadline: Duration { .seconds(600) }
}
